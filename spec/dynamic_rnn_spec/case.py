"""Exports cases, outcomes and the values in them: immutable, and converted to and from JSON that any language can
read."""

from .wire.case import BUILT_IN, FORMAT_VERSION, KINDS, PARAMETERS, PROBES, Call, Case, CellSpec, Cotangents
from .wire.outcome import Answer, Outcome, Raised, VariableRecord
from .wire.values import (
    CellRef,
    DType,
    FormatError,
    Function,
    Record,
    Scope,
    Wrong,
    decode,
    dumps,
    encode,
    namedtuple_type,
)

__all__ = [
    "BUILT_IN",
    "FORMAT_VERSION",
    "KINDS",
    "PARAMETERS",
    "PROBES",
    "Answer",
    "Call",
    "Case",
    "CellRef",
    "CellSpec",
    "Cotangents",
    "DType",
    "FormatError",
    "Function",
    "Outcome",
    "Raised",
    "Record",
    "Scope",
    "VariableRecord",
    "Wrong",
    "decode",
    "dumps",
    "encode",
    "namedtuple_type",
]
