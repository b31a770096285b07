"""Formats the evidence of the bench as text."""

from collections.abc import Mapping, Sequence
from typing import Any

TIMES = ("eager ms", "graph ms", "torch ms", "torch / best", "TFLOP/s")
HEADS = ("shape", "cell", "precision", "lengths", *TIMES, "error")


def show(evidence: Mapping[str, Any]) -> str:
    """A heading, the table in Markdown, and what it needs to be understood."""
    facts, entries = evidence["facts"], [entry for stage in evidence["stages"] for entry in stage.get("points", ())]
    if not entries:
        return f"{evidence['subject']}: {evidence['verdict']}"
    rival = facts["rival"]
    beside = f"not beside PyTorch: {rival}" if isinstance(rival, str) else f"beside PyTorch {rival['torch']}"
    lines = [
        f"impl_gpu on {facts['device']['device']}, {beside}",
        *([facts["host_executed"]] if facts["host_executed"] else []),
        "",
        *markdown(HEADS, [_row(entry) for entry in entries]),
        "",
        "Forward, time-major, medians. Error: the largest of outputs and final states, against float64, relative.",
        "torch / best: above 1 impl_gpu is faster. TFLOP/s: matrix products of the steps that count, over best.",
    ]
    notes = dict.fromkeys(f"* {entry['cell']}: {entry['note']}" for entry in entries if "note" in entry)
    dropped = sum("dropped" in entry for entry in entries)
    lines += [f"{dropped} of {len(entries)} points were dropped."] if dropped else []
    return "\n".join([*lines, *notes])


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table with aligned columns."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in (heads, *rows)
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
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
