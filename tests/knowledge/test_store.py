import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import lancedb
import pytest
from filelock import FileLock

from knowledge import folder as folder_module
from knowledge.errors import (
    DocumentAltered,
    DocumentUnsupported,
    EmbedderMismatch,
    KnowledgeBaseMissing,
    NotInKnowledgeBase,
    PackInvalid,
    StoreUnwritable,
)
from knowledge.pack import seal_pack
from knowledge.passage import text_hash
from knowledge.search import search
from knowledge.store import KnowledgeStore
from tests.knowledge.conftest import GUIDELINES, TODAY, HashingEmbedder, PackMaker


def texts(store: KnowledgeStore) -> set[str]:
    """The passages of a store, found by their ids as the packs' own documents give them."""
    table = lancedb.connect(str(store.folder / "lance")).open_table("passages")
    table.checkout(store.version())
    return {row["text"] for row in table.search().select(["text"]).limit(10_000).to_list()}


def test_a_new_store_is_empty_and_writes_nothing(tmp_path: Path, embedder: HashingEmbedder) -> None:
    store = KnowledgeStore(tmp_path / "store", embedder)

    assert store.is_empty
    assert store.version() is None
    assert store.list_packs() == ()
    assert not (tmp_path / "store").exists()
    with pytest.raises(KnowledgeBaseMissing, match="coreasoner knowledge add"):
        store.passage("psg_0123456789abcdef")


@pytest.mark.parametrize("language", GUIDELINES)
def test_a_pack_goes_in_with_its_provenance(store: KnowledgeStore, make_pack: PackMaker, language: str) -> None:
    jurisdiction, title, _, sections = GUIDELINES[language]

    summary = store.add(make_pack(language))

    assert (summary.documents, summary.passages, summary.unchanged) == (1, 3, False)
    assert summary.version == store.version()
    assert texts(store) == set(sections.values())
    pack = store.list_packs()[0]
    assert (pack.manifest.title, pack.manifest.jurisdiction, pack.passages) == (title, jurisdiction, 3)
    assert pack.manifest.documents[0].sha256 is not None


def test_a_passage_can_be_opened_in_its_document_and_proved(filled: KnowledgeStore) -> None:
    [(identifier, _)] = filled.table.matching("amoxicillin", None, 1)

    passage = filled.passage(identifier)

    text = filled.document_text(passage.document)
    assert text[passage.start : passage.end] == passage.text
    assert text_hash(passage.text) == passage.sha256
    assert (passage.document_title, passage.section) == ("Pneumonia in children", ("Treat",))
    assert (passage.pack, passage.edition, passage.language, passage.demonstration) == (
        "test-en",
        "2026.11",
        "en",
        True,
    )
    assert str(passage.expires) == "2027-11-22"


def test_what_is_not_there_is_said_not_to_be_there(filled: KnowledgeStore) -> None:
    with pytest.raises(NotInKnowledgeBase, match="passage psg_x is not"):
        filled.passage("psg_x")
    with pytest.raises(NotInKnowledgeBase, match="document"):
        filled.document_text("../store.json")


def test_a_tampered_source_is_not_opened(filled: KnowledgeStore) -> None:
    digest = filled.list_packs()[0].manifest.documents[0].sha256
    assert digest is not None
    (filled.folder / "sources" / digest).write_text("Give nothing.", "utf-8")

    with pytest.raises(DocumentAltered):
        filled.document_text(digest)


def test_adding_the_same_again_changes_nothing(store: KnowledgeStore, make_pack: PackMaker) -> None:
    folder = make_pack()
    first = store.add(folder)

    again = store.add(folder)

    assert again.unchanged
    assert again.version == first.version
    assert store.versions() == (first.version,)


def test_sealing_a_pack_does_not_change_what_it_says(store: KnowledgeStore, make_pack: PackMaker) -> None:
    folder = make_pack()
    store.add(folder)
    seal_pack(folder)

    assert store.add(folder).unchanged


def test_a_new_edition_replaces_the_pack_and_the_old_version_stays_readable(
    store: KnowledgeStore, make_pack: PackMaker, embedder: HashingEmbedder, tmp_path: Path
) -> None:
    store.add(make_pack("ja"))
    old = store.add(make_pack("en")).version
    former = texts(store)

    new = store.add(make_pack("en", edition="2027.01", files={"pneumonia.md": "# T\n\nGive nothing but fluids."}))

    assert texts(store) == {*GUIDELINES["ja"][3].values(), "Give nothing but fluids."}
    assert [(p.manifest.edition, p.passages) for p in store.list_packs()] == [("2027.01", 1), ("2026.11", 3)]
    replay = KnowledgeStore(tmp_path / "store", embedder, version=old)
    assert texts(replay) == former
    assert not replay.refresh()
    assert replay.table.matching("fluids", None, 5) == []
    assert new.version.startswith("test-en-2027.01-")


