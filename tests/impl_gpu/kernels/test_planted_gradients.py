"""Plants defects in kernels that move, sum and drop gradients: one small launch of each, its answer written out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from .bench import Bench
from .planting import plant

ORDER, LENGTHS = [2, 0, 1], [2, 1, 0]
THREE = np.array([[1], [2], [3]], np.float32)


def tables(bench: Bench, **more: Any) -> dict[str, Any]:
    return {"dtype": "float32", "order": bench.table(ORDER), "n": 1, **more}


def loaded(bench: Bench) -> Any:
    """Two steps of three rows, the last of which is not active."""
    dst, src = bench.hold(np.full((2, 2), 9, np.float32)), bench.hold(np.arange(1, 7, dtype=np.float32))
    chunk = tables(bench, lengths=bench.table(LENGTHS), active=2, first=0, length=2)
    bench.launch("load_cotangent", dst=dst, src=src, src_t=3, src_row=1, **chunk)
    return dst.now().tolist()


def stored_away(bench: Bench) -> Any:
    dst, src = bench.hold(np.full((2, 3), 9, np.float32)), bench.hold(np.arange(1, 5, dtype=np.float32))
    chunk = tables(bench, lengths=bench.table(LENGTHS), active=2, rows=3, first=0, length=2)
    bench.launch("store_gradient", dst=dst, src=src, dst_t=3, dst_row=1, **chunk)
    return dst.now().tolist()


def state_loaded(bench: Bench) -> Any:
    dst = bench.hold(THREE * 0)
    bench.launch("load_state_cotangent", dst=dst, src=bench.hold(THREE), rows=3, src_row=1, **tables(bench))
    return dst.now()[:, 0].tolist()


def state_stored(bench: Bench) -> Any:
    dst = bench.hold(THREE * 0)
    given = {"carried": bench.hold(THREE), "original": bench.hold(-THREE), "lengths": bench.table(LENGTHS)}
    sizes = {"rows": 3, "steps": 2, "dst_row": 1, "original_row": 1}
    bench.launch("store_state_gradient", dst=dst, **given, **sizes, **tables(bench))
    return dst.now()[:, 0].tolist()


def dropped(bench: Bench) -> Any:
    d, uniform = bench.hold(THREE), bench.hold(np.array([[0.75], [0.25], [0.75]], np.float32))
    bench.launch("drop_gradient", d=d, uniform=uniform, keep=0.5, rows=3, uniform_row=1, **tables(bench))
    return d.now()[:, 0].tolist()


def summed(bench: Bench) -> Any:
    """70 rows, each of ones and then its number: some strips have two rows."""
    values = np.stack([np.ones(70), np.arange(70)], axis=1).astype(np.float32)
    sums, partial = bench.hold(np.array([1, 2], np.float32)), bench.hold(np.zeros(128, np.float32))
    sizes = {"rows": 70, "n": 2, "values_row": 2, "other_row": 2}
    held = bench.hold(values)
    bench.launch("column_sums", dtype="float32", sums=sums, values=held, other=held, partial=partial, **sizes)
    return sums.now().tolist()


def narrowed(bench: Bench) -> Any:
    dst = bench.hold(THREE * 0)
    bench.launch("narrow_values", dtype="float32", dst=dst, src=bench.hold(THREE), count=3)
    return dst.now()[:, 0].tolist()


ANSWERS: dict[Callable[[Bench], Any], tuple[Any, tuple[str, str]]] = {
    loaded: ([[3, 1], [6, 0]], ("src != nullptr && alive_at(lengths, row, active, t)", "src != nullptr")),
    stored_away: ([[2, 0, 1], [0, 0, 3]], ("of_row + t * dst_t", "of_row + step * dst_row")),
    state_loaded: ([3, 1, 2], ("load<V>(src + callers_row(order, row) * src_row", "load<V>(src + row * src_row")),
    state_stored: ([2, -2, 1], ("0 < (lengths == nullptr ? steps : lengths[row])", "0 < steps")),
    dropped: ([2, 4, 0], ("value.at[k] / kept * stays", "value.at[k] / kept")),
    summed: ([71, 2 + 69 * 70 * 139 // 6], ("row < rows; row += strips) {", "row + strips < rows; row += strips) {")),
    narrowed: ([1, 2, 3], ("if (from < count) narrow_some", "if (from + 1 < count) narrow_some")),
}
ADDING = ("sums[column] += sum;", "sums[column] = sum;")


@pytest.mark.parametrize("launched", list(ANSWERS), ids=lambda one: one.__name__)
def test_gradients_are_moved_and_summed_as_written_out(launched: Callable[[Bench], Any]) -> None:
    """And not by sources that have a defect in each kernel."""
    answer, _ = ANSWERS[launched]
    assert launched(Bench()) == answer
    assert launched(Bench(plant("gradients", [pair for _, pair in ANSWERS.values()]))) != answer


def test_sums_that_forget_what_was_there_are_seen() -> None:
    answer, _ = ANSWERS[summed]
    assert summed(Bench(plant("gradients", [ADDING]))) == [answer[0] - 1, answer[1] - 2]
