"""Tests launches as they are logged: entry points, blocks, bytes by the header's formula, and what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from impl_gpu import kernels
from impl_gpu.kernels import declared, geometry, registry

CELL: dict[str, Any] = {"clock": 4096, "gates": 4096, "bias": 4096, "h": 4096, "t0": 3, "step": 0, "first": 1}
PLACED: dict[str, Any] = {"order": None, "last": 0, "chunk": 4}


class Recorder:
    """In place of a device: keeps what it is asked to launch."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def launch(self, kernel: Any, grid: Any, block: Any, values: Any, stream: Any, purpose: str, nbytes: int) -> None:
        assert len(values) == len(kernel.parameters)
        named = {parameter.name: value for parameter, value in zip(kernel.parameters, values, strict=True)}
        self.calls.append(
            {"kernel": kernel, "grid": grid, "block": block, "values": named, "purpose": purpose, "nbytes": nbytes}
        )


def launch(name: str, **arguments: Any) -> dict[str, Any]:
    """The one call that a helper makes of the device."""
    recorder = Recorder()
    getattr(kernels, f"launch_{name}")(recorder, None, **arguments)
    (call,) = recorder.calls
    return call


def test_an_lstm_step_in_float32_moves_what_was_worked_out_by_hand() -> None:
    """B = 64, n = 1024, all rows active, no lengths, outputs to the caller.

    For each of 65536 units: 4 gates and c read, c, h and the output written: 8 numbers of 4 bytes, 2097152 bytes.
    The bias is 4096 numbers, 16384 bytes.
    """
    sizes = {"n": 1024, "active": 64, "rows": 64, "lengths": None, "chunk_out": None}
    equation = {"peepholes": None, "c": 4096, "forget_bias": 1.0, "cell_clip": -1.0}
    call = launch("lstm_step", dtype="float32", **CELL, **PLACED, **sizes, **equation)
    assert call["nbytes"] == 2097152 + 16384
    assert call["kernel"].entry == "lstm_step_masked_vec"
    assert call["purpose"] == "lstm step"
    assert (call["grid"], call["block"]) == ((64, 2, 1), (128, 1, 1))


BYTES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "basic_rnn_step": ("basic_rnn", "basic_rnn_step_masked", {**CELL, **PLACED}),
    "lstm_step": (
        "lstm",
        "lstm_step_masked",
        {**CELL, **PLACED, "c": 4096, "forget_bias": 1.0, "cell_clip": -1.0},
    ),
    "lstm_step_projected": (
        "lstm",
        "lstm_step_projected",
        {
            **{key: value for key, value in CELL.items() if key != "h"},
            "c": 4096,
            "m": 4096,
            "forget_bias": 1.0,
            "cell_clip": -1.0,
        },
    ),
    "lstm_projection": (
        "lstm",
        "lstm_projection_masked",
        {
            **{key: value for key, value in CELL.items() if key not in ("gates", "bias")},
            **PLACED,
            "projected": 4096,
            "proj_clip": -1.0,
        },
    ),
    "gru_gates": ("gru", "gru_gates", {**CELL, "reset": 4096}),
    "gru_candidate": ("gru", "gru_candidate_masked", {**CELL, **PLACED}),
}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("dtype", list(registry.ELEMENT_SIZES))
@pytest.mark.parametrize("name", list(BYTES))
def test_a_step_logs_the_bytes_of_its_header(name: str, dtype: str, seed: int) -> None:
    module, entry, arguments = BYTES[name]
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(1, 100))
    active, columns = int(rng.integers(1, rows + 1)), int(rng.integers(1, 500))
    lengths, order, peepholes, out, saved = (int(given) for given in rng.integers(0, 2, 5))
    tables: dict[str, Any] = {"lengths": 4096 if lengths else None}
    if "order" in arguments:
        tables |= {"order": 4096 if order else None, "chunk_out": 4096 if out else None, "rows": rows}
    if "cell_clip" in arguments:
        tables |= {"peepholes": 4096 if peepholes else None, "saved_c": 4096 if saved else None}
    width = "p" if name == "lstm_projection" else "n"
    call = launch(name, dtype=dtype, **{**arguments, **tables, "active": active, width: columns})
    covered = active if out else rows
    read = 0 if out else order
    sizes = {
        "active": active,
        "rows": covered,
        width: columns,
        "lengths": lengths,
        "order": read,
        "peepholes": peepholes,
        "saved": saved,
    }
    assert call["nbytes"] == declared.moved(module, entry, dtype, **sizes)
    if "rows" in call["values"]:
        assert call["values"]["rows"] == covered