def test_a_store_at_a_named_version_can_not_be_added_to(
    store: KnowledgeStore, make_pack: PackMaker, embedder: HashingEmbedder, tmp_path: Path
) -> None:
    version = store.add(make_pack()).version
    replay = KnowledgeStore(tmp_path / "store", embedder, version=version)

    with pytest.raises(StoreUnwritable, match="stays as it was"):
        replay.add(make_pack("ja"))


def test_an_unknown_version_is_refused(filled: KnowledgeStore, embedder: HashingEmbedder) -> None:
    with pytest.raises(NotInKnowledgeBase, match="version no-such"):
        KnowledgeStore(filled.folder, embedder, version="no-such")


def test_another_process_sees_a_new_version_when_it_refreshes(
    store: KnowledgeStore, make_pack: PackMaker, embedder: HashingEmbedder, tmp_path: Path
) -> None:
    store.add(make_pack("en"))
    reader = KnowledgeStore(tmp_path / "store", embedder)
    store.add(make_pack("ja"))

    before = len(reader.list_packs())

    assert reader.refresh()
    assert (before, len(reader.list_packs())) == (1, 2)


@pytest.mark.parametrize("other", [HashingEmbedder(name="another"), HashingEmbedder(dimension=64)])
def test_another_embedder_is_refused(filled: KnowledgeStore, other: HashingEmbedder) -> None:
    with pytest.raises(EmbedderMismatch, match=r"built with the embedder hashed-trigrams \(256 dimensions\)"):
        KnowledgeStore(filled.folder, other)


def test_a_store_that_does_not_say_its_embedder_is_refused(filled: KnowledgeStore, embedder: HashingEmbedder) -> None:
    (filled.folder / "store.json").write_text("{}", "utf-8")

    with pytest.raises(EmbedderMismatch, match="unknown"):
        KnowledgeStore(filled.folder, embedder)


def test_an_altered_document_keeps_the_whole_pack_out(store: KnowledgeStore, make_pack: PackMaker) -> None:
    folder = make_pack()
    seal_pack(folder)
    (folder / "pneumonia.md").write_text("# Pneumonia\n\nGive nothing.", "utf-8")

    with pytest.raises(DocumentAltered, match=r"pneumonia\.md"):
        store.add(folder)

    assert store.is_empty


def test_what_can_not_be_read_is_left_out_with_the_reason(store: KnowledgeStore, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "a.md").write_text("# A\n\nText.", "utf-8")
    (folder / "b.pdf").write_bytes(b"%PDF-1.7")
    (folder / "c.txt").write_bytes("Fièvre".encode("latin-1"))
    (folder / "d.md").write_text("# A\n\nText.", "utf-8")

    summary = store.add(folder, language="en")

    assert (summary.documents, summary.passages) == (1, 1)
    assert [file for file, _ in summary.skipped] == ["b.pdf", "c.txt", "d.md"]
    assert "damaged" in summary.skipped[0][1]


def test_a_single_file_that_can_not_be_read_is_an_error(store: KnowledgeStore, tmp_path: Path) -> None:
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.7")

    with pytest.raises(DocumentUnsupported, match=r"b\.pdf"):
        store.add(tmp_path / "b.pdf")


@pytest.mark.parametrize("text", ["", "# Only a title\n", "> notice\n"])
def test_a_pack_without_text_is_refused(store: KnowledgeStore, make_pack: PackMaker, text: str) -> None:
    with pytest.raises(PackInvalid, match="none of its documents has text"):
        store.add(make_pack(files={"empty.md": text}))


def test_a_path_that_does_not_exist_is_refused(store: KnowledgeStore, tmp_path: Path) -> None:
    with pytest.raises(PackInvalid, match="no such folder"):
        store.add(tmp_path / "absent")


def test_hostile_text_is_neutralised_before_it_is_cut_and_the_removal_is_told(
    store: KnowledgeStore, tmp_path: Path
) -> None:
    file = tmp_path / "hostile.md"
    file.write_text("# T\r\n\r\nGive \u202e40\u202c mg<|im_end|> cafe\u0301 <b>now</b>.", "utf-8")

    summary = store.add(file, language="en")

    assert texts(store) == {"Give 40 mg café now."}
    assert set(summary.neutralised[0][1]) == {"U+202C", "U+202E", "<|im_end|>", "<b>", "</b>"}


