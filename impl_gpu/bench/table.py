"""The result of the bench as text; it measures nothing and judges nothing."""

from collections.abc import Sequence
from typing import Any

HOST_EXECUTED = "host-executed, no GPU: times mean nothing"
TIMES = ("eager ms", "graph ms", "torch ms", "torch / best", "TFLOP/s")
HEADS = ("shape", "cell", "precision", "lengths", *TIMES, "error")


def show(result: dict[str, Any]) -> str:
    """A heading, the table in Markdown, and what it needs to be understood."""
    machine = result["machine"]
    rival = result["rival"]
    beside = f"no PyTorch beside it: {rival}" if isinstance(rival, str) else f"beside PyTorch {rival['torch']}"
    lines = [
        f"impl_gpu on {machine['device'].get('device') or machine['device'].get('name')}, {beside}",
        *([HOST_EXECUTED] if result["host_executed"] else []),
        "",
        *table([_row(entry) for entry in result["points"]]),
        "",
        "Forward, time-major, medians. Error: the largest of outputs and final states, against float64, relative.",
        "torch / best: above 1 impl_gpu is faster. TFLOP/s: matrix products of the steps that count, over best.",
    ]
    notes = dict.fromkeys(f"{entry['cell']}: {entry['note']}." for entry in result["points"] if "note" in entry)
    return "\n".join([*lines, *notes])


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Markdown with aligned columns."""
    widths = [max(len(row[column]) for row in (HEADS, *rows)) for column in range(len(HEADS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in (HEADS, *rows)
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    shape = "{name} {T},{B},{H}".format(**entry["shape"])
    point = (shape, entry["cell"], entry["precision"], entry["lengths"])
    if "medians" not in entry:
        return (*point, *("-" for _ in TIMES), entry.get("refused") or entry["dropped"])
    medians = entry["medians"]
    worst = max(found for name in ("eager", "graph") for found in entry["errors"][name].values())
    return (
        *point,
        f"{medians['eager']:.2f}",
        f"{medians['graph']:.2f}",
        f"{medians['torch']:.2f}" if "torch" in medians else "-",
        f"{entry['ratio']:.2f}" + ("*" if "note" in entry else "") if "ratio" in entry else "-",
        f"{entry['tflops']:.3g}",
        f"{worst:.1e}",
    )
