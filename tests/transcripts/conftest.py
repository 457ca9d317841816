"""A transcript on the real disk, and a way to alter it behind the product's back."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

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
def alter(path: Path) -> Alter:
    """Run SQL as someone would who holds the file and has dropped every trigger."""

    def run(sql: str) -> None:
        with closing(sqlite3.connect(path)) as raw:
            for (name,) in raw.execute(_TRIGGERS).fetchall():
                raw.execute(f"DROP TRIGGER {name}")
            raw.executescript(sql)

    return run
