import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from knowledge.check import check
from knowledge.cleaning import clean
from knowledge.errors import DocumentAltered, EmbedderMismatch, KnowledgeBaseDamaged, KnowledgeBaseMissing
from knowledge.passage import ScoredPassage
from knowledge.rebuild import rebuild
from knowledge.search import search
from knowledge.store import KnowledgeStore
from tests.knowledge.conftest import GUIDELINES, TODAY, HashingEmbedder, PackMaker

QUESTIONS = ("amoxicillin", "how is pneumonia treated in children", "肺炎 紹介", "호흡수", "หายใจ", "المستشفى")


def answers(store: KnowledgeStore) -> list[tuple[ScoredPassage, ...]]:
    return [search(store, [q], languages=None, limit=9, today=TODAY, relevance=0.3) for q in QUESTIONS]


@pytest.fixture
def changed(filled: KnowledgeStore, make_pack: PackMaker) -> KnowledgeStore:
    """Seven versions: five packs, a new edition of one, and one taken out."""
    filled.add(make_pack("en", edition="2027.01", files={"a.md": "# T\n\n## Treat\n\nGive oxygen."}))
    filled.remove("test-th")
    return filled


def test_every_version_is_made_again_with_the_same_passages_and_the_same_answers(
    changed: KnowledgeStore, embedder: HashingEmbedder
) -> None:
    before = {tag: answers(KnowledgeStore(changed.folder, embedder, tag)) for tag in changed.versions()}
    history = changed.history()

    summary = rebuild(changed.folder, embedder)

    rebuilt = KnowledgeStore(changed.folder, embedder)
    assert rebuilt.history() == history
    assert {tag: answers(KnowledgeStore(changed.folder, embedder, tag)) for tag in rebuilt.versions()} == before
    assert (summary.versions, summary.passages) == (7, 16)
    assert check(changed.folder).faults == ()


def test_lost_tables_are_made_again(changed: KnowledgeStore, embedder: HashingEmbedder) -> None:
    before = answers(changed)
    shutil.rmtree(changed.folder / "lance")

    with pytest.raises(KnowledgeBaseDamaged, match="knowledge rebuild"):
        KnowledgeStore(changed.folder, embedder)
    rebuild(changed.folder, embedder)

    assert answers(KnowledgeStore(changed.folder, embedder)) == before


def test_unreadable_tables_are_made_again(changed: KnowledgeStore, embedder: HashingEmbedder) -> None:
    before = answers(changed)
    for file in (changed.folder / "lance").rglob("*"):
        if file.is_file():
            file.write_bytes(b"overwritten")

    with pytest.raises(KnowledgeBaseDamaged, match="knowledge rebuild"):
        KnowledgeStore(changed.folder, embedder)
    rebuild(changed.folder, embedder)

    assert answers(KnowledgeStore(changed.folder, embedder)) == before


def test_another_embedder_takes_over_and_the_former_is_refused(
    changed: KnowledgeStore, embedder: HashingEmbedder
) -> None:
    other = HashingEmbedder(name="another", dimension=64)
    ids = [sorted(p.id for p in changed.passages(pack.manifest.name)) for pack in changed.list_packs()]

    rebuild(changed.folder, other)

    taken_over = KnowledgeStore(changed.folder, other)
    assert ids == [sorted(p.id for p in taken_over.passages(pack.manifest.name)) for pack in taken_over.list_packs()]
    assert answers(taken_over)[2][0].passage.text == GUIDELINES["ja"][3]["紹介"]
    with pytest.raises(EmbedderMismatch, match="built with the embedder another"):
        KnowledgeStore(changed.folder, embedder)
    with pytest.raises(EmbedderMismatch):
        changed.refresh()


def test_who_reads_the_old_tables_goes_on_until_it_refreshes(
    changed: KnowledgeStore, embedder: HashingEmbedder
) -> None:
    before = answers(changed)

    rebuild(changed.folder, embedder)

    assert answers(changed) == before
    changed.refresh()
    clean(changed.folder, keep=(), older_than=timedelta(days=1), now=datetime.now(UTC))
    assert answers(changed) == before
    assert not (changed.folder / "lance").exists()


def test_packs_can_be_added_after_a_rebuild_and_tags_stay_unique(
    changed: KnowledgeStore, make_pack: PackMaker, embedder: HashingEmbedder
) -> None:
    rebuild(changed.folder, embedder)
    store = KnowledgeStore(changed.folder, embedder)

    store.add(make_pack("th", edition="2028.01"))

    assert len(set(store.versions())) == len(store.versions()) == 8
    assert [pack.manifest.name for pack in store.list_packs()][-1] == "test-th"


def test_an_altered_source_stops_it_and_the_tables_stay(changed: KnowledgeStore, embedder: HashingEmbedder) -> None:
    before = answers(changed)
    digest = changed.list_packs()[0].manifest.documents[0].sha256
    (changed.folder / "sources" / str(digest)).write_text("Give nothing.", "utf-8")

    with pytest.raises(DocumentAltered):
        rebuild(changed.folder, embedder)

    assert answers(KnowledgeStore(changed.folder, embedder)) == before


def test_killed_in_the_middle_the_old_tables_stay(changed: KnowledgeStore, embedder: HashingEmbedder) -> None:
    before = answers(changed)
    program = """
        import os, signal, sys
        from pathlib import Path
        from knowledge import rebuild
        from tests.knowledge.conftest import HashingEmbedder

        write, calls = rebuild.write_version, []

        def killed_at_the_fifth(*arguments):
            calls.append(arguments)
            if len(calls) == 5:
                os.kill(os.getpid(), signal.SIGKILL)
            write(*arguments)

        rebuild.write_version = killed_at_the_fifth
        rebuild.rebuild(Path(sys.argv[1]), HashingEmbedder(name="another"))
    """
    command = [sys.executable, "-c", dedent(program), str(changed.folder)]

    ended = subprocess.run(command, cwd=Path(__file__).parents[2], env=os.environ, check=False)

    assert ended.returncode == -signal.SIGKILL
    assert (changed.folder / "lance-1").exists()
    assert answers(KnowledgeStore(changed.folder, embedder)) == before
    rebuild(changed.folder, embedder)
    assert answers(KnowledgeStore(changed.folder, embedder)) == before


def test_there_must_be_something_to_make_again(tmp_path: Path, embedder: HashingEmbedder) -> None:
    with pytest.raises(KnowledgeBaseMissing):
        rebuild(tmp_path / "store", embedder)
    assert not (tmp_path / "store").exists()
