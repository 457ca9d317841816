"""Documents without a manifest: what is asked, what is inferred, and what is remembered of the last time."""

import os
import pty
import re
import subprocess
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
import typer

from knowledge.pack import STATED, DocumentEntry, Manifest
from tests.ui.conftest import Installation
from tests.ui.test_knowledge_commands import archive, knowledge, refused
from ui.pack_questions import QUESTIONS, asked

INFERRED = Manifest(
    name="ward",
    title="ward",
    publisher="",
    jurisdiction="INT",
    language="es",
    edition="",
    licence="",
    documents=(
        DocumentEntry(file="a.md", title="Malaria", language="es"),
        DocumentEntry(file="b.md", title="Fever", language="en"),
    ),
)
ACCEPTED = [""] * 8


class Person:
    """Answers questions in their order; an empty answer accepts what is offered."""

    def __init__(self, answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.questions: list[str] = []
        self.told: list[object] = []

    def __call__(self, question: str, default: str) -> str:
        self.questions.append(question)
        return self._answers.pop(0) or default

    def completes(self, manifest: Manifest, **given: str) -> Manifest:
        return asked(manifest, given, self, self.told.append)


def test_everything_that_a_pack_states_is_asked_for_in_its_order() -> None:
    assert tuple(QUESTIONS) == STATED


def test_enter_accepts_everything_that_was_inferred() -> None:
    assert Person(ACCEPTED).completes(INFERRED) == INFERRED


def test_answers_take_the_place_of_what_was_inferred() -> None:
    answers = ["Malaria", "Ministry", "mz", "pt", "2026", "2026-01-01", "2028-12-31", "CC-BY-4.0"]

    manifest = Person(answers).completes(INFERRED)

    assert (manifest.title, manifest.publisher, manifest.jurisdiction, manifest.language) == (
        "Malaria",
        "Ministry",
        "MZ",
        "pt",
    )
    assert (manifest.edition, manifest.effective, manifest.expires, manifest.licence) == (
        "2026",
        date(2026, 1, 1),
        date(2028, 12, 31),
        "CC-BY-4.0",
    )


def test_documents_in_the_packs_language_follow_it_and_others_stay() -> None:
    manifest = Person(["", "", "", "pt", "", "", "", ""]).completes(INFERRED)

    assert [entry.language for entry in manifest.documents] == ["pt", "en"]


def test_a_single_documents_title_follows_the_packs() -> None:
    alone = INFERRED.model_copy(update={"title": "Malaria", "documents": INFERRED.documents[:1]})

    assert Person(["Malaria 2026", *ACCEPTED[1:]]).completes(alone).documents[0].title == "Malaria 2026"


@pytest.mark.parametrize(
    ("place", "wrong", "right"),
    [(2, "Mozambique", "MZ"), (3, "Portuguese", "pt"), (5, "yesterday", "2026-01-01"), (0, "-", "Malaria")],
)
def test_an_answer_that_cannot_be_used_is_asked_for_again(place: int, wrong: str, right: str) -> None:
    person = Person([*ACCEPTED[:place], wrong, right, *ACCEPTED[place + 1 :]])

    person.completes(INFERRED)

    assert person.questions[place] == person.questions[place + 1]
    assert str(person.told[-1]).startswith("That can't be used: ")


def test_a_dash_leaves_open_what_was_known() -> None:
    known = INFERRED.model_copy(update={"publisher": "Ministry", "expires": date(2027, 1, 1)})

    manifest = Person(["", "-", "", "", "", "", "-", ""]).completes(known)

    assert (manifest.publisher, manifest.expires) == ("", None)


def test_what_was_given_is_not_asked_for() -> None:
    person = Person(ACCEPTED[1:])

    person.completes(INFERRED, publisher="Ministry")

    assert len(person.questions) == 7
    assert not any(question.startswith("Publisher") for question in person.questions)


@pytest.fixture
def ward(tmp_path: Path) -> Path:
    folder = tmp_path / "ward"
    folder.mkdir()
    (folder / "malaria.md").write_text("# Malaria\n\nGive artesunate to a child with severe malaria.", "utf-8")
    return folder


@pytest.fixture
def own(installation: Installation, tmp_path: Path) -> Installation:
    return installation.elsewhere(home=tmp_path / "home")


def stated(where: Installation) -> tuple[str, str, str, date | None]:
    manifest = archive(where).pack("ward").manifest
    return manifest.publisher, manifest.jurisdiction, manifest.edition, manifest.expires


def test_each_field_can_be_stated_as_an_option(own: Installation, ward: Path) -> None:
    options = ("--publisher", "Ministry", "--jurisdiction", "mz", "--edition", "2026", "--expires", "2028-12-31")
    more = ("--title", "Malaria", "--language", "en", "--effective", "2026-01-01", "--licence", "CC0-1.0")

    knowledge(own, "add", str(ward), *options, *more)

    assert stated(own) == ("Ministry", "MZ", "2026", date(2028, 12, 31))
    manifest = archive(own).pack("ward").manifest
    assert (manifest.title, manifest.language, manifest.effective, manifest.licence) == (
        "Malaria",
        "en",
        date(2026, 1, 1),
        "CC0-1.0",
    )


def test_the_same_documents_again_keep_what_was_stated_of_them(own: Installation, ward: Path) -> None:
    knowledge(own, "add", str(ward), "--publisher", "Ministry", "--edition", "2026")

    again = knowledge(own, "add", str(ward))

    assert again.out.startswith("ward: was there already")
    assert stated(own) == ("Ministry", "INT", "2026", None)


def test_other_documents_keep_the_publisher_and_not_the_edition(own: Installation, ward: Path) -> None:
    knowledge(own, "add", str(ward), "--publisher", "Ministry", "--jurisdiction", "MZ", "--edition", "2026")
    (ward / "malaria.md").write_text("# Malaria\n\nGive artesunate at once.", "utf-8")

    knowledge(own, "add", str(ward))

    assert stated(own) == ("Ministry", "MZ", "", None)


def test_a_stated_field_that_cannot_be_used_gets_one_sentence(own: Installation, ward: Path) -> None:
    assert "effective: " in refused(own, "add", str(ward), "--effective", "yesterday")


def test_a_pack_with_a_manifest_is_not_restated(own: Installation, ward: Path, tmp_path: Path) -> None:
    knowledge(own, "add", str(ward), "--language", "en")
    knowledge(own, "export", "ward", str(tmp_path / "stick"))

    ran = own.run_here("knowledge", "add", str(tmp_path / "stick"), "--publisher", "Ministry")

    assert ran.code == 2
    assert "pack.toml states this" in " ".join(ran.err.split())


def test_an_end_of_input_adds_nothing() -> None:
    def gone(question: str, default: str) -> str:
        raise typer.Abort

    with pytest.raises(typer.Abort):
        asked(INFERRED, {}, gone, lambda words: None)


def test_on_a_terminal_a_person_is_asked_and_enter_accepts(own: Installation, ward: Path) -> None:
    ours, theirs = pty.openpty()
    command = own.command("knowledge", "add", str(ward))
    with subprocess.Popen(command, env=own.environment, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, b"\nMinistry\nmz\n\n2026\n\n2028-12-31\n\n")
        shown = _read_all(ours)
        assert process.stdout is not None
        out = process.stdout.read().decode()
    os.close(ours)

    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert process.returncode == 0, shown
    # click asks on standard error, but the blank behind each question goes to standard output.
    assert out.lstrip(" ").startswith("ward: added, 1 documents")
    assert "Title of the pack [ward]" in plain
    assert stated(own) == ("Ministry", "MZ", "2026", date(2028, 12, 31))


def _read_all(terminal: int) -> str:
    """What a program writes to its terminal until it ends."""
    pieces = []
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # Linux says so that nobody has the other end any more
            break
        if not piece:
            break
        pieces.append(piece)
    return b"".join(pieces).decode()
