"""Keeps copies of variables on the device, for cells that read them there.

A variable's value is kept on the host by dynamic_rnn_spec. It is uploaded once for each value, device and stream.
"""

from collections import OrderedDict
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, WeakSet

from dynamic_rnn_spec import Variable
from dynamic_rnn_spec.vocabulary.variable_scope import WEIGHT_READERS

from .arrays import enter
from .device import current_device


class _Copy(NamedTuple):
    """A value of a variable, and the copy of it on a device."""

    value: Any
    array: Any


COPIES = 4
"""How many streams have a copy of a variable at once; where more of them read it, the one that has not read it for the
longest has to upload it again."""


class _Copies:
    """The copies on one device, by variable and stream; the device keeps them, and they end with it."""

    def __init__(self) -> None:
        self.of: WeakKeyDictionary[Variable, OrderedDict[Any, _Copy]] = WeakKeyDictionary()


_ALL: "WeakSet[_Copies]" = WeakSet()


def read_on_device(variable: Variable, like: Any) -> Any:
    """The value of a variable as an array of the device, uploaded when it is first read there and when it changes.

    Each stream has a copy of its own: a copy is written in the order of its stream and needs no event.
    """
    device = current_device()
    queue = device.queue_of(device.current_stream())
    copies = device.kept.get("copies")
    if copies is None:
        copies = device.kept.setdefault("copies", _Copies())
        _ALL.add(copies)
    by_stream = copies.of.setdefault(variable, OrderedDict())
    known = by_stream.pop(queue, None)
    # Every new value is a new array; its version alone misses a value that was taken back.
    if known is None or known.value is not variable.value:
        known = _Copy(variable.value, enter(device, variable.value))
    by_stream[queue] = known
    while len(by_stream) > COPIES:
        by_stream.popitem(last=False)
    return known.array


def forget_copies() -> None:
    """Give the device back what copies of variables take there; each is uploaded again when it is next read."""
    for copies in list(_ALL):
        copies.of.clear()


WEIGHT_READERS["cupy"] = read_on_device
WEIGHT_READERS["impl_gpu"] = read_on_device