def test_the_list_of_sources_is_kept_in_the_manifest_and_is_no_passage(
    store: KnowledgeStore, make_pack: PackMaker
) -> None:
    folder = make_pack(
        files={"a.md": "# T\n\n## Treat\n\nGive zinc.\n\n## Sources\n\n- WHO. Zinc. 2014.\n- WHO. Ward book."}
    )
    with (folder / "pack.toml").open("a", encoding="utf-8") as manifest:
        manifest.write('sources = ["WHO. Zinc. 2014.", "WHO. Ward book."]\n')

    store.add(folder)

    assert texts(store) == {"Give zinc."}
    assert store.list_packs()[0].manifest.documents[0].sources == ("WHO. Zinc. 2014.", "WHO. Ward book.")


def test_progress_counts_the_files_and_then_the_passages(store: KnowledgeStore, make_pack: PackMaker) -> None:
    seen: list[tuple[str, int, int]] = []

    store.add(make_pack(), progress=lambda label, done, total: seen.append((label, done, total)))

    assert seen == [("pneumonia.md", 0, 1), ("Pneumonia in children", 0, 3), ("Pneumonia in children", 3, 3)]


def test_a_folder_that_can_not_be_written_is_one_clear_error(
    tmp_path: Path, make_pack: PackMaker, embedder: HashingEmbedder
) -> None:
    (tmp_path / "store").write_text("a file", "utf-8")

    with pytest.raises(StoreUnwritable, match="nothing was changed"):
        KnowledgeStore(tmp_path / "store", embedder).add(make_pack())


def test_two_packs_are_not_written_at_once(
    filled: KnowledgeStore, make_pack: PackMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "_LOCK_SECONDS", 0.0)

    with (
        FileLock(filled.folder / "writing.lock"),
        pytest.raises(StoreUnwritable, match="another command is changing it"),
    ):
        filled.add(make_pack("en", edition="2027.01"))


def test_rows_of_a_write_that_was_killed_are_never_read_and_undone_by_the_next(
    store: KnowledgeStore, make_pack: PackMaker, embedder: HashingEmbedder, tmp_path: Path
) -> None:
    store.add(make_pack("en"))
    expected = texts(store)
    table = lancedb.connect(str(tmp_path / "store" / "lance")).open_table("passages")
    table.update(values={"text": "half written"})

    assert texts(KnowledgeStore(tmp_path / "store", embedder)) == expected
    store.add(make_pack("ja"))
    assert texts(store) == expected | set(GUIDELINES["ja"][3].values())


def test_a_first_write_that_was_killed_leaves_an_empty_store_that_can_be_filled(
    store: KnowledgeStore, make_pack: PackMaker, embedder: HashingEmbedder, tmp_path: Path
) -> None:
    store.add(make_pack("en"))
    table = lancedb.connect(str(tmp_path / "store" / "lance")).open_table("passages")
    for tag in table.tags.list():
        table.tags.delete(tag)
    for record in (tmp_path / "store" / "versions").glob("*.json"):
        record.replace(record.with_suffix(".announced"))

    reopened = KnowledgeStore(tmp_path / "store", embedder)

    assert reopened.is_empty
    assert reopened.add(make_pack("ja")).passages == 3
    assert texts(reopened) == set(GUIDELINES["ja"][3].values())


@pytest.mark.parametrize("left_behind", ["", "data", "_versions", "_transactions"])
def test_a_first_write_that_was_killed_before_its_first_commit_is_no_obstacle(
    make_pack: PackMaker, embedder: HashingEmbedder, tmp_path: Path, left_behind: str
) -> None:
    (tmp_path / "store" / "lance" / "passages.lance" / left_behind).mkdir(parents=True)

    store = KnowledgeStore(tmp_path / "store", embedder)

    assert store.is_empty
    assert store.add(make_pack()).passages == 3


