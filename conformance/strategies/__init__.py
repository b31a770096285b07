"""What the properties draw: cases of every shape a call can have, and variants of them; it knows no implementation
and no answer.
"""

from conformance.strategies.arrays import (
    COMPLEX,
    DTYPES,
    FLOATS,
    INTEGERS,
    NUMBERS,
    STRING,
    fractions,
    noise,
    small,
    wild,
)
from conformance.strategies.builtin import KINDS, PLAIN, builtin_case, builtin_cases, spec_case, weight_shapes
from conformance.strategies.derive import (
    argument,
    batch_major,
    by_keyword,
    frame_sizes,
    is_time_major,
    one_row,
    other_layout,
    repeated,
    steps_of_rows,
    take_rows,
    the_call,
    time_slice,
    with_arguments,
    with_call,
    with_lengths,
    with_options,
    with_padding,
    with_positional,
    with_scopes,
    with_state,
    without,
)
from conformance.strategies.frame import CELL, Frame, call_of, case_of, choice, frames, knob
from conformance.strategies.lengths import (
    ALL_ZERO,
    ANY,
    EARLY,
    FULL,
    LONG,
    NEGATIVE,
    NONE,
    RAGGED,
    SHORTENING,
    VALID,
    ZERO,
)
from conformance.strategies.probes import (
    affine_case,
    affine_cases,
    echo_case,
    echo_cases,
    last_input_case,
    last_input_cases,
    members,
    scalar_counter_case,
    scalar_counter_cases,
    state_rows,
    tally_case,
    tally_cases,
)
from conformance.strategies.structures import (
    CONTAINERS,
    INPUT_SHAPES,
    RANK_TWO_SHAPES,
    SIZES,
    TUPLES,
    flat_tuples,
    nests,
    structures,
)
from conformance.strategies.wrong import WRONG, WrongArgument, wrong_arguments, wrong_cases

__all__ = [
    "ALL_ZERO", "ANY", "CELL", "COMPLEX", "CONTAINERS", "DTYPES", "EARLY", "FLOATS", "FULL", "INPUT_SHAPES",
    "INTEGERS", "KINDS", "LONG", "NEGATIVE", "NONE", "NUMBERS", "PLAIN", "RAGGED", "RANK_TWO_SHAPES", "SHORTENING",
    "SIZES", "STRING", "TUPLES", "VALID", "WRONG", "ZERO", "Frame", "WrongArgument", "affine_case", "affine_cases",
    "argument", "batch_major", "builtin_case", "builtin_cases", "by_keyword", "call_of", "case_of", "choice",
    "echo_case", "echo_cases", "flat_tuples", "fractions", "frame_sizes", "frames", "is_time_major", "knob",
    "last_input_case", "last_input_cases", "members", "nests", "noise", "one_row", "other_layout", "repeated",
    "scalar_counter_case", "scalar_counter_cases", "small", "spec_case", "state_rows", "steps_of_rows",
    "structures", "take_rows", "tally_case", "tally_cases", "the_call", "time_slice", "weight_shapes", "wild",
    "with_arguments", "with_call", "with_lengths", "with_options", "with_padding", "with_positional", "with_scopes",
    "with_state", "without", "wrong_arguments", "wrong_cases",
]  # fmt: skip