def test_other_launches_log_the_bytes_of_their_headers() -> None:
    place = {"dst": 4096, "src": 8192, "rows": 7, "dst_row": 12, "src_row": 12}
    copy = launch("masked_copy", itemsize=4, **place, other=None, lengths=4096, t=0, row_elements=12)
    assert copy["nbytes"] == declared.moved("rows", "masked_copy", "bytes16", rows=7, e=3, lengths=1) == 7 * 12 * 8 + 28
    move = launch("move_rows", itemsize=4, **place, order=4096, gather=0, row_elements=12)
    assert move["nbytes"] == declared.moved("rows", "move_rows", "bytes16", rows=7, e=3, order=1) == 7 * 12 * 8 + 28
    tables = {"order": 4096, "active": 4096, "base": 4096, "chunk": 3, "T": 7, "packed": 20}
    sizes = {"itemsize": 2, "dst": 4096, "src": 8192, "rows": 7, "row_elements": 5, "src_t": 35, "src_row": 5}
    packed = launch("pack_rows", **sizes, **tables)
    formula = {"packed": 20, "rows": 7, "e": 5, "lengths": 0, "order": 1, "chunks": 3}
    assert packed["nbytes"] == declared.moved("rows", "pack_rows", "bytes2", **formula) == 20 * 5 * 4 + 28 + 36
    masked = launch("pack_rows", **sizes, **tables, lengths=4096)
    formula["lengths"] = 1
    assert masked["nbytes"] == declared.moved("rows", "pack_rows", "bytes2", **formula) == packed["nbytes"] + 28
    added = launch("residual_add", dtype="float16", out=4096, a=4096, b=4096, count=77)
    assert added["nbytes"] == declared.moved("elementwise", "residual_add", "float16", count=77) == 77 * 6
    drop = {
        "out": 4096,
        "v": 4096,
        "uniform": 4096,
        "order": 4096,
        "lengths": None,
        "keep": 0.5,
        "t": 0,
        "rows": 3,
        "n": 5,
    }
    for uniform_row, draws in ((5, 3), (0, 1)):
        dropped = launch("drop_rows", dtype="float64", **drop, uniform_row=uniform_row)
        formula = {"rows": 3, "n": 5, "draws": draws, "lengths": 0, "order": 1}
        assert dropped["nbytes"] == declared.moved("elementwise", "drop_rows", "float64", **formula)
    write = {
        "clock": 4096,
        "lengths": 4096,
        "order": 4096,
        "chunk": 4096,
        "n": 5,
        "active": 2,
        "rows": 3,
        "t0": 0,
        "len": 4,
    }
    written = launch("write_chunk", dtype="float32", **write)
    formula = {"len": 4, "n": 5, "active": 2, "rows": 3, "lengths": 1, "order": 1}
    assert written["nbytes"] == declared.moved("elementwise", "write_chunk", "float32", **formula) == 4 * 5 * 4 * 5 + 20
    clock = launch("set_clock", clock=4096, now=0, outputs=None, output_t=0, output_row=0)
    assert clock["nbytes"] == declared.moved("clock", "set_clock", "any") == kernels.CLOCK_BYTES


