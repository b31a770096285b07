"""Tests what counts as an array."""

import numpy as np

from impl_ref.arrays import is_array, read_only


def test_arrays_and_numpy_scalars_are_arrays_and_python_s_are_not() -> None:
    assert is_array(np.zeros(2))
    assert is_array(np.float32(1))
    assert not any(is_array(value) for value in (1.0, [1.0], None, memoryview(b"a")))


def test_a_read_only_view_shares_memory_and_leaves_the_array_writable() -> None:
    array = np.zeros(2)
    view = read_only(array)
    assert np.shares_memory(view, array)
    assert (view.flags.writeable, array.flags.writeable) == (False, True)
    assert read_only(np.float32(1)) == 1
