"""The worker process: owns one GGUF and its lanes, reads commands on stdin and writes events on stdout.

Started by `models.engine` as `python -m models.worker`. A native crash ends this process and nothing else.
Knows nothing of agents, files' hashes or the network.
"""

import os
import queue
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from models.calibration import calibrated, processor
from models.crew import failure
from models.errors import EngineError, MalformedWeights
from models.llama import Weights, state_fingerprint
from models.prefixes import Prefixes
from models.protocol import COMMAND, Command, Count, Counted, Event, Forget, Generate, Load, Ready, Stop
from models.scheduler import Scheduler


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


def _opened(load: Load, outbox: Outbox) -> tuple[Weights, Scheduler, Ready]:
    """The weights, the crews over them, and what to tell the parent. Raises MalformedWeights, EngineError."""
    settings = load.settings
    threads = settings.threads or len(os.sched_getaffinity(0))
    folder = Path(load.cache) if load.cache else None
    weights = Weights(load.path, settings)
    calibration = None if settings.lanes else calibrated(weights, settings, threads, folder)
    lanes = settings.lanes or (calibration.lanes if calibration else 1)
    prefixes = Prefixes(settings.prefix_memory, folder, state_fingerprint(settings, lanes, threads, processor()))
    scheduler = Scheduler(weights, settings, lanes, threads, prefixes, outbox.send)
    ready = Ready(
        description=weights.description,
        context_length=scheduler.context_length,
        lanes=lanes,
        sequences=scheduler.sequences,
        threads=threads,
        calibration=calibration,
    )
    return weights, scheduler, ready


def _serve(commands: "queue.SimpleQueue[Command | None]", outbox: Outbox) -> None:
    load = commands.get()
    if not isinstance(load, Load):
        raise EngineError("The worker's first command must be load; report this.")
    try:
        weights, scheduler, ready = _opened(load, outbox)
    except (MalformedWeights, EngineError) as error:
        outbox.send(failure(-1, error))
        return
    scheduler.start()
    outbox.send(ready)
    while (command := commands.get()) is not None:
        match command:
            case Generate():
                scheduler.submit(command)
            case Stop():
                scheduler.stop(command.id)
            case Forget():
                scheduler.forget(command.conversation)
            case Count():
                outbox.send(Counted(id=command.id, tokens=len(weights.tokenize(command.prompt))))


def _read(stream: BinaryIO, commands: "queue.SimpleQueue[Command | None]") -> None:
    try:
        for line in stream:
            commands.put(COMMAND.validate_json(line))
    finally:
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
