"""Serves TensorFlow 1.4.1 over a pipe, as a script for Python 3.6.

``python3.6 -W ignore conformance/subject/workers/tensorflow14.py`` needs NumPy and TensorFlow 1.4.1 in that Python. It
finds ``dynamic_rnn_spec`` beside itself and never imports the package that it lies in, which is for another Python. The
protocol is that of ``dynamic_rnn_spec.worker``. Exit status 3: TensorFlow cannot be imported.
"""

import gc
import importlib
import importlib.util
import os
import sys
from pathlib import Path

MISSING = 3
"""The exit status when this interpreter has no TensorFlow."""


def find_specification() -> None:
    """Make ``dynamic_rnn_spec`` importable, and nothing else that lies beside it.

    Raises:
        ImportError: it is neither in a checkout's ``spec`` nor beside the package ``conformance``.
    """
    root = Path(__file__).resolve().parents[3]
    for source in (root / "spec" / "dynamic_rnn_spec", root / "dynamic_rnn_spec"):
        spec = importlib.util.spec_from_file_location(
            "dynamic_rnn_spec", str(source / "__init__.py"), submodule_search_locations=[str(source)]
        )
        if (source / "__init__.py").is_file() and spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            sys.modules["dynamic_rnn_spec"] = module
            spec.loader.exec_module(module)
            return
    raise ImportError("no dynamic_rnn_spec in {}".format(root))


def main() -> int:
    """Import TensorFlow with stdout, the pipe, out of its reach; then answer cases until the input ends."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    pipe = os.dup(1)
    os.dup2(2, 1)
    try:
        tensorflow = importlib.import_module("tensorflow")
    except ImportError as error:
        sys.stderr.write("TensorFlow cannot be imported: {}\n".format(error))
        return MISSING
    sys.stdout.flush()
    os.dup2(pipe, 1)
    os.close(pipe)
    tensorflow.logging.set_verbosity(tensorflow.logging.FATAL)
    gc.set_threshold(100000, 10, 50)  # a graph becomes garbage all at once, and walking TensorFlow's heap is slow
    find_specification()
    served = importlib.import_module("tf14.adapter").TensorFlow14()
    return int(importlib.import_module("dynamic_rnn_spec.worker").serve(served))


if __name__ == "__main__":
    sys.exit(main())
