"""The guidelines that ship can be read, are marked as demonstration, and hold nothing that had to be removed."""

from pathlib import Path

import pytest

import knowledge
from knowledge.ingest import read_documents

PACKS = sorted(path.parent for path in (Path(knowledge.__file__).parent / "starter").glob("*/pack.toml"))


@pytest.mark.parametrize("folder", PACKS, ids=[folder.name for folder in PACKS])
def test_a_starter_pack_is_read_whole(folder: Path) -> None:
    pack = read_documents(folder)

    assert pack.manifest.language.split("-")[0] == folder.name
    assert pack.manifest.demonstration
    assert pack.skipped == ()
    assert [document.document.removed for document in pack.documents] == [()] * len(pack.documents)
    assert all(document.passages for document in pack.documents)


@pytest.mark.parametrize("folder", PACKS, ids=[folder.name for folder in PACKS])
def test_neither_the_notice_nor_the_sources_are_passages(folder: Path) -> None:
    pack = read_documents(folder)

    assert [p.text for p in pack.passages if p.text.startswith(">") or not p.section] == []
    cited = {source for document in pack.documents for source in document.entry.sources}
    assert [p.text for p in pack.passages if any(source in p.text for source in cited)] == []


def test_every_language_covers_the_same_topics() -> None:
    topics = {folder.name: sorted(path.name for path in folder.glob("*.md")) for folder in PACKS}

    assert all(files == topics["en"] for files in topics.values()), topics
