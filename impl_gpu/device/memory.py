"""How much device memory is in use, and the error when there is no more; it refuses to allocate any.

What counts is what a pool ordered by streams counts: a buffer is in use from the call that allocates it until the last
reference to it goes, however far the streams have got by then, and in whole units of UNIT bytes.
"""

import threading

UNIT = 512
"""Bytes; CuPy's pool hands out memory in multiples of it."""

UNLIMITED = 2**62
"""What is free where nobody has set a limit."""


class OutOfDeviceMemory(MemoryError):  # noqa: N818  (as MemoryError: the name says that it is one)
    """The device has not as much memory left as was asked for.

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


class Meter:
    """Counts the buffers of one device. Buffers die in any thread, and while another call of the meter runs."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._live = 0
        self._peak = 0

    @property
    def live(self) -> int:
        return self._live

    @property
    def peak(self) -> int:
        return self._peak

    def take(self, nbytes: int) -> None:
        """A buffer of that size has been allocated."""
        taken = rounded(nbytes)  # not below: a buffer that dies between the load and the store would be lost
        with self._lock:
            self._live += taken
            self._peak = max(self._peak, self._live)

    def give_back(self, nbytes: int) -> None:
        """A buffer of that size has died."""
        given = rounded(nbytes)
        with self._lock:
            self._live -= given

    def reset_peak(self) -> None:
        """The peak is counted from what is in use now."""
        with self._lock:
            self._peak = self._live
