"""Tests the compile gate: it passes what is there, and sees spills, gaps, wrong ceilings and a missing NVRTC."""

import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from impl_gpu import kernels
from impl_gpu.kernels import compile_gate, declared, registry
from impl_gpu.kernels.compile_gate import ARCHITECTURES, Compiled, CompileError, NotJudgedError

DOCS = Path(__file__).parents[3] / "docs" / "kernels.md"
ROW = re.compile(r"\| `(\w+)` \| `(\w+)\.cu` \| (\w+) \| (.*) \|")


@pytest.fixture(scope="module")
def compiled() -> Sequence[Compiled]:
    """Every kernel for the architecture of an H100, on this processor."""
    return compile_gate.compile_all(["90"])


def rows_of_docs() -> dict[tuple[str, str, str], list[str]]:
    """The columns after module, entry point and variant."""
    found = ROW.findall(DOCS.read_text(encoding="utf-8"))
    return {(module, entry, variant): rest.split(" | ") for entry, module, variant, rest in found}


def test_every_kernel_compiles_for_sm_90_within_its_ceiling(compiled: Sequence[Compiled]) -> None:
    """Other architectures are the command's own business, which takes longer."""
    pinned = compile_gate.nvrtc_version() == compile_gate.NVRTC
    assert compile_gate.findings(compiled, ["90"], pinned) == []
    listed = [(module, variant, entry) for module, variant in kernels.modules() for entry in kernels.entries(module)]
    assert sorted((one.module, one.variant, one.entry) for one in compiled) == sorted(listed)


def test_the_page_names_every_kernel_with_its_ceiling_and_bytes() -> None:
    wanted = {}
    for module, variant in kernels.modules():
        for entry in kernels.entries(module):
            elements = declared.per_element(module, entry, variant)
            told = [str(declared.ceilings(module)[entry][variant]), "0", "" if elements is None else str(elements)]
            wanted[module, entry, variant] = told
    assert {key: columns[len(ARCHITECTURES) :] for key, columns in rows_of_docs().items()} == wanted


def test_the_page_has_the_registers_that_the_compiler_gives(compiled: Sequence[Compiled]) -> None:
    assert compile_gate.nvrtc_version() == compile_gate.NVRTC, "the extra gpu-host pins the NVRTC of the page"
    column = ARCHITECTURES.index("90")
    written = {key: columns[column] for key, columns in rows_of_docs().items()}
    assert written == {(one.module, one.entry, one.variant): str(one.registers) for one in compiled}


def test_an_lstm_step_in_float32_moves_32_bytes_for_each_unit() -> None:
    """Four gates and c read, c, h and the output written."""
    assert declared.per_element("lstm", "lstm_step_masked", "float32") == 32


# --- what is wrong is seen -------------------------------------------------------------------------------------------


def findings_with(compiled: Sequence[Compiled], **change: Any) -> list[str]:
    """What the gate says when one kernel's compilation were another."""
    changed = [one._replace(**change) if one.entry == "gru_gates_vec" else one for one in compiled]
    return [sentence for sentence in compile_gate.findings(changed, ["90"], True) if "(float32)" in sentence]


def test_a_missing_entry_point_is_a_finding(compiled: Sequence[Compiled]) -> None:
    rest = [one for one in compiled if (one.entry, one.variant) != ("move_rows", "bytes2")]
    assert compile_gate.findings(rest, ["90"], True) == ["move_rows (bytes2): not there on sm_90"]


def test_spilled_registers_are_a_finding(compiled: Sequence[Compiled]) -> None:
    assert findings_with(compiled, spilled=8) == ["gru_gates_vec (float32): spills 8 bytes on sm_90"]


def test_more_registers_than_the_ceiling_are_a_finding(compiled: Sequence[Compiled]) -> None:
    ceiling = declared.ceilings("gru")["gru_gates_vec"]["float32"]
    wanted = [f"gru_gates_vec (float32): {ceiling + 1} registers on sm_90, the ceiling is {ceiling}"]
    assert findings_with(compiled, registers=ceiling + 1) == wanted
    assert findings_with(compiled, registers=ceiling) == []


def test_a_ceiling_with_slack_is_a_finding(compiled: Sequence[Compiled]) -> None:
    """Judged where all architectures are there, since the ceiling is that of the highest."""
    ceiling = declared.ceilings("gru")["gru_gates_vec"]["float32"]
    everywhere = [one._replace(arch=arch) for one in compiled for arch in ARCHITECTURES]
    lower = [one._replace(registers=ceiling - 8) if one.entry == "gru_gates_vec" else one for one in everywhere]
    wanted = f"gru_gates_vec (float32): a ceiling of {ceiling} says nothing, {ceiling - 8} registers need {ceiling - 8}"
    assert wanted in compile_gate.findings(lower, ARCHITECTURES, True)


def test_an_entry_without_a_ceiling_is_a_finding(compiled: Sequence[Compiled], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared, "ceilings", lambda module: {})
    wanted = "set_clock (any): no ceiling of registers is declared beside it"
    assert wanted in compile_gate.findings(compiled, ["90"], True)
    assert compile_gate.findings(compiled, ["90"], False) == []


def test_a_vector_entry_without_16_byte_accesses_is_a_finding(compiled: Sequence[Compiled]) -> None:
    assert findings_with(compiled, wide=0) == ["gru_gates_vec (float32): no 16-byte access on sm_90"]


