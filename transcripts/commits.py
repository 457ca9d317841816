"""Group commit: all events that wait while the disk is busy become durable together, by one wait for the disk.

Knows nothing of SQL. Each event is acknowledged by itself, and only once it is durable.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from transcripts.clock import Clock, system_clock
from transcripts.errors import TranscriptError, TranscriptUnwritable
from transcripts.event import Event, EventKind, JsonBody

_CLOSED = "the transcript was closed; open it again and start the case again"


@dataclass(frozen=True)
class Waiting:
    """An event that is not yet durable. When its turn comes `stopped` is asked: the failure of its consultation, if
    an earlier event of it could not be written; and `clock`, which may raise TranscriptUnwritable."""

    consultation: str
    kind: EventKind
    body: JsonBody
    stopped: Callable[[], TranscriptUnwritable | None]
    clock: Clock = system_clock
    written: Future[Event] = field(default_factory=Future)


class GroupCommit:
    """Hands what waits to `write`, one group at a time, in the order of arrival.

    `write` makes the group durable and returns what became of each, in order; where it raises, none was written.
    `afterwards` is called when they were acknowledged.
    """

    def __init__(
        self, write: Callable[[Sequence[Waiting]], Sequence[Event | TranscriptError]], afterwards: Callable[[], None]
    ) -> None:
        self._write = write
        self._afterwards = afterwards
        self._lock = threading.Lock()
        self._queue: list[Waiting] = []
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="transcript")

    def add(self, waiting: Waiting) -> Future[Event]:
        """Queue an event; its future has the event or a TranscriptError. Raises TranscriptUnwritable once closed."""
        with self._lock:
            self._queue.append(waiting)
        try:
            self._writer.submit(self._commit)
        except RuntimeError as error:
            raise TranscriptUnwritable(_CLOSED) from error
        return waiting.written

    def close(self) -> None:
        """Write what waits and take nothing more."""
        self._writer.shutdown()

    def _commit(self) -> None:
        with self._lock:
            group, self._queue = self._queue, []
        # Whoever came while the last group was written has been taken with it.
        if group:
            self._settle(group)
            self._afterwards()

    def _settle(self, group: Sequence[Waiting]) -> None:
        outcomes: Sequence[Event | BaseException]
        try:
            outcomes = self._write(group)
        except BaseException as failure:
            outcomes = [failure] * len(group)
        for waiting, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                waiting.written.set_exception(outcome)
            else:
                waiting.written.set_result(outcome)
