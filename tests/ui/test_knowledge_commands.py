"""`coreasoner knowledge` from adding to cleaning, on a copy of the prepared installation."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from knowledge.store import KnowledgeStore
from tests.ui.conftest import Installation, Ran
from transcripts.event import EventKind
from transcripts.store import TranscriptStore
from ui.cli import KNOWN_ERRORS

PACK = "starter-es"


@pytest.fixture
def own(installation: Installation, tmp_path: Path) -> Installation:
    """A home of one's own with the same guidelines."""
    shutil.copytree(installation.home / "knowledge", tmp_path / "home" / "knowledge")
    return installation.elsewhere(home=tmp_path / "home")


def knowledge(where: Installation, *arguments: str) -> Ran:
    ran = where.run_here("knowledge", *arguments)
    assert ran.code in (0, 1), ran.err
    return ran


def archive(where: Installation) -> KnowledgeStore:
    return KnowledgeStore(where.home / "knowledge", None)


def refused(where: Installation, *arguments: str) -> str:
    """The one sentence with which a command is refused."""
    with pytest.raises(KNOWN_ERRORS) as error:
        where.run_here("knowledge", *arguments)
    sentence = str(error.value)
    assert "\n" not in sentence
    return sentence


def words(ran: Ran) -> str:
    return " ".join(ran.out.split())


def test_tables_fit_eighty_columns_and_cut_no_name(own: Installation) -> None:
    for command in ("list", "versions"):
        ran = knowledge(own, command)

        assert max(map(len, ran.out.splitlines())) <= 80
        names = {word for line in ran.out.splitlines() for word in line.split()[:1]}
        expected = (
            {p.manifest.name for p in archive(own).list_packs()} if command == "list" else archive(own).versions()
        )
        assert names >= set(expected)


def test_a_pack_is_shown_with_manifest_documents_and_passages(own: Installation) -> None:
    ran = knowledge(own, "show", PACK)

    manifest = archive(own).pack(PACK).manifest
    assert {f"title: {manifest.title}", f"edition: {manifest.edition}"} <= set(ran.out.splitlines())
    assert all(str(entry.sha256) in ran.out for entry in manifest.documents)
    assert all(passage.id in ran.out for passage in archive(own).passages(PACK))


def test_a_passage_is_shown_marked_in_its_document(own: Installation) -> None:
    store = archive(own)
    passage = store.passages(PACK)[2]
    text = store.document_text(passage.document)

    ran = knowledge(own, "show", passage.id)

    marked = [line[2:] for line in ran.out.splitlines() if line.startswith("▌ ")]
    assert " ".join("\n".join(marked).split())[:40] == " ".join(passage.text.split())[:40]
    assert passage.document in ran.out
    assert text[: passage.start].split()[-1] in words(ran).partition("▌")[0]
    assert all(heading in ran.out for heading in passage.section)


def test_a_removed_pack_is_gone_now_and_not_before(own: Installation) -> None:
    before = archive(own).version()
    assert before is not None

    ran = knowledge(own, "remove", PACK)

    assert str(archive(own).version()) in ran.out
    assert PACK not in knowledge(own, "list").out
    assert PACK in knowledge(own, "list", "--as-of", before).out
    difference = knowledge(own, "diff", before)
    assert f"- pack {PACK}: 0 passages added," in difference.out
    assert words(knowledge(own, "diff", before, before)) == "Nothing differs."


def test_a_pack_can_be_carried_to_another_machine(own: Installation, tmp_path: Path) -> None:
    knowledge(own, "export", PACK, str(tmp_path / "stick"))
    elsewhere = own.elsewhere(home=tmp_path / "elsewhere")

    ran = knowledge(elsewhere, "add", str(tmp_path / "stick"))

    assert ran.out.startswith("stick: added, 2 documents, ")
    assert archive(elsewhere).passages(PACK) == archive(own).passages(PACK)
    assert knowledge(elsewhere, "add", str(tmp_path / "stick")).out.startswith("stick: was there already")


def test_what_is_left_out_is_said_with_the_reason(own: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "a.md").write_text("# A\n\nGive\u202e zinc.", "utf-8")
    (folder / "b.zip").write_bytes(b"PK")

    ran = knowledge(own, "add", str(folder), "--language", "en")

    assert ran.out.splitlines()[0] == "mixed: added, 1 documents, 1 passages"
    assert ran.out.splitlines()[1].startswith("  left out b.zip: ")
    assert ran.out.splitlines()[2].startswith("  a.md: 1 kinds of hidden characters or markup")


def test_a_sound_knowledge_base_is_proved_and_a_fault_ends_with_one(own: Installation) -> None:
    sound = knowledge(own, "check")
    digest = str(archive(own).pack(PACK).manifest.documents[0].sha256)
    (own.home / "knowledge" / "sources" / digest).write_text("Give nothing.", "utf-8")

    faulty = knowledge(own, "check")

    assert (sound.code, "everything is as it was added" in sound.out) == (0, True)
    assert faulty.code == 1
    assert faulty.out.startswith(f"source {digest[:12]}: ")


