"""Defines the cases that are recorded on TensorFlow 1.4.1, by section."""

from collections.abc import Sequence

from conformance.vectors.cases import (
    builtin,
    calls,
    cells,
    gradients,
    inputs,
    lengths,
    refused,
    scopes,
    sizes,
    states,
    variables,
    wrappers,
)
from conformance.vectors.cases.making import Definition, Like, Overruled, Refused

__all__ = ["SECTIONS", "Definition", "Like", "Overruled", "Refused", "definitions"]

SECTIONS = {
    "calls": calls.definitions,
    "cells": cells.definitions,
    "inputs": inputs.definitions,
    "lengths": lengths.definitions,
    "states": states.definitions,
    "sizes": sizes.definitions,
    "scopes": scopes.definitions,
    "builtin": builtin.definitions,
    "wrappers": wrappers.definitions,
    "variables": variables.definitions,
    "refused": refused.definitions,
    "gradients": gradients.definitions,
}


def definitions(section: str) -> Sequence[Definition]:
    """The cases of one section, in the order in which they are written."""
    return list(SECTIONS[section]())
