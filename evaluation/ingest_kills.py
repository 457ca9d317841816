"""Kills a process in the middle of every command that writes a knowledge base, and looks at what is left.

After each kill the store must open, show the guidelines as they were before or after the command and nothing between,
pass `check`, and finish when the command is run again. The embedder counts letters: it is the store that is tested.
`python -m evaluation.endurance --ingest-kills 50` prints a line.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

import numpy as np
from pydantic import BaseModel, ConfigDict

from knowledge.check import check
from knowledge.cleaning import clean
from knowledge.errors import KnowledgeError, NotInKnowledgeBase
from knowledge.rebuild import rebuild
from knowledge.shipped import starter_packs
from knowledge.store import KnowledgeStore
from knowledge.table import Vectors

_READY = "ready"
_PACK, _STAYING = "en", "es"
_PATIENCE = 4  # attempts for each kill that comes in time
_State = dict[str, tuple[str, int]]  # of each pack: its edition and the number of its passages


class KillSummary(BaseModel):
    """By command, how many kills came before its end; and what was wrong afterwards, which should be nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    killed: dict[str, int]
    too_late: int
    half_visible: tuple[str, ...]
    unfinished: tuple[str, ...]

    def __str__(self) -> str:
        before_the_end = ", ".join(f"{count} in {name}" for name, count in sorted(self.killed.items()))
        said = f"{sum(self.killed.values())} kills before the end ({before_the_end}), {self.too_late} after it: "
        said += f"{len(self.half_visible)} left something half-visible, {len(self.unfinished)} could not be finished"
        return "\n".join((said, *self.half_visible, *self.unfinished))


class LetterEmbedder:
    """Counts the letters of a text in 64 classes: deterministic, and needs no weights."""

    name, dimension = "letters", 64

    def embed_queries(self, texts: list[str], /) -> Vectors:
        """Counts of length 1, shape [n, 64]."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for letter, times in Counter(text).items():
                vector[crc32(letter.encode()) % self.dimension] += times
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1)
        return vectors

    embed_passages = embed_queries


def _add(folder: Path, pack: Path) -> None:
    KnowledgeStore(folder, LetterEmbedder()).add(pack)


def _remove(folder: Path, pack: Path) -> None:
    # Run again after a kill that came too late, there is nothing left to remove.
    with suppress(NotInKnowledgeBase):
        KnowledgeStore(folder, None).remove(f"starter-{_PACK}")


def _rebuild(folder: Path, pack: Path) -> None:
    rebuild(folder, LetterEmbedder())


def _clean(folder: Path, pack: Path) -> None:
    clean(folder, keep=(), older_than=timedelta(0), now=datetime.now(UTC))


COMMANDS: dict[str, Callable[[Path, Path], None]] = {
    "add": _add,
    "rebuild": _rebuild,
    "clean": _clean,
    "remove": _remove,
}


def ingest_kills(folder: Path, count: int, seed: int = 17) -> KillSummary:
    """Kill commands in turn, each at a random moment of the time that it takes, until `count` died before their end.

    `folder` is for the store.
    """
    chance = random.Random(seed)
    packs = {pack.name: pack for pack in starter_packs()}
    store = folder / "knowledge"
    _add(store, packs[_STAYING])
    seconds = {name: _run(name, store, _edition(packs[_PACK], folder, name), None)[1] for name in COMMANDS}
    killed: Counter[str] = Counter()
    half_visible, unfinished = [], []
    attempts = 0
    while sum(killed.values()) < count and attempts < _PATIENCE * count:
        name = list(COMMANDS)[attempts % len(COMMANDS)]
        pack = _edition(packs[_PACK], folder, str(attempts))
        before = _state(store)
        died, took = _run(name, store, pack, chance.uniform(0, seconds[name]))
        killed[name] += died
        seconds[name] = seconds[name] if died else took
        between, faults = _seen(store)
        problem = _completed(name, store, pack)
        after = _state(store)
        if faults or between not in (before, after):
            half_visible.append(f"{attempts}: {name}: {faults or between}")
        if problem:
            unfinished.append(f"{attempts}: {name}: {problem}")
        attempts += 1
    return KillSummary(
        killed=dict(killed),
        too_late=attempts - sum(killed.values()),
        half_visible=tuple(half_visible),
        unfinished=tuple(unfinished),
    )


def _edition(pack: Path, folder: Path, edition: str) -> Path:
    """A copy of a pack as another edition."""
    copy = folder / f"{pack.name}-{edition}"
    shutil.copytree(pack, copy)
    manifest = copy / "pack.toml"
    lines = manifest.read_text("utf-8").splitlines()
    changed = [f'edition = "{edition}"' if line.startswith("edition") else line for line in lines]
    manifest.write_text("\n".join(changed) + "\n", "utf-8")
    return copy


def _run(name: str, store: Path, pack: Path, seconds: float | None) -> tuple[bool, float]:
    """Run a command in a process of its own and kill it after so many seconds.

    Returns whether it died before its end, and how long it ran, counted from when it had imported everything.
    """
    arguments = [sys.executable, "-m", "evaluation.ingest_kills", name, str(store), str(pack)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]) as process:
        assert process.stdout is not None
        process.stdout.readline()
        started = time.monotonic()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        return process.wait() == -signal.SIGKILL, time.monotonic() - started


def _state(store: Path) -> _State:
    held = KnowledgeStore(store, LetterEmbedder()).list_packs()
    return {pack.manifest.name: (pack.manifest.edition, pack.passages) for pack in held}


def _seen(store: Path) -> tuple[_State, str]:
    """What shows after a kill, and what is wrong with it."""
    try:
        return _state(store), "; ".join(f"{fault.subject}: {fault.problem}" for fault in check(store).faults)
    except KnowledgeError as error:
        return {}, str(error)


def _completed(name: str, store: Path, pack: Path) -> str:
    """Run the command again, now to its end; returns what is wrong afterwards."""
    try:
        COMMANDS[name](store, pack)
    except KnowledgeError as error:
        return str(error)
    state, faults = _seen(store)
    expected = {"add": pack.name.rpartition("-")[2], "remove": None}
    if name in expected and state.get(f"starter-{_PACK}", (None, 0))[0] != expected[name]:
        return f"it holds {state}"
    return faults


if __name__ == "__main__":
    _, command, where, what = sys.argv
    print(_READY, flush=True)
    COMMANDS[command](Path(where), Path(what))
    os._exit(0)
