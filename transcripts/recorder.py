"""Writing one consultation while it happens: events, token streams with their timing, and how it ended.

Knows nothing of SQLite: it is handed a function that queues an event until it is durable, and stops for good the
first time that one cannot be. `record` waits for the disk; asyncio code may call it directly or in a thread.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

from pydantic import BaseModel, ConfigDict, NonNegativeInt

from transcripts.consultation import Outcome, Status
from transcripts.errors import EventRefused, TranscriptUnwritable
from transcripts.event import Body, Event, EventKind, Instant

_FLUSH_EVERY = 500  # milliseconds of stream time in one event: what a power cut may take of a stream

_CANCELLATIONS = (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit)


class StreamPart(BaseModel):
    """The body of a `stream` event. A chunk is (milliseconds since `started`, text); `stream` numbers the
    streams of a consultation from 0, and all chunks of one number in order are the whole text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stream: NonNegativeInt
    agent: str
    role: str
    started: Instant
    chunks: tuple[tuple[NonNegativeInt, str], ...]


class Append(Protocol):
    """Queues an event. What it returns has the event once that is durable, or the TranscriptError.

    `stopped` is asked just before the event would be written; what it returns stops it.
    """

    def __call__(
        self, kind: EventKind, body: Body, stopped: Callable[[], TranscriptUnwritable | None]
    ) -> Future[Event]: ...


class Recorder:
    """The one writer of a running consultation; all methods may be called from any thread or task.

    As a context manager it records how the block ended: finished, cancelled, or failed with its error,
    which is raised again.
    """

    def __init__(self, consultation_id: str, append: Append, release: Callable[[], None]) -> None:
        self.consultation_id = consultation_id
        self._append = append
        self._release = release
        self._lock = threading.Lock()
        self._streams: list[StreamRecorder] = []
        self._ended = False
        self._failure: TranscriptUnwritable | None = None
        self._last: Body = {}
        self._waited = 0.0

    def record(self, kind: EventKind, body: Body) -> Event:
        """Append one event and return it once it is on the disk.

        Raises TranscriptUnwritable, then and for every later call, when it cannot be; EventRefused when the
        body is not JSON or the consultation has ended.
        """
        if kind is EventKind.FINISHED:
            raise EventRefused("the finished event was not recorded because it ends the consultation; call finish()")
        begun = time.perf_counter()
        with self._lock:
            written = self._queue(kind, body)
        # Others may queue theirs meanwhile, to be written together.
        event = self._durable(written)
        self._spent(begun)
        return event

    def stream(self, agent: str, role: str = "", *, clock: Callable[[], float] = time.monotonic) -> "StreamRecorder":
        """Open a token stream that starts now; `clock` counts its seconds."""
        with self._lock:
            stream = StreamRecorder(self._later, self._spent, len(self._streams), agent, role, clock)
            self._streams.append(stream)
        return stream

    def at_the_end(self, body: Body) -> None:
        """What the last event shall say beside the status."""
        self._last = body

    def finish(self, status: Outcome = Status.FINISHED) -> None:
        """Write what open streams still hold, then the last event; the first call decides, later ones do nothing."""
        for stream in tuple(self._streams):
            stream.close()
        with self._lock:
            if not self._ended:
                cost = {"record_seconds": self._waited}
                self._durable(self._queue(EventKind.FINISHED, {**self._last, **cost, "status": status.value}))
                self._ended = True
                self._release()

    def _spent(self, begun: float) -> None:
        """Count the seconds since `begun`, for which the case waited for its record."""
        with self._lock:
            self._waited += time.perf_counter() - begun

    def _later(self, kind: EventKind, body: Body) -> Callable[[], Event]:
        """Queue an event; what is returned waits until it is durable."""
        with self._lock:
            written = self._queue(kind, body)
        return lambda: self._durable(written)

    def _queue(self, kind: EventKind, body: Body) -> Future[Event]:
        if self._failure:
            raise TranscriptUnwritable(self._failure.reason) from self._failure
        if self._ended:
            raise EventRefused(f"the {kind} event was not recorded because the consultation has ended; begin a new one")
        try:
            written = self._append(kind, body, lambda: self._failure)
        except TranscriptUnwritable as failure:
            self._stop(failure)
            raise
        # Run by the writer before it turns to the next events, so that none follows one that is missing.
        written.add_done_callback(self._note)
        return written

    def _durable(self, written: Future[Event]) -> Event:
        try:
            return written.result()
        except TranscriptUnwritable as failure:
            self._stop(failure)
            raise

    def _note(self, written: Future[Event]) -> None:
        failure = written.exception()
        if isinstance(failure, TranscriptUnwritable):
            self._failure = self._failure or failure

    def _stop(self, failure: TranscriptUnwritable) -> None:
        self._failure = self._failure or failure
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not (self._failure or self._ended):
                self._conclude(error)
        finally:
            self._release()

    def _conclude(self, error: BaseException | None) -> None:
        if error is None:
            self.finish(Status.FINISHED)
        elif isinstance(error, _CANCELLATIONS):
            self.record(EventKind.CANCELLED, {"type": type(error).__name__})
            self.finish(Status.CANCELLED)
        else:
            self.record(EventKind.ERROR, {"type": type(error).__name__, "message": str(error)})
            self.finish(Status.FAILED)


class StreamRecorder:
    """Collects the chunks of one stream and records them every half second of it, and the rest when closed.

    Whoever streams waits for the disk only when it is half a second behind, and when the stream is closed.
    """

    def __init__(
        self,
        record: Callable[[EventKind, Body], Callable[[], Event]],
        spent: Callable[[float], None],
        number: int,
        agent: str,
        role: str,
        clock: Callable[[], float],
    ) -> None:
        self._record = record
        self._spent = spent
        self._number = number
        self._agent = agent
        self._role = role
        self._clock = clock
        self._started = datetime.now(UTC)
        self._start = clock()
        self._flushed = 0
        self._chunks: list[tuple[int, str]] = []
        self._durable: Callable[[], Event] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def add(self, text: str) -> None:
        """Take the next chunk; raises what `Recorder.record` raises, and EventRefused once closed."""
        begun = time.perf_counter()
        with self._lock:
            if self._closed:
                raise EventRefused(
                    f"the chunk of {self._agent} was not recorded because its stream is closed; open another"
                )
            now = round((self._clock() - self._start) * 1000)
            if text:
                self._chunks.append((now, text))
            if now - self._flushed >= _FLUSH_EVERY:
                self._flush()
                self._flushed = now
        self._spent(begun)

    def close(self) -> None:
        """Record what is left and wait until all is durable; closing twice does nothing.

        Raises what `Recorder.record` raises.
        """
        begun = time.perf_counter()
        with self._lock:
            self._flush()
            self._confirm()
            self._closed = True
        self._spent(begun)

    def _confirm(self) -> None:
        if self._durable:
            self._durable()
            self._durable = None

    def _flush(self) -> None:
        if self._chunks:
            self._confirm()
            part = StreamPart(
                stream=self._number,
                agent=self._agent,
                role=self._role,
                started=self._started,
                chunks=tuple(self._chunks),
            )
            self._durable = self._record(EventKind.STREAM, part.model_dump(mode="json"))
            self._chunks.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
