"""A record on the real disk and in a real PostgreSQL, signed where a test asks for it, and a way to alter it behind
the product's back."""

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.transcripts.postgres_server import Hosted, emptied, started
from transcripts.clock import Clock, system_clock
from transcripts.keys import KeyRing
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

Alter = Callable[[str], None]

_TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger'"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "transcripts.db"


class File(NamedTuple):
    """A record in a file."""

    path: Path

    def open(
        self, read_only: bool = False, patience: float = 5.0, seal: Seal | None = None, clock: Clock = system_clock
    ) -> TranscriptStore:
        return TranscriptStore.open(self.path, read_only, patience=patience, seal=seal, clock=clock)

    def alter(self, sql: str) -> None:
        with closing(sqlite3.connect(self.path)) as raw:
            for (name,) in raw.execute(_TRIGGERS).fetchall():
                raw.execute(f"DROP TRIGGER {name}")
            raw.executescript(sql)


Place = File | Hosted

BOTH = pytest.mark.parametrize("place", ["file", "postgres"], indirect=True)


@pytest.fixture(scope="session")
def running_server() -> Iterator[Hosted]:
    """A PostgreSQL of the tests' own."""
    with started() as hosted:
        yield hosted


@pytest.fixture
def hosted(running_server: Hosted) -> Hosted:
    """A record in it, without anything."""
    emptied(running_server)
    return running_server


@pytest.fixture
def place(request: pytest.FixtureRequest, path: Path) -> Place:
    """Where the record is: a file, unless a test is for BOTH."""
    if getattr(request, "param", "file") == "file":
        return File(path)
    found = request.getfixturevalue("hosted")
    assert isinstance(found, Hosted)
    return found


@pytest.fixture
def store(place: Place) -> Iterator[TranscriptStore]:
    with place.open() as opened:
        yield opened


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    """The keys of an installation."""
    return KeyRing(tmp_path / "keys")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Where the second copy of the checkpoints goes."""
    return tmp_path / "elsewhere" / "checkpoints.jsonl"


@pytest.fixture
def signed(path: Path, ring: KeyRing, copy: Path) -> Iterator[TranscriptStore]:
    """A store that signs what it writes."""
    with TranscriptStore.open(path, seal=Seal(ring, copy)) as opened:
        yield opened


@pytest.fixture
def alter(place: Place) -> Alter:
    """Run SQL as someone would who holds the record and has dropped every trigger."""
    return place.alter


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", disk], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as refusal:
        pytest.skip(f"this account may not mount a disk: {refusal}")
    yield disk
    subprocess.run(["umount", disk], check=True)
