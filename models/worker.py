"""The worker process: owns one GGUF and its lanes, reads commands on stdin and writes events on stdout.

Started by `models.engine` as `python -m models.worker`. A native crash ends this process and nothing else.
Knows nothing of agents, files' hashes or the network.
"""

import os
import queue
import sys
import threading
import time
from collections import OrderedDict
from typing import BinaryIO

from models.errors import ContextOverflow, EngineError, MalformedOutput, MalformedWeights
from models.generation import Generation
from models.llama import Lane, Weights
from models.protocol import (
    COMMAND,
    Command,
    Count,
    Counted,
    Event,
    Failed,
    Generate,
    Load,
    Piece,
    Ready,
    Stop,
)

_REPORTED = (ContextOverflow, MalformedOutput, MalformedWeights)


class Outbox:
    """Writes events, one a line, from any thread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def send(self, event: Event) -> None:
        """Write one event."""
        line = event.model_dump_json().encode() + b"\n"
        with self._lock:
            self._stream.write(line)
            self._stream.flush()


def _failure(id: int, error: Exception) -> Failed:
    kind = next((k.__name__ for k in _REPORTED if isinstance(error, k)), "EngineError")
    return Failed.model_validate({"id": id, "error": kind, "message": str(error)})


class LaneSlot:
    """A lane with the request that it runs and the conversation that its cache belongs to."""

    def __init__(self, number: int, weights: Weights, load: Load, context_length: int) -> None:
        self.number = number
        self.conversation: str | None = None
        self.used = 0.0
        self._stop = False
        self.lane = Lane(weights, context_length, load.settings.prefill_slice, lambda: self._stop)

    def begin(self) -> None:
        """Clear the stop flag before a new request."""
        self._stop = False

    def stop(self) -> None:
        """Ask the running decode to end."""
        self._stop = True

    def stopped(self) -> bool:
        """Whether stop was asked."""
        return self._stop


class Scheduler:
    """Hands requests to lanes in the order they came, a conversation to the lane that holds its cache."""

    def __init__(self, weights: Weights, load: Load, threads: int, outbox: Outbox) -> None:
        self._weights, self._outbox, self._threads = weights, outbox, threads
        self.context_length = min(load.settings.context_length, weights.trained_context)
        self._free = [LaneSlot(n, weights, load, self.context_length) for n in range(load.settings.lanes)]
        self._running: dict[int, LaneSlot] = {}
        self._waiting: OrderedDict[int, tuple[Generate, float]] = OrderedDict()
        self._changed = threading.Condition()

    def submit(self, request: Generate) -> None:
        """Queue a request."""
        with self._changed:
            self._waiting[request.id] = (request, time.perf_counter())
            self._changed.notify()

    def stop(self, id: int) -> None:
        """Stop a request, running or waiting."""
        with self._changed:
            if id in self._running:
                self._running[id].stop()
            self._waiting.pop(id, None)

    def share(self) -> int:
        """Compute threads for each lane now: the cores divided by the lanes at work."""
        return max(1, self._threads // max(1, len(self._running)))

    def serve(self) -> None:
        """A lane thread's life: take a request, run it, report."""
        while True:
            request, slot, since = self._take()
            try:
                self._run(request, slot, since)
            finally:
                with self._changed:
                    del self._running[request.id]
                    self._free.append(slot)
                    self._changed.notify()

    def _take(self) -> tuple[Generate, LaneSlot, float]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting and self._free)
            _, (request, since) = self._waiting.popitem(last=False)
            slot = self._slot_for(request.conversation)
            self._free.remove(slot)
            slot.begin()
            self._running[request.id] = slot
            return request, slot, since

    def _slot_for(self, conversation: str) -> LaneSlot:
        holding = [slot for slot in self._free if slot.conversation == conversation]
        return holding[0] if holding else min(self._free, key=lambda slot: (slot.used, slot.number))

    def _run(self, request: Generate, slot: LaneSlot, since: float) -> None:
        reuse = bool(request.conversation) and slot.conversation == request.conversation
        slot.conversation = request.conversation
        slot.used = time.perf_counter()
        generation = Generation(
            request,
            slot.lane,
            slot.number,
            self.share,
            slot.stopped,
            lambda text: self._outbox.send(Piece(id=request.id, text=text)),
        )
        try:
            self._outbox.send(generation.run(reuse=reuse, queued_s=slot.used - since))
        except Exception as error:
            slot.lane.keep(0)
            self._outbox.send(_failure(request.id, error))

    def count(self, request: Count) -> None:
        """Report how many tokens a prompt has."""
        self._outbox.send(Counted(id=request.id, tokens=len(self._weights.tokenize(request.prompt))))


def _serve(commands: "queue.SimpleQueue[Command | None]", outbox: Outbox) -> None:
    load = commands.get()
    if not isinstance(load, Load):
        raise EngineError("The worker's first command must be load; report this.")
    threads = load.settings.threads or len(os.sched_getaffinity(0))
    try:
        weights = Weights(load.path, load.settings.gpu_layers)
        scheduler = Scheduler(weights, load, threads, outbox)
    except (MalformedWeights, EngineError) as error:
        outbox.send(_failure(-1, error))
        return
    for _ in range(load.settings.lanes):
        threading.Thread(target=scheduler.serve, daemon=True).start()
    ready = Ready(
        description=weights.description,
        context_length=scheduler.context_length,
        lanes=load.settings.lanes,
        threads=threads,
    )
    outbox.send(ready)
    while (command := commands.get()) is not None:
        match command:
            case Generate():
                scheduler.submit(command)
            case Stop():
                scheduler.stop(command.id)
            case Count():
                scheduler.count(command)


def _read(stream: BinaryIO, commands: "queue.SimpleQueue[Command | None]") -> None:
    for line in stream:
        commands.put(COMMAND.validate_json(line))
    commands.put(None)


def main() -> None:
    """Serve until stdin closes."""
    # Whatever native code prints must not land between the events.
    events = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, commands), daemon=True).start()
    _serve(commands, Outbox(events))
    events.flush()
    # Lane threads may be inside native code; there is nothing to unwind that the system does not take back.
    os._exit(0)


if __name__ == "__main__":
    main()
