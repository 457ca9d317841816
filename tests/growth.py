"""Does work grow with the length of a text, or with its square? Told by ratios: machines are slow in different ways."""

import time
from collections.abc import Callable


def is_linear(work: Callable[[str], object], unit: str, size: int) -> bool:
    """Whether `size` bytes of a unit over and over take less than 24 times the processor time of an eighth of them.

    Linear work takes 8 times as long, quadratic work 64 times.
    """
    short, long = _repeated(unit, size // 8), _repeated(unit, size)
    work(unit)  # reads what is read once
    return _seconds(work, long) < 24 * max(_seconds(work, short), 0.002)


def _repeated(unit: str, size: int) -> str:
    return (unit * (size // len(unit.encode()) + 1)).encode()[:size].decode("utf-8", "ignore")


def _seconds(work: Callable[[str], object], text: str) -> float:
    """Processor time, the best of three: other jobs on the machine only ever add to it."""

    def once() -> float:
        started = time.process_time()
        work(text)
        return time.process_time() - started

    return min(once() for _ in range(3))
