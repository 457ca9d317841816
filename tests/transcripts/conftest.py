"""A transcript on the real disk, signed where a test asks for it, and a way to alter it behind the product's back."""

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from transcripts.keys import KeyRing
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

Alter = Callable[[str], None]

_TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger'"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "transcripts.db"


@pytest.fixture
def store(path: Path) -> Iterator[TranscriptStore]:
    with TranscriptStore.open(path) as opened:
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
def alter(path: Path) -> Alter:
    """Run SQL as someone would who holds the file and has dropped every trigger."""

    def run(sql: str) -> None:
        with closing(sqlite3.connect(path)) as raw:
            for (name,) in raw.execute(_TRIGGERS).fetchall():
                raw.execute(f"DROP TRIGGER {name}")
            raw.executescript(sql)

    return run


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
