"""Renders the badge: "dynamic_rnn | k of n documented", green only when every documented clause passed."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from conformance.report.model import Report
from conformance.report.text import clip, printable

GREEN, RED, GREY = "#14603a", "#97191d", "#555b64"
_CHARACTER = 6.9


def render(report: Report) -> str:
    """The badge of the report's first implementation, named where there are several."""
    label, text, colour = "dynamic_rnn", "nothing run", GREY
    if report["implementations"]:
        first = report["implementations"][0]
        counts = first["summary"]["documented"]
        text = f"{counts['pass']} of {counts['counted']} documented"
        if len(report["implementations"]) > 1:
            label = f"dynamic_rnn · {clip(printable(first['name']), 40)}"
        if counts["fail"] or counts["known failure"]:
            colour = RED
        elif counts["counted"] and counts["pass"] == counts["counted"]:
            colour = GREEN
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )
    widths = [round(len(part) * _CHARACTER + 14) for part in (label, text)]
    return environment.get_template("badge.svg.j2").render(label=label, text=text, colour=colour, widths=widths)
