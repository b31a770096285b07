"""Times the reference for several numbers of steps, with TensorFlow 1.4.1 beside it where that is installed.

``python -m impl_ref.bench`` runs an LSTMCell forward for several T and fits a line through the medians. With
``--tensorflow14 PYTHON``, an interpreter that has TensorFlow 1.4.1, the same network runs there in turn with ours,
in a process that waits idle between its turns. Both keep their own default numbers of threads. Each time is one
whole call, from NumPy arrays to NumPy arrays.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .cells import LSTMCell
from .dynamic_rnn import dynamic_rnn

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that change a library's number of threads; the report tells which are set."""

TENSORFLOW_PROGRAM = """
import json, sys, time
import numpy as np
import tensorflow as tf

tf.logging.set_verbosity(tf.logging.ERROR)
batch, depth, units = map(int, sys.argv[1:4])
x = tf.placeholder(tf.float32, [batch, None, depth])
fetched = tf.nn.dynamic_rnn(tf.nn.rnn_cell.LSTMCell(units), x, dtype=tf.float32)
session = tf.Session()
session.run(tf.global_variables_initializer())
versions = {"tensorflow": tf.__version__, "numpy": np.__version__, "python": sys.version.split()[0]}
print(json.dumps(versions), flush=True)
for line in sys.stdin:
    value = np.random.RandomState(0).standard_normal((batch, int(line), depth)).astype(np.float32)
    start = time.perf_counter()
    session.run(fetched, {x: value})
    print(time.perf_counter() - start, flush=True)
"""
"""What runs in TensorFlow's interpreter: a line with T in, a line with seconds out."""


class BenchError(RuntimeError):
    """The other interpreter could not be run."""


class TensorFlow14:
    """The network in TensorFlow 1.4.1, in a process of its own."""

    def __init__(self, python: str, batch: int, depth: int, units: int) -> None:
        command = [python, "-W", "ignore", "-c", TENSORFLOW_PROGRAM, str(batch), str(depth), str(units)]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        environment.pop("PYTHONPATH", None)
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
            )
        except OSError as error:
            raise BenchError(f"can't start {python}: {error.strerror}") from error
        self.versions: dict[str, str] = json.loads(self._line())

    def seconds(self, steps: int) -> float:
        """The time of one call with T = ``steps``."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{steps}\n")
        self._process.stdin.flush()
        return float(self._line())

    def close(self) -> None:
        """End the process: the end of its input tells it to."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise BenchError(f"TensorFlow 1.4.1 ended with status {self._process.returncode}")
        return line


def reference(batch: int, depth: int, units: int) -> Callable[[int], float]:
    """A function that gives the time of one call of the reference with that many steps."""
    cell = LSTMCell(units)

    def seconds(steps: int) -> float:
        x = np.random.RandomState(0).standard_normal((batch, steps, depth)).astype(np.float32)
        start = time.perf_counter()
        dynamic_rnn(cell, x, dtype=np.float32)
        return time.perf_counter() - start

    return seconds


def measure(
    sides: dict[str, Callable[[int], float]], steps: Sequence[int], repeats: int
) -> dict[str, dict[int, list[float]]]:
    """Times by side and T, the sides taking turns, after one call of each that does not count."""
    times: dict[str, dict[int, list[float]]] = {name: {T: [] for T in steps} for name in sides}
    for T in steps:
        for seconds in sides.values():
            seconds(T)
        for _ in range(repeats):
            for name, seconds in sides.items():
                times[name][T].append(seconds(T))
    return times


def fit(medians: dict[int, float]) -> dict[str, float]:
    """The line ``seconds = start + per_step * T`` by least squares, and the share of the variance that it explains."""
    T, seconds = np.array(list(medians), float), np.array(list(medians.values()))
    per_step, start = np.polyfit(T, seconds, 1)
    unexplained = float(np.sum((seconds - start - per_step * T) ** 2))
    explained = 1 - unexplained / float(np.sum((seconds - seconds.mean()) ** 2))
    return {"start": float(start), "per_step": float(per_step), "r_squared": explained}


def report(options: argparse.Namespace) -> dict[str, Any]:
    """Run the benchmark; the result is what ``--out`` writes."""
    sizes = (options.batch, options.depth, options.units)
    sides: dict[str, Callable[[int], float]] = {"impl_ref": reference(*sizes)}
    versions: dict[str, Any] = {"impl_ref": {"numpy": np.__version__, "python": platform.python_version()}}
    other = None if options.tensorflow14 is None else TensorFlow14(options.tensorflow14, *sizes)
    try:
        if other is not None:
            sides["tensorflow14"], versions["tensorflow14"] = other.seconds, other.versions
        times = measure(sides, options.steps, options.repeats)
    finally:
        if other is not None:
            other.close()
    medians = {name: {T: float(np.median(found)) for T, found in by_T.items()} for name, by_T in times.items()}
    result: dict[str, Any] = {
        "network": {"cell": "LSTMCell", "batch": sizes[0], "depth": sizes[1], "units": sizes[2], "dtype": "float32"},
        "machine": {"cores": os.cpu_count(), "system": platform.system(), "processor": platform.machine()},
        "threads": {name: os.environ.get(name, "default") for name in THREADS},
        "versions": versions,
        "repeats": options.repeats,
        "seconds": times,
        "median_seconds": medians,
        "fit": {name: fit(by_T) for name, by_T in medians.items()},
    }
    if other is not None:
        result["ratio"] = {T: medians["impl_ref"][T] / medians["tensorflow14"][T] for T in options.steps}
    return result


def show(result: dict[str, Any]) -> str:
    """The result as text."""
    network, medians = result["network"], result["median_seconds"]
    setup = "LSTMCell, batch {batch}, depth {depth}, {units} units, float32, forward".format(**network)
    threads = ", ".join(f"{name} {value}" for name, value in result["threads"].items())
    lines = [setup, f"{result['machine']['cores']} cores; threads: {threads}"]
    lines += [
        f"{name}: " + ", ".join(f"{k} {v}" for k, v in found.items()) for name, found in result["versions"].items()
    ]
    lines += [
        "",
        "".join(f"{head:>18}" for head in ["T", *(f"{name} ms" for name in medians), *["ratio"][: "ratio" in result]]),
    ]
    for T in medians["impl_ref"]:
        row = [str(T), *(f"{1e3 * by_T[T]:.2f}" for by_T in medians.values())]
        row += [f"{result['ratio'][T]:.2f}"] if "ratio" in result else []
        lines.append("".join(f"{cell:>18}" for cell in row))
    for name, line in result["fit"].items():
        start, per_step, r_squared = 1e3 * line["start"], 1e3 * line["per_step"], line["r_squared"]
        lines.append(f"{name}: {start:.2f} ms + {per_step:.4f} ms * T, R^2 = {r_squared:.4f}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0, or 2 when the other interpreter could not be run."""
    parser = argparse.ArgumentParser(prog="python -m impl_ref.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, nargs="+", default=[25, 50, 100, 200, 400], metavar="T")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--depth", type=int, default=128)
    parser.add_argument("--units", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--tensorflow14", metavar="PYTHON", help="an interpreter that has TensorFlow 1.4.1")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the times as JSON")
    options = parser.parse_args(arguments)
    try:
        result = report(options)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    print(show(result))
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