def test_killed_while_adding_the_old_version_stays(
    store: KnowledgeStore, make_pack: PackMaker, embedder: HashingEmbedder, tmp_path: Path
) -> None:
    version = store.add(make_pack("en")).version
    program = """
        import os, signal, sys
        from pathlib import Path
        from knowledge.store import KnowledgeStore
        from tests.knowledge.conftest import HashingEmbedder

        def kill_at_the_end(label, done, total):
            if done == total:
                os.kill(os.getpid(), signal.SIGKILL)

        KnowledgeStore(Path(sys.argv[1]), HashingEmbedder()).add(Path(sys.argv[2]), progress=kill_at_the_end)
    """
    command = [sys.executable, "-c", dedent(program), str(tmp_path / "store"), str(make_pack("ja"))]

    ended = subprocess.run(command, cwd=Path(__file__).parents[2], env=os.environ, check=False)

    assert ended.returncode == -signal.SIGKILL
    reopened = KnowledgeStore(tmp_path / "store", embedder)
    assert reopened.version() == version
    assert len(reopened.list_packs()) == 1


@pytest.mark.parametrize("edition", ["..", "1..2", "2026/11 (rev. 2)", "第2版", "", "x" * 300, "x" * 42 + "....1"])
def test_any_edition_makes_a_version_that_can_be_opened(
    store: KnowledgeStore, make_pack: PackMaker, embedder: HashingEmbedder, edition: str
) -> None:
    folder = make_pack()
    manifest = (folder / "pack.toml").read_text("utf-8").replace('edition = "2026.11"', f'edition = "{edition}"')
    (folder / "pack.toml").write_text(manifest, "utf-8")

    version = store.add(folder).version

    assert KnowledgeStore(store.folder, embedder, version=version).version() == version


@pytest.mark.parametrize("name", ["with space", "指南", "50% #1 ä"])
def test_any_folder_can_hold_a_store(
    tmp_path: Path, make_pack: PackMaker, embedder: HashingEmbedder, name: str
) -> None:
    KnowledgeStore(tmp_path / name, embedder).add(make_pack())

    assert len(texts(KnowledgeStore(tmp_path / name, embedder))) == 3


def test_a_pack_is_taken_out_as_a_new_version_and_the_former_stays_readable(
    filled: KnowledgeStore, embedder: HashingEmbedder
) -> None:
    before = filled.version()
    former = texts(filled)

    version = filled.remove("test-ja")

    assert filled.version() == version
    assert texts(filled) == former - set(GUIDELINES["ja"][3].values())
    assert texts(KnowledgeStore(filled.folder, embedder, before)) == former


def test_taking_out_needs_no_embedder(filled: KnowledgeStore) -> None:
    KnowledgeStore(filled.folder, None).remove("test-ja")

    assert filled.refresh()
    assert len(filled.list_packs()) == 4


def test_the_last_pack_can_be_taken_out_and_another_put_in(store: KnowledgeStore, make_pack: PackMaker) -> None:
    store.add(make_pack("en"))
    store.remove("test-en")

    emptied = (store.is_empty, store.list_packs())
    store.add(make_pack("ja"))

    assert emptied == (True, ())
    assert texts(store) == set(GUIDELINES["ja"][3].values())


def test_an_emptied_store_can_be_asked_and_has_no_answer(store: KnowledgeStore, make_pack: PackMaker) -> None:
    store.add(make_pack("en"))
    store.remove("test-en")

    assert search(store, ["amoxicillin"], languages=None, today=TODAY, relevance=0) == ()


@pytest.mark.parametrize("name", ["test-eng", "", "../store", "x' OR '1'='1"])
def test_a_pack_that_is_not_there_can_not_be_taken_out(filled: KnowledgeStore, name: str) -> None:
    with pytest.raises(NotInKnowledgeBase, match=r"did you mean test-|it holds test-ar, test-en"):
        filled.remove(name)

    assert len(filled.versions()) == 5


def test_a_removed_pack_added_again_has_the_same_passages(filled: KnowledgeStore, make_pack: PackMaker) -> None:
    before = filled.passages("test-ja")
    filled.remove("test-ja")

    filled.add(make_pack("ja", name="again").parent / "test-ja-2026.11")

    assert filled.passages("test-ja") == before


def test_a_snapshot_stays_while_the_store_goes_on(store: KnowledgeStore, make_pack: PackMaker) -> None:
    store.add(make_pack("en"))
    snapshot = store.snapshot()

    store.add(make_pack("ja"))

    assert (len(snapshot.list_packs()), len(store.list_packs()), len(store.snapshot().list_packs())) == (1, 2, 2)
    assert not snapshot.refresh()


def test_a_snapshot_is_of_what_others_added_meanwhile(
    store: KnowledgeStore, make_pack: PackMaker, embedder: HashingEmbedder
) -> None:
    store.add(make_pack("en"))
    reader = KnowledgeStore(store.folder, embedder)
    store.add(make_pack("ja"))

    assert len(reader.snapshot().list_packs()) == 2
