"""Collects what the checks of one stage found: how many, the worst, and the first that failed."""

import contextlib
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np

from tancarflow_evidence.evidence import FAILED, PASSED, write_progress, write_result

from ..device.shadow_compare import far, numbers

SHOWN = 20  # failures that are written down in full


class Findings:
    """Checks under way. ``part`` names what comes next, so that a stage that dies says where it was."""

    def __init__(self) -> None:
        self.checks = 0
        self.failures: list[str] = []
        self.worst: dict[str, float] = {}
        self.figures: dict[str, Any] = {}
        self.facts: dict[str, Any] = {}

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Checks that belong together; an error in them is a failure of theirs, and the next part goes on."""
        write_progress(name, **self._said())
        try:
            yield
        except Exception as error:  # noqa: BLE001  (whatever a part raises is a failure of that part)
            self.fail(name, f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-6)}")

    def that(self, name: str, holds: bool, otherwise: str = "") -> None:
        """One check."""
        self.checks += 1
        if not holds:
            self.fail(name, otherwise)

    def refused(self, name: str, error: type[Exception], call: Any, *arguments: Any) -> None:
        """The call raises this error."""
        self.checks += 1
        try:
            call(*arguments)
        except error:
            return
        self.fail(name, f"was not refused with a {error.__name__}")

    def equal(self, name: str, got: Any, wanted: Any) -> None:
        """Arrays of one dtype and shape, bit for bit."""
        self.checks += 1
        got, wanted = np.asarray(got), np.asarray(wanted)
        if got.dtype != wanted.dtype or got.shape != wanted.shape:
            self.fail(name, f"expected {wanted.dtype} {wanted.shape}, got {got.dtype} {got.shape}")
            return
        bits = np.dtype(f"V{got.dtype.itemsize}")
        wrong = np.flatnonzero(
            np.ascontiguousarray(got).view(bits).ravel() != np.ascontiguousarray(wanted).view(bits).ravel()
        )
        if wrong.size:
            first = np.unravel_index(wrong[0], got.shape)
            self.fail(
                name,
                f"{wrong.size} of {got.size} differ, the first at {_place(first)}: "
                f"expected {wanted[first]}, got {got[first]}",
            )

    def near(self, name: str, kind: str, got: Any, wanted: Any, allowed: Any, group: str) -> None:
        """Stored arrays of a floating type, each number as near as is allowed; the worst of the group is kept."""
        self.checks += 1
        device, host = (numbers(np.asarray(one), kind) for one in (got, wanted))
        if device.shape != host.shape:
            self.fail(name, f"expected a shape of {host.shape}, got {device.shape}")
            return
        with np.errstate(all="ignore"):
            share = np.abs(device.astype(np.float64) - host.astype(np.float64)) / np.broadcast_to(allowed, host.shape)
        known = share[np.isfinite(share)]
        self.worst[group] = max(self.worst.get(group, 0.0), float(known.max()) if known.size else 0.0)
        wrong = np.argwhere(far(device, host, allowed))
        if wrong.size:
            first = tuple(wrong[0])
            self.fail(
                name,
                f"{len(wrong)} of {host.size} are too far, the first at {_place(first)}: "
                f"expected {host[first]}, got {device[first]}",
            )

    def fail(self, name: str, why: str) -> None:
        """A check that failed."""
        self.failures.append(f"{name}: {why}".rstrip(": "))

    def end(self, **more: Any) -> None:
        """Write the verdict. A stage without a check has failed, not passed."""
        if not self.checks:
            self.fail("the stage", "it checked nothing")
        write_result(FAILED if self.failures else PASSED, **self._said(), **more)

    def _said(self) -> dict[str, Any]:
        said: dict[str, Any] = {"checks": self.checks, "failed": len(self.failures)}
        if self.failures:
            said["first_failure"] = self.failures[0].splitlines()[0]
            said["failures"] = self.failures[:SHOWN]
        if self.worst:
            said["worst_share_of_the_tolerance"] = {name: round(share, 4) for name, share in self.worst.items()}
        if self.figures:
            said["figures"] = self.figures
        if self.facts:
            said["facts"] = self.facts
        return said


def _place(index: Any) -> str:
    return "[" + ", ".join(str(int(one)) for one in index) + "]"
