"""Runs a long check in stages and writes their results to a JSON file, which is complete after each stage.

A stage is a command in a process of its own with a time limit, so that one that dies or hangs takes no other with it,
and a device whose error sticks to the process is fresh again in the next stage. The command calls ``write_result``,
which finds the place for the result in an environment variable (``RESULT``). Before the first stage and after each, the
driver writes the whole evidence anew and renames it into place: the file on disk is never half written, and it marks
the stages that have not been reached as not run.

    evidence = Evidence(path, "impl_gpu prove", root, seed=0)
    evidence.run([Stage("seam", [sys.executable, "-m", "impl_gpu.prove", "--stage", "seam"], 60.0)], budget=450.0)

It needs nothing but Python and NumPy, so that it runs where nothing can be installed.
"""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .provenance import command, machine, now, settings, source_of

RESULT = "EVIDENCE_RESULT"

PASSED = "passed"
FAILED = "failed"
CRASHED = "crashed"
TIMED_OUT = "timed out"
NOT_RUN = "not run"
VERDICTS = (PASSED, FAILED, CRASHED, TIMED_OUT, NOT_RUN)

TAIL = 6000  # characters of a stage's output that are kept when it did not pass

class Stage(NamedTuple):
    name: str
    command: Sequence[str]
    seconds: float


class Evidence:
    """The evidence of one run, at ``path``.

    Args:
        path: the JSON file.
        subject: what was run, in words.
        root: the folder of the source tree; its commit, and whether it has changes, are noted.
        facts: more about the whole run, such as the device. Stages may add to it.
        seed: of the random numbers, where there is one.
        sources: folders and files under ``root`` whose contents are hashed, for a tree without its history.
    """

    def __init__(
        self,
        path: str | Path,
        subject: str,
        root: str | Path,
        facts: dict[str, Any] | None = None,
        seed: int | None = None,
        sources: Sequence[str] = (),
    ) -> None:
        self.path = Path(path)
        self.content: dict[str, Any] = {}
        self.content["subject"] = subject
        self.content["verdict"] = NOT_RUN
        self.content["date"] = now()
        self.content["command"] = command()
        self.content["seed"] = seed
        self.content["source"] = source_of(root, sources)
        self.content["machine"] = machine()
        self.content["settings"] = settings()
        self.content["facts"] = dict(facts or {})
        self.content["stages"] = []

    def run(
        self,
        stages: Sequence[Stage],
        budget: float,
        tell: Callable[[str], Any] = lambda text: None,
    ) -> str:
        """Run the stages in turn within ``budget`` seconds in all; the verdict of the whole.

        A result's "facts" are added to those of the run. A result that says ``"go_on": false`` is the last, since the
        stages after it make no sense without it.
        """
        started = time.monotonic()
        self.content["stages"] = [{"name": stage.name, "verdict": NOT_RUN} for stage in stages]
        self.write()
        for number, stage in enumerate(stages):
            left = budget - (time.monotonic() - started)
            if left < 1.0:
                self._end(number, {"verdict": NOT_RUN, "why": f"the run had used up its {budget:g} s"})
                continue
            result = run_stage(stage._replace(seconds=min(stage.seconds, left)))
            self._end(number, result)
            tell(summary(self.content["stages"][number]))
            if result.get("go_on") is False:
                break
        self.content["seconds"] = round(time.monotonic() - started, 3)
        self.write()
        return str(self.content["verdict"])

    def add(self, name: str, result: dict[str, Any]) -> None:
        """A stage that was run elsewhere, such as in this process."""
        self.content["stages"].append({"name": name})
        self._end(-1, result)

    def _end(self, number: int, result: dict[str, Any]) -> None:
        known = {name: value for name, value in result.items() if name != "facts"}
        if known.get("verdict") not in VERDICTS:
            raise ValueError("verdict: expected one of {}, got {!r}".format(VERDICTS, known.get("verdict")))
        self.content["facts"].update(result.get("facts", {}))
        self.content["stages"][number].update(known)
        self.write()

    def write(self) -> None:
        """Put it on the disk, with the verdict of the whole: passed if every stage has passed."""
        verdicts = [stage["verdict"] for stage in self.content["stages"]]
        if verdicts and all(verdict == PASSED for verdict in verdicts):
            self.content["verdict"] = PASSED
        elif any(verdict in (FAILED, CRASHED, TIMED_OUT) for verdict in verdicts):
            self.content["verdict"] = FAILED
        else:
            self.content["verdict"] = NOT_RUN
        write_json(self.path, self.content)


def run_stage(stage: Stage) -> dict[str, Any]:
    """Run one stage in a process of its own, and end every process that it started.

    A verdict of "passed" needs a result that says so and an exit status of 0.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "result.json")
        started = time.monotonic()
        with Path(folder, "output").open("w+b") as output:
            process = subprocess.Popen(
                list(stage.command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(os.environ, **{RESULT: str(place)}),
                start_new_session=True,
            )
            try:
                status: int | None = process.wait(timeout=stage.seconds)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                _end_group(process)
            output.seek(0)
            said = output.read().decode("utf-8", "replace")[-TAIL:]
        result: dict[str, Any] = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    result["seconds"] = round(time.monotonic() - started, 3)
    where = ", " + result["why"] if "why" in result else ""
    if status is None:
        result.update(verdict=TIMED_OUT, why=f"more than {stage.seconds:g} s{where}")
    elif "verdict" not in result:
        result.update(verdict=CRASHED, why=f"no result, exit status {_status(status)}")
    elif result["verdict"] == CRASHED:
        result.update(why=f"exit status {_status(status)}{where}")
    elif status != 0 and result["verdict"] == PASSED:
        result.update(verdict=CRASHED, why=f"passed, but then exit status {_status(status)}")
    if result["verdict"] != PASSED:
        result["output"] = said
    return result


def _end_group(process: Any) -> None:
    """Kill what is left of the process and its children, and wait for the process."""
    with contextlib.suppress(ProcessLookupError):  # the whole group has ended by itself
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _status(status: int) -> str:
    if status >= 0:
        return str(status)
    return f"{status} ({signal.Signals(-status).name})"


def write_result(verdict: str, **more: Any) -> None:
    """Writes what a stage has to say at its end; without a driver it is printed.

    ``facts`` are of the whole run, ``go_on=False`` ends it; anything else stays with the stage.
    """
    result = dict(more, verdict=verdict)
    place = os.environ.get(RESULT)
    if place:
        write_json(place, result)
    else:
        sys.stdout.write(json.dumps(plain(result), indent=2) + "\n")


def write_progress(where: str, **more: Any) -> None:
    """Writes what a stage has to say so far, in case it never ends; without a driver it does nothing."""
    place = os.environ.get(RESULT)
    if place:
        write_json(place, dict(more, verdict=CRASHED, why="in " + where))


def summary(stage: dict[str, Any]) -> str:
    """A stage in one line, and the reason in another where it did not pass."""
    line = "{:9s}  {:<40s}  {:6.1f} s".format(stage["verdict"], stage["name"], stage.get("seconds", 0.0))
    for name in ("why", "first_failure"):
        if stage.get(name):
            line += "\n           " + str(stage[name])
    return line


def write_json(path: str | Path, value: Any) -> None:
    """Write a JSON file so that a reader finds the old one or the new one, whole."""
    path = Path(path)
    text = json.dumps(plain(value), indent=2, allow_nan=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with half.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            half.unlink()
        raise


def plain(value: Any) -> Any:
    """Values of JSON for values of Python and NumPy; a number that JSON lacks becomes its name."""
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"expected a value that JSON can hold, got a {type(value).__name__}")
