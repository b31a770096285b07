"""Counts how much device memory is in use, and defines the error for when there is no more.

What counts is what a pool ordered by streams counts: a buffer is in use from the call that allocates it until the last
reference to it goes, however far the streams have got by then, and in whole units of UNIT bytes.
"""

import contextlib
import threading
from collections.abc import Iterator

UNIT = 512
"""Bytes; CuPy's pool hands out memory in multiples of it."""

UNLIMITED = 2**62
"""What is free where nobody has set a limit."""


class OutOfDeviceMemory(MemoryError):  # noqa: N818  (as MemoryError: the name says that it is one)
    """The device does not have as much memory left as was asked for.

    ``wanted`` and ``had`` are bytes, ``purpose`` says what for, and ``advice`` what would help, or "".
    """

    def __init__(self, wanted: int, had: int, purpose: str, advice: str = "") -> None:
        self.wanted = wanted
        self.had = had
        self.purpose = purpose
        self.advice = advice
        said = f"{purpose}: wanted {wanted} bytes of device memory, {had} are left"
        super().__init__(f"{said}; {advice}" if advice else said)


def rounded(nbytes: int) -> int:
    """The bytes that a pool takes for a buffer of that size."""
    return -(-nbytes // UNIT) * UNIT


class Peak:
    """The most device memory that was in use at a time, in bytes, while a meter was watched."""

    __slots__ = ("nbytes",)

    def __init__(self) -> None:
        self.nbytes = 0


class Meter:
    """Counts the buffers of one device. Buffers die in any thread, and while another call of the meter runs."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._live = 0
        self._watching: list[Peak] = []

    @property
    def live(self) -> int:
        return self._live

    @contextlib.contextmanager
    def watched(self, peak: Peak) -> Iterator[None]:
        """Within the block ``peak`` rises with what is in use; any number of peaks may, in any thread."""
        with self._lock:
            self._watching.append(peak)
            peak.nbytes = max(peak.nbytes, self._live)
        try:
            yield
        finally:
            with self._lock:
                self._watching.remove(peak)

    def take(self, nbytes: int) -> None:
        """A buffer of that size has been allocated."""
        taken = rounded(nbytes)  # not below: a buffer that dies between the load and the store would be lost
        with self._lock:
            self._live += taken
            for peak in self._watching:
                peak.nbytes = max(peak.nbytes, self._live)

    def give_back(self, nbytes: int) -> None:
        """A buffer of that size has died."""
        given = rounded(nbytes)
        with self._lock:
            self._live -= given
