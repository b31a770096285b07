"""Formats the evidence of training as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..table import markdown
from .points import KEPT, WAYS

MIB = 2**20
HEADS = ("shape", "cell", "precision", "lengths", "way", "ms", "penalty", "peak MiB", "saved MiB", "moved MiB", "error")
LONGEST = ("shape", "T kept", "of ceiling", "T swapped", "of ceiling", "times longer")


def show(evidence: Mapping[str, Any]) -> str:
    """A heading, two tables in Markdown, and what they need to be understood."""
    stages = evidence["stages"]
    entries = [entry for stage in stages for entry in stage.get("points", ())]
    found = [stage["longest"] for stage in stages if "longest" in stage]
    if not entries:
        return f"{evidence['subject']}: {evidence['verdict']}"
    facts = evidence["facts"]
    rival = facts["rival"]
    beside = f"not beside PyTorch: {rival}" if isinstance(rival, str) else f"beside PyTorch {rival['torch']}"
    lines = [
        f"Training with impl_gpu on {facts['device']['device']}, {beside}",
        *([facts["host_executed"]] if facts["host_executed"] else []),
        "",
        *markdown(HEADS, [row for entry in entries for row in _rows(entry)]),
        "",
        "Forward and backward, time-major, medians. Penalty: of time, against kept. Peak: device memory besides inputs",
        "and cotangents. Error: the largest of all gradients, against float64, relative.",
        "",
        *markdown(LONGEST, [_longest(one) for one in found]),
        "",
        *_limits(found),
        "The ceiling counts weights, inputs, outputs, the gradients of all these, and what is kept on the device.",
    ]
    notes = dict.fromkeys(f"* {entry['cell']}: {entry['note']}" for entry in entries if "note" in entry)
    dropped = sum("dropped" in entry for entry in entries)
    lines += [f"{dropped} of {len(entries)} points were dropped."] if dropped else []
    return "\n".join([*lines, *notes])


def _rows(entry: Mapping[str, Any]) -> list[tuple[str, ...]]:
    point = ("{name} {T},{B},{H}".format(**entry["shape"]), entry["cell"], entry["precision"], entry["lengths"])
    if "medians" not in entry:
        return [(*point, "", *("-" for _ in HEADS[5:-1]), entry.get("refused") or entry["dropped"])]
    rows: list[tuple[str, ...]] = []
    for way in WAYS:
        memory = entry["memory"][way.name]
        rows.append(
            (
                *point,
                way.name if memory["recomputed_bytes"] == 0 or way.swap == "recompute" else f"{way.name}, recomputed",
                f"{entry['medians'][way.name]:.2f}",
                "" if way == KEPT else f"{100 * entry['penalty'][way.name]:+.1f} %",
                _mib(entry["peak_bytes"][way.name]),
                _mib(memory["saved_bytes"]),
                _mib(memory["moved_bytes"]),
                f"{max(entry['errors'][way.name].values()):.1e}",
            )
        )
    if "torch" in entry["medians"]:
        worst = entry["errors"].get("torch")
        time, peak = f"{entry['medians']['torch']:.2f}", _mib(entry["peak_bytes"]["torch"])
        rows.append((*point, "torch", time, "", peak, "-", "-", f"{max(worst.values()):.1e}" if worst else "-"))
    return rows


def _longest(found: Mapping[str, Any]) -> tuple[str, ...]:
    shape = "{name} B {B}, H {H}".format(**found["shape"])
    sides = [found[name] for name in ("kept", "swapped")]
    columns = [text for side in sides for text in (str(side["steps"]), f"{100 * side['part_of_ceiling']:.0f} %")]
    return (shape, *columns, found.get("refused") or f"{found['times_longer']:.2f}")


def _limits(found: Sequence[Mapping[str, Any]]) -> list[str]:
    limits = dict.fromkeys(one["limit_bytes"] for one in found)
    return [f"The most steps that train in {_mib(limit)} MiB of device memory: LSTM, fp32, dense." for limit in limits]


def _mib(nbytes: int) -> str:
    return f"{nbytes / MIB:.4g}"
