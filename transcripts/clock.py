"""The time of the events of one running case, which never goes back.

A clock that was set back makes the record useless as evidence, so the case stops. Knows nothing of events.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from transcripts.errors import TranscriptUnwritable

Clock = Callable[[], datetime]

_SLEW = timedelta(seconds=1)  # by which a time server may set a clock right without anyone being misled
_MADE = datetime(2026, 11, 1, tzinfo=UTC)  # no case was argued with this product before


def system_clock() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)


class CaseClock:
    """Asked for the time of each event of one case, in their order. Raises TranscriptUnwritable, also at its making,
    for a clock that cannot be right."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.started = self._last = clock()
        if self.started < _MADE:
            raise TranscriptUnwritable(
                f"the clock of this machine says {self.started:%Y-%m-%d %H:%M} UTC, which cannot be; set it and start "
                "the case again"
            )

    def __call__(self) -> datetime:
        """Now, or the time of the event before where the clock was set back by less than a second."""
        now = self._clock()
        if now < self._last - _SLEW:
            raise TranscriptUnwritable(
                f"the clock of this machine went back from {self._last:%Y-%m-%d %H:%M:%S} to {now:%Y-%m-%d %H:%M:%S} "
                "UTC; set it and start the case again"
            )
        self._last = max(now, self._last)
        return self._last