def test_rebuilt_tables_are_the_same(own: Installation) -> None:
    before = archive(own)
    passages = before.passages(PACK)

    ran = knowledge(own, "rebuild")

    assert ran.out.startswith(f"{len(before.versions())} versions and ")
    assert archive(own).passages(PACK) == passages
    assert knowledge(own, "check").code == 0


@pytest.mark.parametrize("file", ["transcripts.db", "evaluations/transcripts.db"])
def test_a_version_that_a_transcript_names_is_not_cleaned_away(file: str, own: Installation) -> None:
    first, *others, _ = archive(own).versions()
    (own.home / file).parent.mkdir(exist_ok=True)
    with TranscriptStore.open(own.home / file) as store, store.begin() as recorder:
        recorder.record(EventKind.RETRIEVAL, {"version": first})

    ran = knowledge(own, "clean", "--older-than", "0")

    assert f"removed: {', '.join(others)}" in ran.out
    assert f"kept for the transcripts: {first}" in ran.out
    assert archive(own).versions()[0] == first
    assert "cleaned" in knowledge(own, "versions").out


def test_young_versions_are_not_cleaned_away(own: Installation) -> None:
    assert knowledge(own, "clean").out.startswith("0 versions removed")


def test_a_search_can_be_narrowed_and_looks_back(own: Installation) -> None:
    before = archive(own).version()
    assert before is not None
    question = ("search", "¿Cómo se trata la neumonía en un niño?")
    narrow = ("--pack", PACK, "--jurisdiction", "es", "--language", "es")
    found = knowledge(own, *question, *narrow)
    knowledge(own, "remove", PACK)

    then, now = knowledge(own, *question, "--as-of", before, *narrow), knowledge(own, *question)

    assert found.out == then.out
    assert "ES" in found.out
    assert not any(passage.id in now.out for passage in archive(own).at(before).passages(PACK))


def test_a_passage_in_another_language_than_the_question_says_so(own: Installation) -> None:
    ran = knowledge(own, "search", "How is pneumonia in a child treated?", "--language", "es", "--limit", "1")

    assert "Spanish (the question is in English)" in words(ran)


def test_expired_guidelines_are_marked(own: Installation, tmp_path: Path) -> None:
    knowledge(own, "export", PACK, str(tmp_path / "old"))
    manifest = tmp_path / "old" / "pack.toml"
    lines = manifest.read_text("utf-8").splitlines()
    dates = {"effective": "2001-01-01", "expires": "2001-12-31", "name": '"old"'}
    changed = [next((f"{k} = {v}" for k, v in dates.items() if line.startswith(f"{k} ")), line) for line in lines]
    manifest.write_text("\n".join(changed), "utf-8")
    knowledge(own, "add", str(tmp_path / "old"))

    assert "EXPIRED 2001-12-31" in knowledge(own, "search", "neumonía", "--pack", "old").out
    assert "EXPIRED" in knowledge(own, "list").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "starter-ess"), "did you mean starter-es"),
        (("show", "psg_0000000000000000"), "The passage psg_0000000000000000 is not"),
        (("remove", "nothing-like-it"), "it holds starter-en, starter-es"),
        (("export", "nothing-like-it", "stick"), "it holds starter-en"),
        (("search", "x", "--pack", "starter-e"), "did you mean starter-e"),
        (("search", "x", "--jurisdiction", "XX"), "The jurisdiction XX is not"),
        (("search", "x", "--language", "ja"), "The language ja is not"),
        (("list", "--as-of", "yesterday"), "a day is written as 2026-12-31"),
    ],
)
def test_a_wrong_name_gets_one_sentence(installation: Installation, arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(installation, *arguments)


def test_a_day_before_the_first_version_is_told_which_that_was(installation: Installation) -> None:
    said = refused(installation, "diff", "2001-01-01")

    # The guidelines were added today, or before midnight.
    assert any(f"the first version is of {date.today() - timedelta(days=ago)}" in said for ago in (0, 1))


@pytest.mark.parametrize("command", ["show x", "remove x", "diff x", "check", "rebuild", "clean", "search x"])
def test_before_anything_was_added_every_command_says_what_to_do(
    installation: Installation, tmp_path: Path, command: str
) -> None:
    assert "coreasoner knowledge add FOLDER" in refused(installation.elsewhere(home=tmp_path), *command.split())


def test_an_empty_list_says_what_to_do(installation: Installation, tmp_path: Path) -> None:
    assert "coreasoner knowledge add FOLDER" in knowledge(installation.elsewhere(home=tmp_path), "list").out
