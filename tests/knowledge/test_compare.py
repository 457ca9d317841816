import pytest

from knowledge.compare import PassageChange, compare, passage_changes
from knowledge.passage import Passage, passage_id, text_hash
from knowledge.store import KnowledgeStore
from tests.knowledge.conftest import PackMaker


def moved(passage: Passage, text: str, start: int = 0, section: str = "Treat", document: str = "0") -> Passage:
    end = start + len(text)
    changes = {"text": text, "sha256": text_hash(text), "section": (section,), "start": start, "end": end}
    return passage.model_copy(update={**changes, "id": passage_id(document * 64, start, end)})


def texts(changes: tuple[PassageChange, ...]) -> list[tuple[str | None, str | None]]:
    return [tuple(side and side.text for side in (change.before, change.after)) for change in changes]  # type: ignore[misc]  # always two


def test_the_same_text_in_another_place_of_another_file_is_no_change(passage: Passage) -> None:
    before = [moved(passage, "Give zinc."), moved(passage, "Give fluids.", 20)]
    after = [moved(passage, "Give fluids.", 3, "Manage", "1"), moved(passage, "Give zinc.", 50, document="1")]

    assert passage_changes(before, after) == ()


def test_what_comes_and_goes_under_other_headings_is_added_and_removed(passage: Passage) -> None:
    changes = passage_changes([moved(passage, "Give zinc.")], [moved(passage, "Call a doctor.", section="Refer")])

    assert texts(changes) == [("Give zinc.", None), (None, "Call a doctor.")]


def test_another_text_under_the_same_headings_is_a_change(passage: Passage) -> None:
    before = [moved(passage, "Give 10 mg."), moved(passage, "Give fluids.", 20)]
    after = [moved(passage, "Give 20 mg."), moved(passage, "Give fluids.", 20)]

    assert texts(passage_changes(before, after)) == [("Give 10 mg.", "Give 20 mg.")]


def test_a_text_that_stood_twice_and_now_once_is_one_less(passage: Passage) -> None:
    twice = [moved(passage, "Give zinc."), moved(passage, "Give zinc.", 30)]

    assert texts(passage_changes(twice, twice[:1])) == [("Give zinc.", None)]


def test_two_versions_differ_in_packs_and_passages(store: KnowledgeStore, make_pack: PackMaker) -> None:
    store.add(make_pack("ja"))
    store.add(make_pack("ko"))
    before = store.add(make_pack("en", files={"a.md": "# T\n\n## Treat\n\nGive 10 mg.\n\n## Refer\n\nSoon."})).version
    store.remove("test-ja")
    store.add(make_pack("th"))
    store.add(make_pack("en", edition="2027.01", files={"a.md": "# T\n\n## Treat\n\nGive 20 mg.\n\n## Rest\n\nA day."}))

    changes = compare(store.at(before), store)

    assert [change.name for change in changes] == ["test-en", "test-ja", "test-th"]
    english, japanese, thai = changes
    assert (english.added, english.removed, english.changed) == (1, 1, 1)
    assert english.before is not None
    assert english.after is not None
    assert (english.before.edition, english.after.edition) == ("2026.11", "2027.01")
    assert (japanese.after, japanese.removed, thai.before, thai.added) == (None, 3, None, 3)


def test_a_version_does_not_differ_from_itself(filled: KnowledgeStore) -> None:
    assert compare(filled, filled) == ()


@pytest.mark.parametrize("field", ["expires", "edition"])
def test_a_pack_that_says_something_else_differs_without_passages(
    store: KnowledgeStore, make_pack: PackMaker, field: str
) -> None:
    before = store.add(make_pack("en")).version
    folder = make_pack("en", name="other")
    manifest = (folder / "pack.toml").read_text("utf-8").replace('"other"', '"test-en"')
    old, new = {"expires": ("2027-11-22", "2028-11-22"), "edition": ("2026.11", "2026.12")}[field]
    (folder / "pack.toml").write_text(manifest.replace(old, new), "utf-8")
    store.add(folder)

    (change,) = compare(store.at(before), store)

    assert change.passages == ()
    assert getattr(change.before, field) != getattr(change.after, field)
