"""A redacted export proves itself elsewhere, says nothing of what was removed, and can be proved against the record."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from transcripts.errors import ExportRefused, RedactionUnknown, TranscriptAltered
from transcripts.event import Event, EventKind, parse, text_digest
from transcripts.export import check_script, write
from transcripts.keys import KeyRing
from transcripts.redacted import RedactedExport, export_redacted, prove_redacted
from transcripts.store import TranscriptStore

NAME, PHONE = "高橋美咲", "03-1234-5678"


def consult(store: TranscriptStore, language: str = "ja") -> str:
    """A case in which a name and a number stand, also cut up by the chunks of a stream."""
    with store.begin() as recorder:
        recorder.record(EventKind.MODEL, {"models": []})
        recorder.record(
            EventKind.CASE, {"text": f"私の名前は{NAME}です。電話は{PHONE}。", "language": language, "n": 1e20}
        )
        with recorder.stream("local clinician") as stream:
            for chunk in ("高橋", "美", "咲さん、", "03-12", "34-5678", "へ"):
                stream.add(chunk)
        recorder.record(EventKind.ANSWER, {"text": f"{NAME}: アスピリン 200 mg"})
    return recorder.consultation_id


@pytest.fixture
def consultation(signed: TranscriptStore) -> str:
    return consult(signed)


@pytest.fixture
def made(signed: TranscriptStore, consultation: str) -> RedactedExport:
    return export_redacted(signed, consultation, {"by": "engineer"}, ["200"])


def check(folder: Path, lines: tuple[str, ...], ring: KeyRing) -> subprocess.CompletedProcess[str]:
    """Run the program in isolation: no product, no variables, no folder of ours."""
    write(folder, "check.py", [check_script()])
    file = write(folder, "export.jsonl", lines)
    command = [sys.executable, "-I", "check.py", file.name, str(ring.public_file)]
    return subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True)


def test_nothing_private_leaves(made: RedactedExport) -> None:
    text = "\n".join(made.lines)

    assert not any(piece in text for piece in (NAME, PHONE, "高橋", "34-5678", "200 mg"))
    assert made.kinds == {"name": 3, "phone": 2, "other": 1}


def test_what_is_no_ones_stays_as_it_was(made: RedactedExport) -> None:
    bodies = [json.loads(line)["event"]["body"] for line in made.lines[1:-1]]

    assert bodies[1] == {"text": "私の名前は[name]です。電話は[phone]。", "language": "ja", "n": 1e20}
    assert [text for _, text in bodies[2]["chunks"]] == ["[name]", "", "さん、", "[phone]", "", "へ"]


def test_a_redacted_export_is_proved_without_the_product(made: RedactedExport, ring: KeyRing, tmp_path: Path) -> None:
    checked = check(tmp_path, made.lines, ring)

    assert checked.stdout.startswith("REDACTED, UNALTERED: 5 events, signed at 20"), checked.stderr


def replaced(old: str, new: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [line.replace(old, new) for line in lines]


def rechained(lines: list[str]) -> list[str]:
    """Another dose, with every hash of the events made to fit again."""
    remade, previous = [lines[0]], ""
    for line in lines[1:-2]:
        content = parse(line.replace(" mg", " kg"))["event"]
        assert isinstance(content, dict)
        linked = {"previous": previous or content["previous"], "hash": text_digest("")}
        event = Event.model_validate({**content, **linked})
        previous = text_digest(event.content())
        remade.append(f'{{"hash":"{previous}","event":{event.content()}}}')
    return [*remade, *lines[-2:]]


@pytest.mark.parametrize(
    ("alter", "told"),
    [
        (replaced(" mg", " kg"), "event 3 of"),
        (replaced("[phone]", "[name]"), "event 1 of"),
        (rechained, "5 events are not those that were declared"),
        (replaced('"phone":1', '"phone":0'), "that declares what was redacted"),
        (replaced('"redacted": true', '"redacted": false'), "event 5 of"),
        (lambda lines: lines[:2] + lines[3:], "event 1 of"),
        (lambda lines: lines[:-3] + lines[-2:], "4 events are not those that were declared"),
        (lambda lines: lines[:-2] + lines[-1:], "4 events are not those that were declared"),
        (lambda lines: lines[:-1], "4 events are not those that were declared"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], "event 2 of"),
        (replaced('"path":[', '"path":[["left","00"]'), "another consultation"),
    ],
)
def test_every_kind_of_tampering_is_found(
    made: RedactedExport, ring: KeyRing, tmp_path: Path, alter: Callable[[list[str]], list[str]], told: str
) -> None:
    checked = check(tmp_path, tuple(alter(list(made.lines))), ring)

    assert (checked.returncode, checked.stdout) == (1, "")
    assert checked.stderr.startswith("ALTERED: ")
    assert told in checked.stderr


def test_no_hash_in_the_export_lets_a_guess_be_tried(
    signed: TranscriptStore, consultation: str, made: RedactedExport
) -> None:
    text = "\n".join(made.lines)

    *said, salted, declared = [event.hash for event in signed.events(consultation)]
    # Nothing is hidden before the first cut. The declaration names the event before it, with a salt that nobody knows.
    assert [hash_ in text for hash_ in (*said, salted, declared)] == [True, False, False, False, False, True, True]


def test_the_secrets_of_one_redaction_do_not_leave_with_the_next(
    signed: TranscriptStore, consultation: str, made: RedactedExport
) -> None:
    salt = next(event.body["redaction"] for event in signed.events(consultation) if "redaction" in event.body)
    assert isinstance(salt, dict)

    again = export_redacted(signed, consultation, {"by": "engineer"})

    assert str(salt["salt"]) not in "\n".join(again.lines)
    assert again.kinds["withheld"] == 2


def test_the_record_proves_what_the_export_alone_cannot(signed: TranscriptStore, made: RedactedExport) -> None:
    later = export_redacted(signed, made.declared.consultation, {"by": "engineer"})

    assert prove_redacted(signed, made.lines) == 5
    assert prove_redacted(signed, later.lines) == 7


def test_a_redaction_that_changed_anything_else_is_found_by_the_record(
    signed: TranscriptStore, made: RedactedExport
) -> None:
    with pytest.raises(TranscriptAltered, match="event 3 of"):
        prove_redacted(signed, rechained(list(made.lines)))


def test_what_was_recorded_says_kinds_counts_and_places_and_no_text(made: RedactedExport) -> None:
    declared = made.declared.body["redacted"]
    assert isinstance(declared, dict)
    changed = declared["changed"]
    assert isinstance(changed, list)

    assert [(one["event"], one["kinds"]) for one in changed if isinstance(one, dict)] == [
        (1, {"name": 1, "phone": 1}),
        (2, {"name": 1, "phone": 1}),
        (3, {"name": 1, "other": 1}),
    ]


def test_a_consultation_in_a_language_without_rules_is_not_exported(signed: TranscriptStore) -> None:
    consultation = consult(signed, "tlh")

    with pytest.raises(RedactionUnknown):
        export_redacted(signed, consultation, {"by": "engineer"})
    assert [event.kind for event in signed.events(consultation)][-1] is EventKind.FINISHED


def test_without_a_signature_there_is_no_redacted_export(store: TranscriptStore) -> None:
    consultation = consult(store)

    with pytest.raises(ExportRefused, match="not signed"):
        export_redacted(store, consultation, {"by": "engineer"})


@pytest.mark.parametrize("lines", [[], ["{}"], ["no", "json", "at", "all"]])
def test_what_is_no_redacted_export_is_refused(signed: TranscriptStore, lines: list[str]) -> None:
    with pytest.raises(ExportRefused, match="no redacted export"):
        prove_redacted(signed, lines)
