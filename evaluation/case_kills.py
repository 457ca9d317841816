"""What the record survives when the whole program is killed in the middle of real cases.

`python -m evaluation.case_kills --kills 50` starts `coreasoner ask` with the small test model, kills it with SIGKILL
when its case has come to a number of events drawn by chance, and examines the file. An event counts as acknowledged
when another program has read it from the file before the kill. Knows nothing of what was said.
"""

import argparse
import random
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from agents.settings import Settings, load_settings
from evaluation.short_cases import CASES, furnish, is_sound, kill, program, record, settings
from transcripts.consultation import Status

_WATCHED_S = 0.02
_CASE_S = 180.0
_LATER_S = 0.5

Acknowledged = tuple[str, int, str]


class Killed(NamedTuple):
    """What became of the `acknowledged` events of so many `kills`. `ended` cases were over before, `orphans` are worker
    processes that outlived the program."""

    kills: int
    acknowledged: int
    lost: int
    unsound: int
    interrupted: int
    ended: int
    orphans: int


def kills(models: Path, home: Path, count: int) -> Killed:
    """Kill the program `count` times, each in another case on the same file."""
    chosen, chance = settings(models, home), random.Random(13)
    furnish(chosen)
    usual = _case_events(chosen)
    acknowledged = lost = unsound = orphans = 0
    for number in range(count):
        at, later = chance.randrange(1, usual), chance.uniform(0.0, _LATER_S)
        heard, left = _killed(chosen, number, at, later)
        acknowledged, orphans = acknowledged + len(heard), orphans + left
        missing, sound = _examined(chosen, heard)
        lost, unsound = lost + missing, unsound + (not sound)
    with record(chosen) as store:
        states = [summary.status for summary in store.consultations(limit=count + 1)]
    interrupted, ended = states.count(Status.INTERRUPTED), states.count(Status.FINISHED) - 1
    return Killed(count, acknowledged, lost, unsound, interrupted, ended, orphans)


def _started(chosen: Settings, number: int) -> subprocess.Popen[bytes]:
    language, text = CASES[number % len(CASES)]
    return program(chosen, "ask", "--language", language, text)


def _case_events(chosen: Settings) -> int:
    """How many events a case has that comes to its end."""
    with _started(chosen, 0) as running:
        running.wait()
    return len(_stored(chosen))


def _wait_for_case(chosen: Settings, known: int, events: int, running: subprocess.Popen[bytes]) -> None:
    """Until a consultation more than `known` has so many events, or the program has ended with fewer."""
    ends = time.perf_counter() + _CASE_S
    while time.perf_counter() < ends:
        counted = Counter(consultation for consultation, _, _ in _stored(chosen))
        if len(counted) > known and (counted[max(counted)] >= events or running.poll() is not None):
            return
        time.sleep(_WATCHED_S)
    raise TimeoutError("the program argued no case; is the model here?")


def _killed(chosen: Settings, number: int, events: int, later: float) -> tuple[list[Acknowledged], int]:
    """What was in the file before the kill, `later` seconds after so many `events`, and how many workers were left."""
    with _started(chosen, number) as running:
        _wait_for_case(chosen, number + 1, events, running)
        time.sleep(later)
        heard = _stored(chosen)
        return heard, kill(running)


def _stored(chosen: Settings) -> list[Acknowledged]:
    if not chosen.transcripts_file.exists():
        return []
    with closing(sqlite3.connect(f"file:{chosen.transcripts_file}?mode=ro", uri=True)) as raw:
        try:
            return raw.execute("SELECT consultation, seq, hash FROM events").fetchall()
        except sqlite3.OperationalError:
            # The program is making its tables just now.
            return []


def _examined(chosen: Settings, heard: Sequence[Acknowledged]) -> tuple[int, bool]:
    """How many acknowledged events are lost, and whether the file is sound and proves itself."""
    sound = is_sound(chosen)
    with closing(sqlite3.connect(chosen.transcripts_file)) as raw:
        sound = sound and raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return len(set(heard) - set(_stored(chosen))), sound


def main(arguments: Sequence[str] | None = None) -> None:
    """Kill as often as is asked."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.case_kills", description=str(__doc__).partition("\n")[0]
    )
    parser.add_argument("--models-folder", type=Path, default=load_settings().models_folder)
    parser.add_argument("--kills", type=int, default=50)
    given = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="coreasoner-kills-") as home:
        print(kills(given.models_folder, Path(home), given.kills), flush=True)


if __name__ == "__main__":
    main()
