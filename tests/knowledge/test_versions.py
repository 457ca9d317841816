from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from knowledge.errors import KnowledgeBaseDamaged, KnowledgeBaseMissing, NotInKnowledgeBase, VersionCleaned
from knowledge.store import KnowledgeStore
from knowledge.versions import Version, Versions, as_of, new_tag
from tests.knowledge.conftest import HashingEmbedder, PackMaker


def local(day: int, at: time = time(12)) -> datetime:
    return datetime.combine(date(2026, 11, day), at).astimezone()


def version(serial: int, day: int, at: time = time(12), cleaned: datetime | None = None) -> Version:
    when = local(day, at).astimezone(UTC)
    return Version(tag=f"v-{serial}", serial=serial, time=when, change="added", packs={}, cleaned=cleaned)


HISTORY = (version(1, 2), version(2, 4), version(3, 4, time(23, 59, 59)), version(4, 6, time(0)))


@pytest.mark.parametrize(
    ("when", "tag"),
    [("v-2", "v-2"), ("2026-11-02", "v-1"), ("2026-11-03", "v-1"), ("2026-11-04", "v-3"), ("2026-11-05", "v-3")],
)
def test_a_day_means_the_newest_version_at_its_end(when: str, tag: str) -> None:
    assert as_of(HISTORY, when).tag == tag


def test_a_day_to_come_means_the_newest_version() -> None:
    assert as_of(HISTORY, "2099-01-01").tag == "v-4"


def test_before_the_first_version_there_is_none_and_its_day_is_named() -> None:
    with pytest.raises(NotInKnowledgeBase, match=r"version of 2026-11-01 .* first version is of 2026-11-02"):
        as_of(HISTORY, "2026-11-01")


@pytest.mark.parametrize("when", ["v-9", "yesterday", "2026-13-01", "../v-1", ""])
def test_what_is_neither_a_version_nor_a_day_is_refused(when: str) -> None:
    with pytest.raises(NotInKnowledgeBase, match="written as 2026-12-31"):
        as_of(HISTORY, when)


def test_without_versions_there_is_nothing_to_look_back_at() -> None:
    with pytest.raises(KnowledgeBaseMissing):
        as_of((), "2026-11-02")


@pytest.mark.parametrize("when", ["v-2", "2026-11-04"])
def test_a_day_whose_version_was_cleaned_away_is_not_answered_with_another(when: str) -> None:
    history = (version(1, 2), version(2, 4, cleaned=local(20)), version(4, 6))

    with pytest.raises(VersionCleaned, match="v-2 was cleaned away on 2026-11-20"):
        as_of(history, when)


def test_what_was_announced_and_never_tagged_is_forgotten(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    for serial in (1, 2):
        versions.announce(version(serial, 2))

    versions.settle(["v-2"])

    assert [found.tag for found in versions.settled()] == ["v-2"]
    assert versions.read("v-1") is None


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", version(2, 2).model_dump_json().encode()])
def test_a_record_that_does_not_speak_of_its_version_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "v-1.json").write_bytes(content)

    with pytest.raises(KnowledgeBaseDamaged, match="the record of version v-1"):
        Versions(tmp_path).settled()


@pytest.mark.parametrize("label", ["..", "1..2", "2026/11 (rev. 2)", "第2版", "", "x" * 300, "x" * 42 + "....1"])
def test_any_label_makes_a_tag_that_a_record_can_have(label: str) -> None:
    tag = new_tag(label, 7)

    assert Version(tag=tag, serial=7, time=local(2), change="", packs={}).tag == tag


def test_every_change_is_a_version_with_its_time_and_its_packs(store: KnowledgeStore, make_pack: PackMaker) -> None:
    started = datetime.now(UTC)
    store.add(make_pack("en"))
    store.add(make_pack("ja"))
    store.remove("test-en")

    history = store.history()

    assert [v.change for v in history] == ["added test-en 2026.11", "added test-ja 2026.11", "removed test-en"]
    assert [sorted(v.packs) for v in history] == [["test-en"], ["test-en", "test-ja"], ["test-ja"]]
    assert started <= history[0].time < history[1].time < history[2].time <= datetime.now(UTC)
    assert [v.tag for v in history] == list(store.versions())


def test_a_store_can_be_read_as_it_was_on_a_day(
    store: KnowledgeStore, make_pack: PackMaker, embedder: HashingEmbedder
) -> None:
    store.add(make_pack("en"))

    today = store.at(str(date.today()))
    store.add(make_pack("ja"))

    assert len(today.list_packs()) == 1
    assert len(store.at(str(date.today())).list_packs()) == 2
    with pytest.raises(NotInKnowledgeBase, match="first version is of"):
        store.at(str(date.today() - timedelta(days=1)))


def test_a_version_from_before_there_were_records_is_listed_and_gets_one_with_the_next_change(
    store: KnowledgeStore, make_pack: PackMaker
) -> None:
    first = store.add(make_pack("en")).version
    recorded = store.history()[0]
    (store.folder / "versions" / f"{first}.json").unlink()

    listed = store.history()
    store.add(make_pack("ja"))

    assert [v.tag for v in listed] == [first]
    recovered = store.history()[0]
    assert recovered.packs["test-en"].passages == recorded.packs["test-en"].passages
    assert abs(recovered.time - recorded.time) < timedelta(minutes=1)
