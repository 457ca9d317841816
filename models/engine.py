"""The engine: one worker process for one GGUF, spoken to in messages from any event loop or thread.

`generate` streams text and ends with figures; closing the stream stops the model. If the worker dies, its running
generations get EngineCrashed and the next one starts a new worker. Knows nothing of chat messages or agents.
"""

import asyncio
import contextlib
import itertools
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from statistics import median

from pydantic import JsonValue, ValidationError
from pydantic_core import PydanticSerializationError

from models import errors
from models.chat_template import Segment
from models.errors import EngineBusy, EngineCrashed, EngineError, ModelError, WeightsAltered
from models.files import Seen
from models.memory import require_memory
from models.protocol import (
    EVENT,
    Command,
    Count,
    Counted,
    EngineSettings,
    Event,
    Failed,
    Finished,
    Forget,
    Generate,
    Load,
    Piece,
    Ready,
    Sampling,
    Stop,
)
from models.weights import CheckedWeights

_SHUTDOWN_S = 5.0
_RECENT = 32  # generations from which the wait is guessed
_MINUTE_S = 90.0
_USUAL_S = 15.0  # before there was any
_CODE = str(Path(__file__).parent.parent)


class _Reply:
    """Delivers one event to the thread that waits for it."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Event | EngineCrashed] = queue.SimpleQueue()

    def deliver(self, event: Event | EngineCrashed) -> None:
        """From any thread."""
        self._events.put(event)

    def wait(self) -> Event:
        """The event. Raises what the worker reported."""
        return _checked(self._events.get())


class _Subscription:
    """Delivers one generation's events to the loop that asked for them."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Event | EngineCrashed] = asyncio.Queue()

    def deliver(self, event: Event | EngineCrashed) -> None:
        """From any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has closed, so nobody listens any more
            self._loop.call_soon_threadsafe(self._queue.put_nowait, event)

    async def next(self) -> Event:
        """The next event. Raises what the worker reported."""
        return _checked(await self._queue.get())


def _checked(event: Event | EngineCrashed) -> Event:
    if isinstance(event, EngineCrashed):
        raise event
    if isinstance(event, Failed):
        raise _typed(event)
    return event


def _typed(failed: Failed) -> ModelError:
    kind: type[ModelError] = getattr(errors, failed.error)
    return kind(failed.message)


class _Worker:
    """A running worker process and the subscriptions of its generations."""

    def __init__(self, path: Path, settings: EngineSettings, cache: Path | None, sha256: str) -> None:
        self.sha256 = sha256
        self._process = subprocess.Popen(
            # Not from the current directory, where weights lie in a `models/` and foreign code may.
            [sys.executable, "-P", "-m", "models.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        self._lock = threading.Lock()
        self._subscriptions: dict[int, _Subscription | _Reply] = {}
        self.alive = True
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self.ready = self._load(path, settings, cache)
        self._listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> int:
        """Generations that wait or speak."""
        return sum(isinstance(s, _Subscription) for s in list(self._subscriptions.values()))

    def _load(self, path: Path, settings: EngineSettings, cache: Path | None) -> Ready:
        self.send(Load(path=str(path), settings=settings, cache=str(cache) if cache else None))
        assert self._process.stdout is not None
        event: Event | None = None
        with contextlib.suppress(ValidationError):  # nothing, or half a line
            event = EVENT.validate_json(self._process.stdout.readline())
        if isinstance(event, Ready):
            return event
        self._listener.start()
        self.close()
        if isinstance(event, Failed):
            raise _typed(event)
        raise EngineCrashed(f"The model's process ended while opening {path.name}; verify the weights and try again.")

    def send(self, command: Command) -> None:
        """Write a command. A worker that cannot be told anything is ended, and its listener tells who waits.

        Raises EngineError where the command cannot be written down.
        """
        line = _line(command)
        stdin = self._process.stdin
        assert stdin is not None
        try:
            with self._lock:
                stdin.write(line)
                stdin.flush()
        except (OSError, ValueError):
            self.alive = False
            self._process.kill()

    def subscribe(self, id: int, subscription: _Subscription | _Reply) -> None:
        self._subscriptions[id] = subscription
        if not self.alive:
            subscription.deliver(_crashed())

    def unsubscribe(self, id: int) -> None:
        self._subscriptions.pop(id, None)

    def _listen(self) -> None:
        try:
            self._deliver_events()
        finally:
            self.alive = False
            self._process.kill()
            self._process.wait()
            self._hang_up()
            for subscription in list(self._subscriptions.values()):
                subscription.deliver(_crashed())

    def _deliver_events(self) -> None:
        """Until the process ends, or writes what is no event, such as half a line when it is killed."""
        assert self._process.stdout is not None
        with self._process.stdout as events, contextlib.suppress(ValidationError):
            for line in events:
                event = EVENT.validate_json(line)
                if not isinstance(event, Ready) and (subscription := self._subscriptions.get(event.id)):
                    subscription.deliver(event)

    def _hang_up(self) -> None:
        assert self._process.stdin is not None
        with self._lock, contextlib.suppress(OSError):
            self._process.stdin.close()

    def close(self) -> None:
        """End the process and give its memory back."""
        self.alive = False
        self._hang_up()
        self._listener.join(_SHUTDOWN_S)
        if self._listener.is_alive():
            self._process.kill()
            self._listener.join()

    def kill(self) -> None:
        """As a native crash would."""
        self._process.kill()


def _line(command: Command) -> bytes:
    try:
        return command.model_dump_json().encode() + b"\n"
    except PydanticSerializationError as error:
        raise EngineError("The text holds half characters that cannot be sent to a model; correct it.") from error


def _crashed() -> EngineCrashed:
    return EngineCrashed("The model's process ended unexpectedly; the case can be asked again.")


def _rounded(seconds: float) -> str:
    return f"{max(1, round(seconds))} seconds" if seconds < _MINUTE_S else f"{round(seconds / 60)} minutes"


def _environment() -> dict[str, str]:
    # With a pool of compute threads for each lane libgomp counts more threads than cores and lets them fall asleep at
    # every barrier, which made a text alone take 1.4 times as long. So they spin, but for a fraction of a millisecond.
    waiting = {"OMP_WAIT_POLICY": "active", "GOMP_SPINCOUNT": "20000"}
    # Python's own module path of this process, so that the worker finds the same code; an editable install may have
    # found this one elsewhere.
    path = [p for p in sys.path if p]
    path = path if _CODE in path else [_CODE, *path]
    return {**waiting, **os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}


class Engine:
    """Runs one model. `checked` hashes the file before every load; a bare path is taken where nobody asks for its hash.

    `seat_seconds` is how long its generations have had a sequence so far, all added up.
    `cache` gives a folder for what is derived from exactly the weights of a hash: calibrations and static prefixes.
    """

    def __init__(
        self,
        checked: Callable[[], CheckedWeights | Path],
        settings: EngineSettings,
        cache: Callable[[str], Path] | None = None,
    ) -> None:
        self.settings = settings
        self._cache = cache
        self._checked = checked
        self._worker: _Worker | None = None
        self._starting = threading.Lock()
        self._ids = itertools.count(1)
        self._recent_s: deque[float] = deque(maxlen=_RECENT)
        self.seat_seconds = 0.0

    def _started(self) -> _Worker:
        with self._starting:
            if self._worker is None or not self._worker.alive:
                self._worker = self._start()
            return self._worker

    def _start(self) -> _Worker:
        checked = self._checked()
        path, digest = (checked, "") if isinstance(checked, Path) else (checked.path, checked.sha256)
        require_memory(path, self.settings)
        worker = _Worker(path, self.settings, self._cache(digest) if self._cache else None, digest)
        if not isinstance(checked, Path) and Seen.of(path) != checked.seen:
            worker.close()
            raise WeightsAltered(f"{path.name} was changed while it was opened; try again.")
        return worker

    async def start(self) -> Ready:
        """Open the weights if they are not open. Raises ModelError."""
        return (await asyncio.to_thread(self._started)).ready

    async def generate(
        self,
        conversation: str,
        prompt: tuple[Segment, ...],
        sampling: Sampling,
        output_schema: str | None = None,
        *,
        static: int = 0,
        public: int = 0,
        user: str = "",
    ) -> AsyncGenerator[Piece | Finished, None]:
        """Stream the continuation of `prompt`, then its figures. Closing the iterator stops the model.

        The first `static` and `public` segments hold nothing of any conversation; see `models.protocol.Generate`.
        Raises EngineBusy, EngineCrashed, ContextOverflow, MalformedOutput, EngineError, NotEnoughMemory.
        """
        worker = await asyncio.to_thread(self._started)
        self._require_room(worker)
        request = Generate(
            id=next(self._ids),
            conversation=conversation,
            prompt=prompt,
            sampling=sampling,
            output_schema=output_schema,
            static=static,
            public=max(static, public),
            user=user,
        )
        subscription = _Subscription()
        worker.subscribe(request.id, subscription)
        finished = False
        try:
            worker.send(request)
            while not finished:
                event = await subscription.next()
                if isinstance(event, Finished):
                    finished = True
                    self._recent_s.append(event.prefill_s + event.decode_s)
                    self.seat_seconds += event.prefill_s + event.decode_s
                if isinstance(event, Piece | Finished):
                    yield event
        except EngineError:
            finished = True
            raise
        finally:
            worker.unsubscribe(request.id)
            if not finished:
                worker.send(Stop(id=request.id))

    def _require_room(self, worker: _Worker) -> None:
        seats = worker.ready.lanes * worker.ready.sequences
        waiting = worker.running - seats
        if waiting < self.settings.queue_length:
            return
        usual = median(self._recent_s) if self._recent_s else _USUAL_S
        wait = usual * (waiting + 1) / seats
        raise EngineBusy(
            f"{waiting} requests are waiting for the model already; try again in about {_rounded(wait)}.", wait
        )

    def forget(self, conversation: str) -> None:
        """Wipe what is kept of a conversation; its next question is read from the beginning."""
        if self._worker is not None and self._worker.alive:
            self._worker.send(Forget(conversation=conversation))

    def count(self, prompt: tuple[Segment, ...]) -> int:
        """How many tokens `prompt` has. Blocks for a moment, or for seconds where the weights are not open yet."""
        worker = self._started()
        request = Count(id=next(self._ids), prompt=prompt)
        reply = _Reply()
        worker.subscribe(request.id, reply)
        try:
            worker.send(request)
            event = reply.wait()
        finally:
            worker.unsubscribe(request.id)
        if not isinstance(event, Counted):
            raise EngineError("The model's process answered out of order; report this.")
        return event.tokens

    @property
    def description(self) -> dict[str, JsonValue]:
        """For the record: how it runs, and what calibration chose on this machine; empty while nothing is open."""
        if self._worker is None or not self._worker.alive:
            return {}
        return {
            "settings": self.settings.model_dump(mode="json"),
            "opened": self._worker.ready.model_dump(mode="json", exclude={"event"}),
        }

    @property
    def sha256(self) -> str:
        """The hash of the weights that are open, whatever lies at their path by now; empty while nothing is open."""
        return self._worker.sha256 if self._worker is not None and self._worker.alive else ""

    @property
    def seats(self) -> int:
        """How many texts it computes at once; 0 while nothing is open."""
        ready = self._worker.ready if self._worker is not None and self._worker.alive else None
        return ready.lanes * ready.sequences if ready else 0

    @property
    def context_length(self) -> int:
        """Tokens that a prompt and its answer may have together. Blocks where the weights are not open yet."""
        return self._started().ready.context_length

    @property
    def pid(self) -> int | None:
        """The worker's process id while the weights are open."""
        return self._worker.pid if self._worker is not None and self._worker.alive else None

    def kill(self) -> None:
        """End the worker at once, as a crash would; the next generation starts another."""
        if self._worker is not None and self._worker.alive:
            self._worker.kill()

    def close(self) -> None:
        """Unload the weights."""
        with self._starting:
            if self._worker is not None:
                self._worker.close()
                self._worker = None
