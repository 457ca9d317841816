"""What the record survives when the whole program is killed in the middle of real cases.

`python -m evaluation.case_kills --kills 50` starts `coreasoner ask` with the small test model, kills it with SIGKILL
when its case has come to a number of events drawn by chance, and examines the file. An event counts as acknowledged
when another program has read it from the file before the kill. Knows nothing of what was said.
"""

import argparse
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil

from agents.settings import Settings, load_settings
from evaluation.reruns import CASES, MODEL, furnish, settings
from transcripts.consultation import Status
from transcripts.errors import TranscriptError
from transcripts.keys import KeyRing
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

_WATCHED_S = 0.02
_GONE_S = 20.0
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
    environment = _environment(chosen)
    usual = _case_events(chosen, environment)
    acknowledged = lost = unsound = orphans = 0
    for number in range(count):
        at, later = chance.randrange(1, usual), chance.uniform(0.0, _LATER_S)
        heard, left = _killed(chosen, environment, number, at, later)
        acknowledged, orphans = acknowledged + len(heard), orphans + left
        missing, sound = _examined(chosen, heard)
        lost, unsound = lost + missing, unsound + (not sound)
    with _opened(chosen) as store:
        states = [summary.status for summary in store.consultations(limit=count + 1)]
    interrupted, ended = states.count(Status.INTERRUPTED), states.count(Status.FINISHED) - 1
    return Killed(count, acknowledged, lost, unsound, interrupted, ended, orphans)


def _environment(chosen: Settings) -> Mapping[str, str]:
    team = chosen.team
    values = {
        "HOME": chosen.home,
        "MODELS__FOLDER": chosen.models_folder,
        "ENGINE__CONTEXT_LENGTH": chosen.engine.context_length,
        "ENGINE__LANES": chosen.engine.lanes,
        "ENGINE__SEQUENCES": chosen.engine.sequences,
        "TEAM__KEPT": team.kept,
        "TEAM__REASONER__RENDERING_TOKENS": team.reasoner.rendering_tokens,
        "TEAM__REASONER__REASONING_TOKENS": team.reasoner.reasoning_tokens,
        "TEAM__REASONER__CONCEPT_TOKENS": team.reasoner.concept_tokens,
        "TEAM__SYNTHESIS__ANSWER_TOKENS": team.synthesis.answer_tokens,
        "TEAM__SYNTHESIS__EVIDENCE_TOKENS": team.synthesis.evidence_tokens,
        "TEAM__SYNTHESIS__ATTEMPTS": team.synthesis.attempts,
    }
    return {**os.environ, **{f"COREASONER_{name}": str(value) for name, value in values.items()}}


def _program(environment: Mapping[str, str], number: int) -> subprocess.Popen[bytes]:
    language, text = CASES[number % len(CASES)]
    command = [sys.executable, "-c", "from ui.start import main; main()"]
    return subprocess.Popen(
        [*command, "--model", MODEL, "ask", "--language", language, text],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _case_events(chosen: Settings, environment: Mapping[str, str]) -> int:
    """How many events a case has that comes to its end."""
    with _program(environment, 0) as program:
        program.wait()
    return len(_stored(chosen))


def _wait_for_case(chosen: Settings, known: int, events: int, program: subprocess.Popen[bytes]) -> None:
    """Until a consultation more than `known` has so many events, or the program has ended with fewer."""
    ends = time.perf_counter() + _CASE_S
    while time.perf_counter() < ends:
        counted = Counter(consultation for consultation, _, _ in _stored(chosen))
        if len(counted) > known and (counted[max(counted)] >= events or program.poll() is not None):
            return
        time.sleep(_WATCHED_S)
    raise TimeoutError("the program argued no case; is the model here?")


def _killed(
    chosen: Settings, environment: Mapping[str, str], number: int, events: int, later: float
) -> tuple[list[Acknowledged], int]:
    """What was in the file before the kill, `later` seconds after so many `events`, and how many workers were left."""
    with _program(environment, number) as program:
        _wait_for_case(chosen, number + 1, events, program)
        time.sleep(later)
        workers: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            workers = psutil.Process(program.pid).children(recursive=True)
        heard = _stored(chosen)
        program.kill()
    _, alive = psutil.wait_procs(workers, timeout=_GONE_S)
    return heard, len(alive)


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
    sound = True
    with _opened(chosen) as store:
        try:
            store.verify_all()
        except TranscriptError as error:
            print(error, flush=True)
            sound = False
    with closing(sqlite3.connect(chosen.transcripts_file)) as raw:
        sound = sound and raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return len(set(heard) - set(_stored(chosen))), sound


def _opened(chosen: Settings) -> TranscriptStore:
    return TranscriptStore.open(chosen.transcripts_file, seal=Seal(KeyRing(chosen.keys_folder)))


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