def compile_changed(module: str, variant: str, old: str, new: str) -> dict[str, Compiled]:
    text = registry.source(module, variant)
    assert old in text
    return {one.entry: one for one in compile_gate.compile_source(text.replace(old, new), module, variant, "90")}


def test_the_compiler_tells_of_a_real_spill() -> None:
    """The LSTM's step, made to leave room for 16 blocks: 32 registers for each thread."""
    made = compile_changed("lstm", "float32", "#define BLOCKS 6 ", "#define BLOCKS 16 ")
    assert made["lstm_step_masked_vec"].registers <= 32
    assert made["lstm_step_masked_vec"].spilled > 0


def test_the_compiler_tells_of_narrow_accesses_and_of_shared_memory() -> None:
    made = compile_changed("gru", "float32", "#define VECTOR (16 / int(sizeof(STORE)))", "#define VECTOR 1")
    assert [made[entry].wide for entry in ("gru_gates_vec", "gru_candidate_masked_vec")] == [0, 0]
    array = "__shared__ int kept[64]; kept[now & 63] = now; clock->now = kept[(now + 1) & 63];"
    assert compile_changed("clock", "any", "clock->now = now;", array)["set_clock"].shared == 256


def test_a_source_that_does_not_compile_fails_with_the_compilers_words() -> None:
    with pytest.raises(CompileError, match=r"clock\.cu, any, sm_90: [^\0]*identifier \"later\" is undefined"):
        compile_changed("clock", "any", "clock->next = now;", "clock->next = later;")


# --- what the command says -------------------------------------------------------------------------------------------


def answer(monkeypatch: pytest.MonkeyPatch, made: Sequence[Compiled], version: tuple[int, int]) -> None:
    """Have the command compile to this, by an NVRTC of this version."""
    monkeypatch.setattr(compile_gate, "compile_all", lambda architectures: list(made))
    monkeypatch.setattr(compile_gate, "nvrtc_version", lambda: version)


def test_the_command_passes(
    compiled: Sequence[Compiled], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, compiled, (13, 0))
    assert compile_gate.main(["--arch", "90"]) == 0
    assert capsys.readouterr().out == f"compile gate: passed: {len(compiled)} entry points for sm_90 by NVRTC 13.0\n"


def test_the_command_fails_and_writes_nothing(
    compiled: Sequence[Compiled], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Compiled for one architecture of four: all entry points of the others are missing."""
    answer(monkeypatch, compiled, (13, 0))
    assert compile_gate.main(["--write", str(tmp_path / "page.md")]) == 1
    assert "compile gate: set_clock (any): not there on sm_75\n" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_the_page(
    compiled: Sequence[Compiled], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    registers = rows_of_docs()
    everywhere = [
        one._replace(arch=arch, registers=int(registers[one.module, one.entry, one.variant][column]))
        for column, arch in enumerate(ARCHITECTURES)
        for one in compiled
    ]
    answer(monkeypatch, everywhere, (13, 0))
    assert compile_gate.main(["--write", str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == DOCS.read_text(encoding="utf-8")


def test_another_nvrtc_is_no_pass(
    compiled: Sequence[Compiled], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, compiled, (12, 9))
    assert compile_gate.main(["--arch", "90"]) == 2
    said = capsys.readouterr().out
    assert said.startswith("compile gate: NOT JUDGED: ")
    assert "by NVRTC 12.9; ceilings and the table are for 13.0: pip install 'nvidia-cuda-nvrtc==13.0.*'" in said


def test_no_nvrtc_is_no_pass(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As CuPy says it where the wheels are not installed."""
    from cupy.cuda import nvrtc

    def missing() -> None:
        raise RuntimeError('Failure finding "libnvrtc.so.13 or libnvrtc.so.12":\n No such file')

    monkeypatch.setattr(nvrtc, "getVersion", missing)
    with pytest.raises(NotJudgedError, match="no NVRTC to compile with"):
        compile_gate.nvrtc_version()
    assert compile_gate.main(["--arch", "90"]) == 2
    said = capsys.readouterr().out
    assert said.startswith('compile gate: NOT JUDGED: no NVRTC to compile with (Failure finding "libnvrtc.so.13')
    assert "'nvidia-cuda-nvrtc==13.0.*' 'nvidia-cuda-runtime==13.0.*' 'nvidia-cuda-crt==13.0.*'" in said
    assert "passed" not in said


def test_the_page_is_not_written_of_some_architectures_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        compile_gate.main(["--arch", "90", "--write", "page.md"])
    assert "--write takes all architectures" in capsys.readouterr().err


def test_the_options_are_those_that_cupy_gives() -> None:
    """Private places of CuPy: where they change, look at this anew. Folders of headers make no difference."""
    from cupy._core import core
    from cupy.cuda import compiler

    given = [option for option in core.assemble_cupy_compiler_options(()) if not option.startswith("-I")]
    assert given == ["--std=c++17"]
    text = inspect.getsource(compiler)
    assert "options += ('-ftz=true',)" in text
    assert "options += ('--device-as-default-execution-space',)" in text
    assert "f'-arch=sm_{arch}'" in text
    assert list(compile_gate.OPTIONS) == [*given, "-ftz=true", "--device-as-default-execution-space"]
    assert "#include" not in "".join(registry.source(*which) for which in kernels.modules())
