"""Tests the keepers under random schedules: swapped gives what resident gives, and planted defects are seen.

Copies of known bytes stand for the passes, so no cell is needed. A block is written in parts, its head from the block
before, as h and c are. A pull gathers all blocks into one result, which must be those of the forward pass.
"""

import gc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from impl_gpu.device.host import HostDevice
from impl_gpu.device.seam import SeamError
from impl_gpu.fused.caches import clear_caches
from impl_gpu.settings import Options
from impl_gpu.training.cost import Block
from impl_gpu.training.holding import Holding
from impl_gpu.training.keeper import Keeper, choose_keeper
from impl_gpu.training.swapped import Swapped

SCHEDULES = 20
CARRIED = 16
"""Bytes at the head of a block that come from the end of the kept part of the one before, as h and c do."""
SIZES = [(96, 64), (96, 64), (80, 48), (96, 64), (96, 64), (64, 48), (96, 64), (48, 32)]
"""Of each chunk all bytes, and those kept."""
BLOCKS = [Block(nbytes, kept, 1e-6, 1e-6) for nbytes, kept in SIZES]

MOVE, RECOMPUTE = Options(swap="move"), Options(swap="recompute")
BUDGET = Options(memory_budget=3 * 96 + 48 + 96)
"""Room for three slots, and for the last two chunks to stay."""


