"""How fast the record is: durable events a second from one and from many consultations, and events proved a second.

`python -m evaluation.record_bench` prints a line for each on the disk of `--folder`, beside the time that the disk
itself takes for a commit, and the processor time of an event, which says more on a machine that has other work.
Every figure of writing is a median of `--runs`. Knows nothing of models.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from transcripts.event import EventKind
from transcripts.keys import KeyRing
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

_BAR_WRITTEN, _BAR_PROVED = 2000, 50_000
_CHUNKS = 20
_SYNCS = 200


class Speed(NamedTuple):
    """Events in a second of the clock, and microseconds of processor time an event."""

    events_s: float
    cpu_us: float

    def __str__(self) -> str:
        return f"{self.events_s:.0f} events a second, {self.cpu_us:.0f} µs of processor time each"


class Stopwatch:
    """Measures from its making."""

    def __init__(self) -> None:
        self._start, self._cpu = time.perf_counter(), time.process_time()

    def speed(self, events: int) -> Speed:
        """The speed of so many events until now."""
        seconds, cpu = time.perf_counter() - self._start, time.process_time() - self._cpu
        return Speed(events / seconds, cpu / events * 1e6)


def body(turn: int) -> dict[str, JsonValue]:
    """A stream event as half a second of a model's text makes it: about 700 bytes."""
    text = " 胸痛があり" if turn % 2 else " chest pain"
    chunks: list[JsonValue] = [[turn * 500 + 25 * number, text] for number in range(_CHUNKS)]
    return {"stream": turn % 4, "agent": "LocalClinician", "role": "reasoning", "started": "", "chunks": chunks}


def disk(folder: Path) -> float:
    """Milliseconds that the disk takes to make 4 kB durable, the median of many."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_SYNCS):
            file.write(bytes(4096))
            file.flush()
            start = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def written(folder: Path, writers: int, each: int) -> Speed:
    """Events a second: `writers` consultations at once, each waiting for every event before it records the next."""
    gate = threading.Barrier(writers + 1)

    def consult(store: TranscriptStore) -> None:
        with store.begin() as recorder:
            gate.wait()
            for turn in range(each):
                recorder.record(EventKind.STREAM, body(turn))

    with _store(folder) as store, ThreadPoolExecutor(writers) as threads:
        running = [threads.submit(consult, store) for _ in range(writers)]
        gate.wait()
        watch = Stopwatch()
        for consultation in running:
            consultation.result()
        return watch.speed(writers * (each + 1))


def proved(folder: Path, consultations: int, each: int) -> tuple[Speed, Speed]:
    """Proving the whole file with every signature, and each consultation by itself with those that cover it."""
    with _store(folder) as store:
        for _ in range(consultations):
            _fill(store, each)
        keys = KeyRing(folder / "keys").public
        watch = Stopwatch()
        whole = watch.speed(store.verify_all(keys).events)
        names = [summary.id for summary in store.consultations(limit=consultations)]
        watch = Stopwatch()
        return whole, watch.speed(sum(store.verify(name, keys).events for name in names))


def _fill(store: TranscriptStore, each: int) -> None:
    with store.begin() as recorder, ThreadPoolExecutor(32) as threads:
        list(threads.map(lambda turn: recorder.record(EventKind.STREAM, body(turn)), range(each)))


def _store(folder: Path) -> TranscriptStore:
    seal = Seal(KeyRing(folder / "keys"), folder / "copy" / "checkpoints.jsonl")
    return TranscriptStore.open(folder / "transcripts.db", seal=seal)


def _median(folder: Path, runs: int, measure: Callable[[Path], Speed]) -> Speed:
    figures = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(dir=folder) as home:
            figures.append(measure(Path(home)))
    return Speed(*(statistics.median(column) for column in zip(*figures, strict=True)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.record_bench", description=str(__doc__).partition("\n")[0]
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="on the disk to measure")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args(arguments)
    print(f"the disk: {disk(given.folder):.2f} ms a commit", flush=True)
    for writers in (1, 4, 16, 64):
        each = max(50, 2000 // writers)
        figure = _median(given.folder, given.runs, partial(written, writers=writers, each=each))
        print(f"{writers} consultations at once, durable (bar {_BAR_WRITTEN}): {figure}", flush=True)
    with tempfile.TemporaryDirectory(dir=given.folder) as home:
        whole, single = proved(Path(home), consultations=200, each=100)
    print(f"verify --all (bar {_BAR_PROVED}): {whole}\nverify ID, for each: {single}", flush=True)


if __name__ == "__main__":
    main()
