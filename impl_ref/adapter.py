"""The reference as an implementation of the contract: what turns a case into an outcome; it knows nothing of clauses or suites."""

import numpy as np

import impl_ref
from dynamic_rnn_spec.adapter import PythonAdapter


def implementation() -> PythonAdapter:
    """The entry point of the group ``dynamic_rnn.implementations``."""
    return PythonAdapter("impl_ref", dynamic_rnn=impl_ref.dynamic_rnn, cells=impl_ref, versions={"numpy": np.__version__})