class Bench:
    """A host device, and passes over blocks that keep what ``patterns`` say."""

    def __init__(self) -> None:
        self.device = HostDevice(0)

    def restart(self, seed: int) -> None:
        self.device.restart(seed)
        stream = self.device.current_stream()
        whole = np.concatenate([pattern(number) for number in range(len(SIZES))])
        self._patterns = self.device.enter(whole)
        self.device.synchronize(stream, "begin")

    def source(self, number: int) -> int:
        first = sum(nbytes for nbytes, _ in SIZES[:number])
        return int(self._patterns.data.ptr) + first

    def forward(self, keeper: Keeper, stream: Any) -> None:
        device, before, carried = self.device, 0, 0
        try:
            for number, (nbytes, kept) in enumerate(SIZES):
                address = keeper.begin(number, stream)
                if number:
                    device.copy(address, before + carried - CARRIED, CARRIED, stream, "carry")
                first = CARRIED if number else 0
                middle = (first + kept) // 2
                for start, end in ((first, middle), (middle, kept), (kept, nbytes)):
                    device.copy(address + start, self.source(number) + start, end - start, stream, "write")
                keeper.written(number, stream)
                before, carried = address, kept
        finally:
            keeper.finished(stream)

    def pull(self, keeper: Keeper, stream: Any) -> Any:
        """The blocks as this pull finds them, on the device."""
        device = self.device
        result = device.allocate(sum(nbytes for nbytes, _ in SIZES), stream, "result")
        try:
            for number in range(len(SIZES) - 1, -1, -1):
                address, recompute = keeper.recall(number, stream)
                nbytes, kept = SIZES[number]
                if recompute:
                    device.zero(address + kept, nbytes - kept, stream, "recompute")
                    device.copy(address + kept, self.source(number) + kept, nbytes - kept, stream, "recompute")
                first = sum(size for size, _ in SIZES[:number])
                device.copy(result.ptr + first, address, nbytes // 2, stream, "use")
                device.copy(result.ptr + first + nbytes // 2, address + nbytes // 2, nbytes // 2, stream, "use")
                keeper.used(number, stream)
        finally:
            keeper.finished(stream)
        return result

    def keeper(self, swap_memory: bool, options: Options) -> Keeper:
        return choose_keeper(self.device, self.device.current_stream(), BLOCKS, swap_memory, options)

    def read(self, buffer: Any, stream: Any) -> bytes:
        with self.device.stream(stream):
            found: bytes = self.device.to_numpy(self.device.array(buffer, (buffer.nbytes,), np.uint8)).tobytes()
        return found

    def finish(self) -> None:
        """Give everything back; then nothing of a keeper is left."""
        clear_caches()
        self.device.finish()
        clear_caches()
        self.device.finish()
        assert [purpose for purpose, _ in self.device.live()] == ["upload"]


def pattern(number: int) -> Any:
    return np.random.default_rng(number).integers(0, 255, SIZES[number][0], np.uint8)


def expected() -> bytes:
    blocks: list[Any] = []
    for number in range(len(SIZES)):
        block = pattern(number)
        if number:
            kept = SIZES[number - 1][1]
            block[:CARRIED] = blocks[-1][kept - CARRIED : kept]
        blocks.append(block)
    return np.concatenate(blocks).tobytes()


WANTED = expected()


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


# --- programs: each checks its own results ---------------------------------------------------------------------------

Program = Callable[[Bench, bool, Options], None]


def one_pull(bench: Bench, swap_memory: bool, options: Options) -> None:
    stream = bench.device.current_stream()
    keeper = bench.keeper(swap_memory, options)
    bench.forward(keeper, stream)
    assert bench.read(bench.pull(keeper, stream), stream) == WANTED


def pulls_on_two_streams(bench: Bench, swap_memory: bool, options: Options) -> None:
    """Three pulls in a row, on other streams than the forward pass, with no wait of the host in between."""
    streams = [bench.device.new_stream(), bench.device.new_stream(), bench.device.current_stream()]
    keeper = bench.keeper(swap_memory, options)
    bench.forward(keeper, bench.device.current_stream())
    results = [bench.pull(keeper, stream) for stream in streams]
    for result, stream in zip(results, streams, strict=True):
        assert bench.read(result, stream) == WANTED


def calls_that_nobody_waits_for(bench: Bench, swap_memory: bool, options: Options) -> None:
    """Forward passes whose keepers die, with a pull or without, while their work is under way."""
    device, streams = bench.device, [bench.device.current_stream(), bench.device.new_stream()]
    results = []
    for call in range(4):
        stream = streams[call % 2]
        with device.stream(stream):
            keeper = bench.keeper(swap_memory, options)
        bench.forward(keeper, stream)
        if call > 1:
            results.append((bench.pull(keeper, stream), stream))
        del keeper
        clear_caches()
    for result, stream in results:
        assert bench.read(result, stream) == WANTED


def passes_that_break_off(bench: Bench, swap_memory: bool, options: Options) -> None:
    """A forward pass that ends in its midst and is forgotten; a pull that does, and another one after it."""
    stream, other = bench.device.current_stream(), bench.device.new_stream()
    broken = bench.keeper(swap_memory, options)
    for number in range(5):
        address = broken.begin(number, stream)
        bench.device.copy(address, bench.source(number), SIZES[number][0], stream, "write")
        if number < 4:
            broken.written(number, stream)
    broken.finished(stream)
    del broken
    keeper = bench.keeper(swap_memory, options)
    bench.forward(keeper, stream)
    for number in (7, 6, 5):
        address, recompute = keeper.recall(number, other)
        if recompute:
            nbytes, kept = SIZES[number]
            bench.device.zero(address + kept, nbytes - kept, other, "recompute")
        if number > 5:
            keeper.used(number, other)
    keeper.finished(other)
    assert bench.read(bench.pull(keeper, stream), stream) == WANTED


PROGRAMS: list[Program] = [one_pull, pulls_on_two_streams, calls_that_nobody_waits_for, passes_that_break_off]
WAYS = {"resident": (False, Options()), "move": (True, MOVE), "recompute": (True, RECOMPUTE), "budget": (True, BUDGET)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_every_keeper_gives_back_what_was_kept(bench: Bench, program: Program, way: str) -> None:
    for seed in range(SCHEDULES):
        bench.restart(seed)
        program(bench, *WAYS[way])
        bench.finish()


def test_the_ways_are_those_that_are_meant(bench: Bench) -> None:
    bench.restart(0)
    reports = {way: bench.keeper(*arguments).report() for way, arguments in WAYS.items()}
    moved = {way: (report.slots, report.moved_bytes, report.saved_bytes) for way, report in reports.items()}
    kept = sum(kept for _, kept in SIZES)
    assert moved == {
        "resident": (8, 0, 672),
        "move": (3, 672, 288),
        "recompute": (3, kept, 288),
        "budget": (3, 672 - 144, 432),
    }


def test_a_pass_without_its_end_is_held_back_for_ever(bench: Bench) -> None:
    for seed in range(SCHEDULES):
        bench.restart(seed)
        stream = bench.device.current_stream()
        keeper = bench.keeper(True, MOVE)
        for number in range(3):
            address = keeper.begin(number, stream)
            bench.device.copy(address, bench.source(number), SIZES[number][0], stream, "write")
            keeper.written(number, stream)
        del keeper
        clear_caches()
        bench.device.finish()
        assert len([purpose for purpose, _ in bench.device.live() if purpose != "upload"]) == 3 + len(SIZES)


def test_a_chunk_recalled_before_its_slot_is_left_is_refused(bench: Bench) -> None:
    bench.restart(0)
    stream = bench.device.current_stream()
    keeper = bench.keeper(True, MOVE)
    bench.forward(keeper, stream)
    for number in (7, 6, 5):
        keeper.recall(number, stream)
    with pytest.raises(ValueError, match=r"^chunk 4 is recalled while chunk 7 is in its slot and not used yet$"):
        keeper.recall(4, stream)
    keeper.finished(stream)


# --- defects: what is put in the place of one function ---------------------------------------------------------------


def nothing(*arguments: Any, **named: Any) -> None:
    """A step that is left out."""


DEFECTS: dict[str, tuple[Program, Options, Any, str, Any]] = {}


def defect(words: str, program: Program, options: Options, where: Any, name: str) -> Callable[[Any], Any]:
    """Register what stands in the place of ``where.name`` while the program runs."""

    def register(function: Any) -> Any:
        DEFECTS[words] = (program, options, where, name, function)
        return function

    return register


@defect("a block moved before it is written", one_pull, MOVE, Swapped, "_await_written")
def a_block_moved_before_it_is_written(self: Any, slot: Any) -> None:
    nothing()


@defect("a slot reused before its copy has left", one_pull, MOVE, Swapped, "_await_left")
def a_slot_reused_before_its_copy_has_left(self: Any, slot: Any, stream: Any) -> None:
    nothing()


@defect("a block read before it has arrived", one_pull, MOVE, Swapped, "_await_arrived")
def a_block_read_before_it_has_arrived(self: Any, slot: Any, stream: Any) -> None:
    nothing()


@defect("a block fetched into a slot in use", one_pull, MOVE, Swapped, "_await_used")
def a_block_fetched_into_a_slot_in_use(self: Any, slot: Any) -> None:
    nothing()


@defect("a pull on another stream that does not wait", pulls_on_two_streams, MOVE, Swapped, "_await_last_pass")
def a_pull_on_another_stream_that_does_not_wait(self: Any, stream: Any) -> None:
    nothing()


@defect("a pull of resident blocks that does not wait", pulls_on_two_streams, Options(), Holding, "await_last_pass")
def a_pull_of_resident_blocks_that_does_not_wait(self: Any, stream: Any) -> None:
    nothing()


@defect("a slot left without an event", one_pull, MOVE, Swapped, "_leave")
def a_slot_left_without_an_event(self: Any, slot: Any, stream: Any) -> None:
    slot.busy = False


_copy_in = Swapped._copy_in


@defect("chunks fetched in the wrong order", one_pull, MOVE, Swapped, "_copy_in")
def chunks_fetched_in_the_wrong_order(self: Any, number: int, slot: Any) -> None:
    if self._moved[number - 1] >= self._moved[number]:
        _copy_in(self, number - 1, slot)
    else:
        _copy_in(self, number, slot)


_copy_out = Swapped._copy_out


@defect("a chunk moved to the block of another", one_pull, MOVE, Swapped, "_copy_out")
def a_chunk_moved_to_the_block_of_another(self: Any, number: int, slot: Any) -> None:
    _copy_out(self, 0 if number == 1 else number, slot)


_fetch = Swapped._fetch


@defect("a slot believed to hold what it held first", pulls_on_two_streams, MOVE, Swapped, "_fetch")
def a_slot_believed_to_hold_what_it_held_first(self: Any, number: int) -> None:
    if self._slot(number).holds is None:
        _fetch(self, number)


@defect("half of a block fetched", one_pull, RECOMPUTE, Swapped, "_copy_in")
def half_of_a_block_fetched(self: Any, number: int, slot: Any) -> None:
    moved, self._moved = self._moved, [nbytes // 2 for nbytes in self._moved]
    _copy_in(self, number, slot)
    self._moved = moved


@defect("pinned memory given back before it is copied", calls_that_nobody_waits_for, MOVE, Holding, "__del__")
def pinned_memory_given_back_before_it_is_copied(self: Any) -> None:
    nothing()


@defect("slots given back while they are used", calls_that_nobody_waits_for, MOVE, Holding, "_tell_home")
def slots_given_back_while_they_are_used(self: Any) -> None:
    nothing()


@defect("resident blocks given back while they are used", calls_that_nobody_waits_for, Options(), Holding, "_tell_home")
def resident_blocks_given_back_while_they_are_used(self: Any) -> None:
    nothing()


_end_pass = Holding.end_pass


@defect("an end that forgets the copies", calls_that_nobody_waits_for, MOVE, Holding, "end_pass")
def an_end_that_forgets_the_copies(self: Any, stream: Any) -> None:
    side, self._side = self._side, None
    _end_pass(self, stream)
    self._side = side


_take = Holding._take


@defect("slots of the stream that came first", calls_that_nobody_waits_for, MOVE, Holding, "_take")
def slots_of_the_stream_that_came_first(self: Any, sizes: Sequence[int]) -> None:
    self._home, home = self._device._model.default, self._home
    _take(self, sizes)
    self._home = home


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_shows(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    program, options, where, function, planted = DEFECTS[name]
    bench = Bench()
    monkeypatch.setattr(where, function, planted)
    for seed in range(SCHEDULES):
        try:
            bench.restart(seed)
            program(bench, options != Options(), options)
            bench.finish()
        except (AssertionError, SeamError):
            monkeypatch.undo()
            gc.collect()
            return
    pytest.fail(f"{name}: not seen in {SCHEDULES} schedules")
