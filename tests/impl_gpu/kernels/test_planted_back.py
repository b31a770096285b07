"""Plants defects in kernels of the backward pass: what judges the kernels must see each of them.

Defects of different kernels are planted in one source, so that it is built once.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from impl_gpu.device.seam import SeamError

from .equations_back import judged
from .planting import plant

RESET_ZEROED = "        store<V>(reset + place, zeros<V, STORE>());\n"


class Defect(NamedTuple):
    """What is replaced in the source, by what; ``seen`` is what a complaint of the judge begins with."""

    name: str
    kernel: str
    old: str
    new: str
    seen: str


SOURCES: dict[str, list[list[Defect]]] = {
    "basic_rnn_back": [
        [
            Defect("d_state at every step", "basic_rnn_step_back", "goes_on ? d_next : d_last", "d_last", "d_gates"),
        ],
        [
            Defect(
                "finished rows pulled back",
                "basic_rnn_step_back",
                "if (alive_at(lengths, row, active, t)) {",
                "{",
                "d_gates, where nothing",
            ),
        ],
    ],
    "lstm_back": [
        [
            Defect(
                "the clipped c passes",
                "lstm_step_back",
                "unclipped(to_c, keep * c + in * new_input, clip)",
                "to_c",
                "d_gates",
            ),
            Defect(
                "the clipped projection passes",
                "lstm_projection_back",
                "unclipped(d_h.at[k], product.at[k], clip)",
                "d_h.at[k]",
                "d_projected",
            ),
        ],
        [
            Defect("the old c in tanh", "lstm_step_back", "hyperbolic(wide(now.at[k]))", "hyperbolic(c)", "d_gates"),
            Defect(
                "finished rows left as they were",
                "lstm_projection_back",
                "    store<V>(d_projected + place, result);",
                "    if (alive_at(lengths, row, active, t)) store<V>(d_projected + place, result);",
                "d_projected, where nothing",
            ),
        ],
        [
            Defect(
                "the output gate does not peep",
                "lstm_step_back",
                "if (peepholes != nullptr) to_c += wide(w_o.at[k]) * to_out;",
                "",
                "d",
            ),
        ],
        [
            Defect(
                "what peeps hands nothing back",
                "lstm_step_back",
                "wide(w_f.at[k]) * to_keep + wide(w_i.at[k]) * to_in",
                "wide(w_f.at[k]) * to_keep",
                "dc",
            ),
        ],
    ],
    "gru_back": [
        [
            Defect(
                "u and 1 - u swapped",
                "gru_candidate_back",
                "kept.at[k] = d_h.at[k] * u.at[k]",
                "kept.at[k] = d_h.at[k] * renewed",
                "d_next",
            ),
            Defect(
                "reset does not hand back",
                "gru_gates_back",
                "to_h.at[k] += d.at[k] * r",
                "to_h.at[k] += ACC(0) * r",
                "d_next",
            ),
        ],
        [
            Defect(
                "u activated twice",
                "gru_candidate_back",
                "(u.at[k] * renewed)",
                "(sigmoid(u.at[k]) * renewed)",
                "d_gates",
            ),
            Defect(
                "finished rows hand back",
                "gru_gates_back",
                RESET_ZEROED,
                RESET_ZEROED + "        store<V>(d_next + place, zeros<V, ACC>());\n",
                "d_next, where nothing",
            ),
        ],
    ],
}
PLANTED = [
    (module, together, defect) for module, sources in SOURCES.items() for together in sources for defect in together
]


@pytest.mark.parametrize(("module", "together", "defect"), PLANTED, ids=[defect.name for _, _, defect in PLANTED])
def test_a_planted_defect_is_seen(
    force_vectors: Callable[[bool], Any], module: str, together: list[Defect], defect: Defect
) -> None:
    source = plant(module, [(one.old, one.new) for one in together])
    seen: list[str] = []
    for seed in range(40):
        with force_vectors(bool(seed % 2)):
            try:
                seen = judged(defect.kernel, "float32", seed, bool(seed % 2), source).complaints
            except SeamError as error:
                seen = [f"refused: {error}"]
        if any(complaint.startswith(("refused", defect.seen)) for complaint in seen):
            return
    pytest.fail(f"nobody saw it: {seen}")
