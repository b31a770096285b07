"""Tests the steps backwards, host-executed, against slopes of the page's equations in float64, at random shapes."""

from collections.abc import Callable
from typing import Any

import pytest

from impl_gpu import kernels
from impl_gpu.kernels import declared

from .bench import bits
from .equations_back import KERNELS, judged
from .test_kernels_launches import Recorder, launch

SEEDS = range(8)
DTYPES = ["float16", "bfloat16", "float32", "float64"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", list(KERNELS))
@pytest.mark.parametrize("vectors", [False, True], ids=["scalar", "vector"])
def test_steps_backwards_are_the_slopes_of_steps(
    force_vectors: Callable[[bool], Any], kernel: str, dtype: str, vectors: bool
) -> None:
    """Gradients of gates and states; rows not alive give +0 and keep what they carry, whatever lies there [GRAD-11]."""
    with force_vectors(vectors):
        found = [(seed, one) for seed in SEEDS for one in judged(kernel, dtype, seed, vectors).complaints]
    assert found == []


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kernel", list(KERNELS))
def test_vectors_change_no_bit_backwards(force_vectors: Callable[[bool], Any], kernel: str, dtype: str) -> None:
    made = []
    for vectors in (True, False):
        with force_vectors(vectors):
            judge = judged(kernel, dtype, 3, vectors=True)
            made.append({name: bits(judge.now(name)).tolist() for name in judge.results()})
            assert judge.entries == {kernel + "_vec" if vectors else kernel}
    assert made[0] == made[1]
    assert made[0] != {}


# Launches, on a device that only writes down.

AT = 4096
SHARED: dict[str, tuple[str, dict[str, Any]]] = {
    "basic_rnn_step_back": ("basic_rnn_back", {"h_new": AT, "d_next": AT, "d_last": AT, "d_gates": AT}),
    "lstm_step_back": (
        "lstm_back",
        {"gates": AT, "bias": AT, "c_old": AT, "c_new": AT, "dc": AT, "d_gates": AT, "forget_bias": 1.0}
        | {"cell_clip": -1.0},
    ),
    "lstm_projection_back": ("lstm_back", {"d_next": AT, "d_last": AT, "d_projected": AT, "proj_clip": -1.0}),
    "gru_candidate_back": (
        "gru_back",
        {"gates": AT, "bias": AT, "h_old": AT, "d_next": AT, "d_last": AT, "d_gates": AT},
    ),
    "gru_gates_back": (
        "gru_back",
        {"gates": AT, "bias": AT, "h_old": AT, "d_reset": AT, "d_gates": AT, "d_next": AT, "reset": AT},
    ),
}
NULLABLE = {"lstm_step_back": ("peepholes", "m"), "lstm_projection_back": ("projected",)}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", list(SHARED))
def test_a_step_backwards_logs_the_bytes_of_its_header(name: str, dtype: str) -> None:
    module, arguments = SHARED[name]
    width = "p" if name == "lstm_projection_back" else "n"
    for given in (0, 1):
        nullable = dict.fromkeys(("lengths", *NULLABLE.get(name, ())), AT if given else None)
        sizes = {width: 20 + given, "active": 3}
        more: dict[str, Any] = {"t": 0}
        if name != "gru_gates_back":
            more |= {"steps": 1, "d_out": AT if given else None}
        if name == "lstm_step_back":
            more |= {"d_next": AT if given else None, "d_last": AT if given else None}
        call = launch(name, dtype=dtype, **{**arguments, **nullable, **sizes, **more})
        named = dict.fromkeys((*nullable, "d_out"), given) | {"carried": given if name == "lstm_step_back" else 1}
        assert call["nbytes"] == declared.moved(module, name, dtype, **sizes, **named)
        assert call["purpose"] == name.replace("_", " ")


def test_an_lstm_step_backwards_in_float32_moves_what_was_worked_out_by_hand() -> None:
    """B = 64, n = 1024, all rows active: for each of 65536 units four gates, the two gradients of h, dc, c and c' read,
    dc and four gradients of gates written: 14 numbers of 4 bytes. The bias is 4096 numbers.
    """
    arguments = {**SHARED["lstm_step_back"][1], "d_out": AT, "d_next": AT, "d_last": AT, "m": None, "peepholes": None}
    call = launch("lstm_step_back", dtype="float32", **arguments, lengths=None, n=1024, active=64, t=0, steps=1)
    assert call["nbytes"] == 65536 * 14 * 4 + 4096 * 4
    assert call["kernel"].entry == "lstm_step_back_vec"
    assert (call["grid"], call["block"]) == ((64, 2, 1), (128, 1, 1))


def test_half_types_go_by_16_bytes_of_the_accumulator() -> None:
    """Four columns for each thread, eight of half a word's: gates and gradients are float32."""
    arguments = {**SHARED["gru_gates_back"][1], "lengths": None, "active": 64, "t": 0}
    call = launch("gru_gates_back", dtype="float16", **arguments, n=1028)
    assert call["kernel"].entry == "gru_gates_back_vec"
    assert call["grid"] == (64, 3, 1)


def test_nothing_is_pulled_back_for_nothing() -> None:
    recorder: Any = Recorder()
    arguments = {**SHARED["gru_gates_back"][1], "lengths": None, "t": 0, "dtype": "float32"}
    kernels.launch_gru_gates_back(recorder, None, **arguments, n=4, active=0)
    kernels.launch_gru_gates_back(recorder, None, **arguments, n=0, active=3)
    assert recorder.calls == []


def test_a_limit_without_its_product_is_refused() -> None:
    arguments: dict[str, Any] = {"d_out": None, "d_next": 4096, "d_last": 4096, "d_projected": 4096, "lengths": None}
    sizes = {"p": 4, "active": 2, "t": 0, "steps": 1}
    with pytest.raises(ValueError, match=r"^projected: None, though there is a limit \(proj_clip 0\.5\) to hold it"):
        launch("lstm_projection_back", dtype="float32", projected=None, proj_clip=0.5, **arguments, **sizes)
