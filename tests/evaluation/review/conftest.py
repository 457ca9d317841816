"""A record of one's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from transcripts.store import TranscriptStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TranscriptStore]:
    with TranscriptStore.open(tmp_path / "transcripts.db") as opened:
        yield opened