def test_every_kernel_declares_its_bytes_and_every_entry_point_its_ceilings() -> None:
    for module, variants in kernels.MODULES.items():
        names = list(kernels.entries(module))
        assert list(declared.formulas(module)) == [name for name in names if not name.endswith("_vec")]
        assert {name: tuple(ceilings) for name, ceilings in declared.ceilings(module).items()} == dict.fromkeys(
            names, variants
        )


def test_an_entry_for_vectors_takes_what_the_plain_one_takes() -> None:
    for module in kernels.MODULES:
        entries = kernels.entries(module)
        for name in entries:
            if name.endswith("_vec"):
                assert entries[name] == entries[name.removesuffix("_vec")]


def test_parameters_are_read_from_the_source() -> None:
    """Two lists written out here; for all others the host side compares kinds and sizes with the compiled kernel."""
    assert [(p.name, p.type) for p in kernels.kernel("clock", "set_clock", "any").parameters] == [
        ("clock", "Clock*"),
        ("now", "int"),
        ("outputs", "void*"),
        ("output_t", "long long"),
        ("output_row", "long long"),
    ]
    assert [(p.name, p.type) for p in kernels.kernel("gru", "gru_gates_vec", "float16").parameters] == [
        ("clock", "const Clock*"),
        ("lengths", "const int*"),
        ("gates", "ACC*"),
        ("bias", "const STORE*"),
        ("h", "const STORE*"),
        ("reset", "STORE*"),
        ("n", "int"),
        ("active", "int"),
        ("t0", "int"),
        ("step", "int"),
        ("first", "int"),
    ]


def test_every_entry_point_is_launched_by_a_helper_and_has_its_parameters() -> None:
    """The host side refuses a kernel whose compiled parameters are not the declared ones."""
    from impl_gpu.device import host_kernels

    for module, variants in kernels.MODULES.items():
        library = host_kernels.load(module, variants[0], kernels.source(module, variants[0]))
        for entry in kernels.entries(module):
            assert host_kernels.Entry(library, kernels.kernel(module, entry, variants[0])).name == entry


@pytest.mark.parametrize(
    ("module", "entry", "dtype", "message"),
    [
        ("lstm", "lstm_step_masked", "bytes4", "lstm.cu has the variants"),
        ("rows", "masked_copy", "float32", "rows.cu has the variants"),
        ("lstm", "gru_gates", "float32", "gru_gates"),
        ("lstmm", "lstm_step_masked", "float32", "lstmm"),
    ],
)
def test_unknown_kernels_are_refused(module: str, entry: str, dtype: str, message: str) -> None:
    with pytest.raises(KeyError, match=message):
        kernels.kernel(module, entry, dtype)


def test_a_source_is_refused_for_another_variant() -> None:
    with pytest.raises(KeyError, match="has the variants"):
        kernels.source("clock", "float32")


@pytest.mark.parametrize(
    ("rows", "groups", "steps", "grid", "block"),
    [
        (1, 1, 1, (1, 1, 1), (1, 128, 1)),
        (129, 1, 1, (2, 1, 1), (1, 128, 1)),
        (64, 64, 1, (32, 1, 1), (64, 2, 1)),
        (64, 65, 1, (64, 1, 1), (128, 1, 1)),
        (70000, 256, 1, (70000, 2, 1), (128, 1, 1)),
        (2, 10**8, 10**5, (2, 65535, 65535), (128, 1, 1)),
    ],
)
def test_blocks_of_128_threads_cover_rows_and_columns(
    rows: int, groups: int, steps: int, grid: Any, block: Any
) -> None:
    assert geometry.blocks(rows, groups, steps) == (grid, block)


@pytest.mark.parametrize(
    ("size", "columns", "addresses", "rows", "width"),
    [
        (4, 1024, 4096, 64, 4),
        (4, 1024, 4096, 63, 1),  # too few threads
        (4, 1022, 4096, 640, 1),
        (4, 1024, 4096 | 4104, 64, 1),
        (2, 1024, 4096, 128, 8),
        (2, 1028, 4096, 1280, 1),
        (8, 512, 4096, 64, 2),
    ],
)
def test_vectors_are_taken_where_legal_and_worth_it(
    size: int, columns: int, addresses: int, rows: int, width: int
) -> None:
    assert geometry.vector(size, columns, addresses, rows) == width


