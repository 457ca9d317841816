from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from knowledge.check import check
from knowledge.cleaning import CleanSummary, clean
from knowledge.errors import KnowledgeBaseMissing, NotInKnowledgeBase, VersionCleaned
from knowledge.rebuild import rebuild
from knowledge.search import search
from knowledge.store import KnowledgeStore
from tests.knowledge.conftest import TODAY, HashingEmbedder, PackMaker


@pytest.fixture
def four(store: KnowledgeStore, make_pack: PackMaker) -> KnowledgeStore:
    """Four versions: two editions of a pack, another pack, and the first one taken out."""
    store.add(make_pack("en"))
    store.add(make_pack("en", edition="2027.01", files={"a.md": "# T\n\n## Treat\n\nGive oxygen."}))
    store.add(make_pack("ja"))
    store.remove("test-en")
    return store


def cleaned(store: KnowledgeStore, *keep: str, older_than: timedelta = timedelta(0)) -> CleanSummary:
    return clean(store.folder, keep=keep, older_than=older_than, now=datetime.now(UTC))


def found(store: KnowledgeStore) -> list[str]:
    hits = search(store, ["oxygen amoxicillin アモキシシリン"], languages=None, limit=9, today=TODAY, relevance=0)
    return [hit.passage.id for hit in hits]


def test_only_the_newest_stays_where_nobody_needs_another(four: KnowledgeStore, embedder: HashingEmbedder) -> None:
    *old, newest = four.versions()
    answer = found(four)

    summary = cleaned(four)

    reopened = KnowledgeStore(four.folder, embedder)
    assert summary.removed == tuple(old)
    assert reopened.versions() == (newest,)
    assert found(reopened) == answer
    assert check(four.folder).faults == ()


def test_a_version_that_is_needed_stays_with_its_documents(four: KnowledgeStore, embedder: HashingEmbedder) -> None:
    first, second, third, newest = four.versions()
    needed = KnowledgeStore(four.folder, embedder, second)
    answer, text = found(needed), needed.document_text(needed.passages("test-en")[0].document)

    summary = cleaned(four, second, "a version that never was")

    assert (summary.removed, summary.needed) == ((first, third), (second,))
    assert four.versions() == (second, newest)
    again = KnowledgeStore(four.folder, embedder, second)
    assert (found(again), again.document_text(again.passages("test-en")[0].document)) == (answer, text)
    assert check(four.folder).faults == ()


def test_documents_that_only_a_cleaned_version_held_are_gone(four: KnowledgeStore, embedder: HashingEmbedder) -> None:
    first = KnowledgeStore(four.folder, embedder, four.versions()[0])
    document = first.passages("test-en")[0].document

    cleaned(four)

    with pytest.raises(NotInKnowledgeBase):
        four.document_text(document)


def test_age_counts_from_when_a_version_was_replaced(four: KnowledgeStore) -> None:
    history = four.history()
    replaced = history[1].time

    summary = clean(four.folder, keep=(), older_than=timedelta(days=30), now=replaced + timedelta(days=30))

    assert summary.removed == (history[0].tag,)


def test_young_versions_stay(four: KnowledgeStore) -> None:
    before = four.versions()

    assert cleaned(four, older_than=timedelta(days=1)).removed == ()
    assert four.versions() == before


def test_who_reads_is_not_disturbed_and_what_was_read_goes_afterwards(four: KnowledgeStore) -> None:
    reading = four.snapshot()
    answer = found(reading)

    first = cleaned(four)

    assert found(reading) == answer
    assert first.still_read
    del reading
    four.refresh()
    second = cleaned(four)
    assert (second.still_read, second.freed > 0) == (False, True)
    assert found(four) == answer


def test_what_nobody_reads_is_freed_at_once(tmp_path: Path, make_pack: PackMaker, embedder: HashingEmbedder) -> None:
    for language in ("en", "ja"):
        KnowledgeStore(tmp_path / "store", embedder).add(make_pack(language))

    summary = clean(tmp_path / "store", keep=(), older_than=timedelta(0), now=datetime.now(UTC))

    assert (summary.still_read, summary.freed > 0) == (False, True)
    assert [path.name for path in (tmp_path / "store").glob("lance*")] == ["lance-1"]


def test_a_cleaned_version_says_so(four: KnowledgeStore) -> None:
    first = four.versions()[0]
    cleaned(four)

    with pytest.raises(VersionCleaned, match=f"{first} was cleaned away"):
        four.at(first)


def test_after_cleaning_packs_can_be_added_and_everything_rebuilt(
    four: KnowledgeStore, make_pack: PackMaker, embedder: HashingEmbedder
) -> None:
    cleaned(four)
    store = KnowledgeStore(four.folder, embedder)
    store.add(make_pack("ko"))
    answer = found(store)

    rebuild(store.folder, embedder)

    rebuilt = KnowledgeStore(store.folder, embedder)
    assert found(rebuilt) == answer
    assert [len(v.packs) for v in rebuilt.history() if not v.cleaned] == [1, 2]
    assert check(store.folder).faults == ()


def test_a_store_from_which_everything_was_removed_can_be_cleaned_rebuilt_and_filled(
    store: KnowledgeStore, make_pack: PackMaker, embedder: HashingEmbedder
) -> None:
    pack = make_pack("en")
    store.add(pack)
    tag = store.remove("test-en")

    summary = cleaned(store)
    rebuilt = rebuild(store.folder, embedder)
    again = KnowledgeStore(store.folder, embedder)

    assert (len(summary.removed), rebuilt.versions, rebuilt.passages) == (1, 1, 0)
    assert (again.version(), again.is_empty, check(store.folder).faults) == (tag, True, ())
    assert again.add(pack).passages > 0


def test_cleaning_twice_is_cleaning_once(four: KnowledgeStore) -> None:
    cleaned(four)
    left = four.versions()

    assert cleaned(four).removed == ()
    assert four.versions() == left


def test_cleaning_again_and_again_does_not_grow_the_store(four: KnowledgeStore) -> None:
    def size() -> int:
        return sum(file.stat().st_size for file in four.folder.rglob("*") if file.is_file())

    cleaned(four)
    four.refresh()
    cleaned(four)
    once = size()
    for _ in range(3):
        cleaned(four)

    assert size() == once


def test_there_must_be_something_to_clean(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeBaseMissing):
        clean(tmp_path / "store", keep=(), older_than=timedelta(0), now=datetime.now(UTC))
