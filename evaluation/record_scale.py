"""A record of years: how long the list, the filters and one consultation keep an auditor waiting.

`python -m evaluation.record_scale --events 1000000` fills a file through the product (in memory where there is such a
disk, since only its size matters), copies it to `--folder`, and prints the median and the slowest of many calls, each
on the file opened anew as the command line does. Knows nothing of models.
"""

import argparse
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from evaluation.record_bench import body
from transcripts.consultation import Status
from transcripts.event import EventKind
from transcripts.keys import KeyRing
from transcripts.listing import Filter
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

_EACH = 100  # events a consultation
_PAGE = 20
_WRITERS = 32
_LANGUAGES = ("en", "ja", "es", "sw", "th")
_IN_MEMORY = Path("/dev/shm")
_RARE = "rattlesnake"


class Wait(NamedTuple):
    """Milliseconds that a call took: the median, and the longest."""

    median_ms: float
    longest_ms: float

    def __str__(self) -> str:
        return f"{self.median_ms:.1f} ms, {self.longest_ms:.1f} ms at most"


def consultation(store: TranscriptStore, number: int) -> None:
    """One of `_EACH` events; every seventh was cancelled, and one in a thousand has a rare word."""
    language = _LANGUAGES[number % len(_LANGUAGES)]
    word = _RARE if number % 1000 == 0 else "cough"
    with store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": f"patient {number} with {word}", "language": language})
        for turn in range(_EACH - 2):
            recorder.record(EventKind.STREAM, body(turn))
        recorder.finish(Status.CANCELLED if number % 7 == 0 else Status.FINISHED)


def filled(folder: Path, events: int) -> int:
    """Bytes of the file with at least so many events."""
    with _opened(folder) as store, ThreadPoolExecutor(_WRITERS) as threads:
        list(threads.map(lambda number: consultation(store, number), range(-(-events // _EACH))))
    return (folder / "transcripts.db").stat().st_size


def waits(folder: Path, calls: int) -> dict[str, Wait]:
    """How long each kind of call takes."""
    chance = random.Random(5)
    with _opened(folder) as store:
        names = [summary.id for summary in store.consultations(limit=100_000)]

    def timed(ask: Callable[[TranscriptStore], object], times: int = calls) -> Wait:
        took = []
        for _ in range(times):
            start = time.perf_counter()
            with TranscriptStore.open(folder / "transcripts.db", read_only=True) as store:
                ask(store)
            took.append((time.perf_counter() - start) * 1000)
        return Wait(statistics.median(took), max(took))

    def listing(wanted: Filter, oldest: bool = False) -> Callable[[TranscriptStore], object]:
        before = names[-_PAGE - 1] if oldest else None
        return lambda store: store.consultations(_PAGE, before, wanted)

    return {
        "the newest 20": timed(listing(Filter())),
        "the oldest 20": timed(listing(Filter(), oldest=True)),
        "20 in one language": timed(listing(Filter(language="sw"))),
        "20 that were cancelled": timed(listing(Filter(status=Status.CANCELLED))),
        "20 with a word that one in 1,000 has": timed(listing(Filter(text=_RARE))),
        "a word that none has": timed(listing(Filter(text="unheard of"))),
        "those that failed (none)": timed(listing(Filter(status=Status.FAILED))),
        "those interrupted (none)": timed(listing(Filter(status=Status.INTERRUPTED)), 3),
        "one opened": timed(lambda store: list(store.events(chance.choice(names)))),
        "one proved with its signatures": timed(lambda store: store.verify(chance.choice(names))),
    }


def _opened(folder: Path) -> TranscriptStore:
    return TranscriptStore.open(folder / "transcripts.db", seal=Seal(KeyRing(folder / "keys")))


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill, then ask."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.record_scale", description=str(__doc__).partition("\n")[0]
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="on the disk to measure")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=20)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=given.folder) as home:
        folder = Path(home) / "record"
        with tempfile.TemporaryDirectory(dir=_IN_MEMORY if _IN_MEMORY.is_dir() else None) as fast:
            start = time.perf_counter()
            size = filled(Path(fast), given.events)
            seconds = time.perf_counter() - start
            print(f"{given.events:,} events, {size / 1e6:,.0f} MB, filled in {seconds:.0f} s", flush=True)
            shutil.copytree(fast, folder)
        print("\n| call | median, longest |\n|---|---|")
        for name, wait in waits(folder, given.calls).items():
            print(f"| {name} | {wait} |", flush=True)


if __name__ == "__main__":
    main()