@pytest.mark.parametrize("dtype", list(registry.ELEMENT_SIZES))
def test_forced_vectors_are_the_entries_for_vectors(force_vectors: Callable[[bool], Any], dtype: str) -> None:
    """What the tests of the steps rely on."""
    arguments = {**CELL, "reset": 4096, "lengths": None, "active": 2, "n": 16}
    with force_vectors(True):
        assert launch("gru_gates", dtype=dtype, **arguments)["kernel"].entry == "gru_gates_vec"
    with force_vectors(False):
        assert launch("gru_gates", dtype=dtype, **arguments)["kernel"].entry == "gru_gates"


@pytest.mark.parametrize("pointer", ["gates", "bias", "h", "chunk_out"])
def test_one_address_off_makes_it_an_entry_without_vectors(force_vectors: Callable[[bool], Any], pointer: str) -> None:
    arguments = {**CELL, **PLACED, "lengths": None, "active": 2, "rows": 2, "n": 16, "chunk_out": 4096}
    with force_vectors(True):
        assert launch("basic_rnn_step", dtype="float32", **arguments)["kernel"].entry == "basic_rnn_step_masked_vec"
        off = {**arguments, pointer: 4100}
        assert launch("basic_rnn_step", dtype="float32", **off)["kernel"].entry == "basic_rnn_step_masked"


def test_nothing_is_launched_for_nothing() -> None:
    recorder: Any = Recorder()
    step: dict[str, Any] = {**CELL, **PLACED, "lengths": None, "chunk_out": None, "active": 0, "rows": 0, "n": 4}
    kernels.launch_basic_rnn_step(recorder, None, dtype="float32", **step)
    kernels.launch_gru_candidate(recorder, None, dtype="float32", **{**step, "rows": 3, "n": 0})
    kernels.launch_gru_gates(recorder, None, dtype="float32", **CELL, lengths=None, active=0, n=4, reset=4096)
    kernels.launch_residual_add(recorder, None, dtype="float32", out=0, a=0, b=0, count=0)
    strides: dict[str, Any] = {"row_elements": 0, "dst_row": 0, "src_row": 0}
    kernels.launch_move_rows(recorder, None, itemsize=4, dst=0, src=0, order=None, gather=1, rows=3, **strides)
    assert recorder.calls == []


def test_rows_that_are_all_finished_are_still_zeroed() -> None:
    step: dict[str, Any] = {**CELL, **PLACED, "lengths": None, "chunk_out": None, "active": 0, "rows": 3, "n": 4}
    assert launch("basic_rnn_step", dtype="float32", **step)["values"]["rows"] == 3


def test_a_chunk_of_one_step_is_not_left_to_the_clock() -> None:
    recorder: Any = Recorder()
    step: dict[str, Any] = {**CELL, **PLACED, "lengths": None, "chunk_out": None, "active": 1, "rows": 1, "n": 4}
    with pytest.raises(ValueError, match=r"^t0: a chunk of one step can't be left to the clock, which its step would"):
        kernels.launch_basic_rnn_step(recorder, None, dtype="float32", **{**step, "t0": -1, "last": 1})


def test_a_chunk_without_rows_is_not_left_to_the_clock() -> None:
    recorder: Any = Recorder()
    step: dict[str, Any] = {**CELL, **PLACED, "lengths": None, "chunk_out": 4096, "active": 0, "rows": 1, "n": 4}
    with pytest.raises(
        ValueError, match=r"^t0: a chunk without rows can't be left to the clock, which no launch would"
    ):
        kernels.launch_basic_rnn_step(recorder, None, dtype="float32", **{**step, "t0": -1})
