"""Offers the reference to the conformance suite: it takes a case, runs it and returns the outcome."""

import numpy as np

import impl_ref
from dynamic_rnn_spec.adapter import PythonAdapter


def implementation() -> PythonAdapter:
    """The entry point of the group ``dynamic_rnn.implementations``."""
    versions = {"numpy": np.__version__}
    return PythonAdapter(
        "impl_ref",
        dynamic_rnn=impl_ref.dynamic_rnn,
        cells=impl_ref,
        versions=versions,
        dynamic_rnn_vjp=impl_ref.dynamic_rnn_vjp,
    )
