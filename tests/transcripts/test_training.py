"""Only consented, finished, proved consultations become lines to train on, redacted, each with where it comes from."""

import json

import pytest
from pydantic import JsonValue

from tests.transcripts.conftest import Alter
from transcripts.consent import Consent, body, consented
from transcripts.event import EventKind
from transcripts.store import TranscriptStore
from transcripts.training import training


def consult(store: TranscriptStore, said: str = "5 mg") -> str:
    with store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "My name is Harriet Colborne.", "language": "en"})
        messages: list[JsonValue] = [
            {"type": "SystemMessage", "content": "Argue."},
            {"type": "UserMessage", "content": "My name is Harriet Colborne."},
        ]
        for agent in ("english", "local"):
            recorder.record(EventKind.PROMPT, {"agent": agent, "phase": "reasoning", "messages": messages})
        for agent in ("local", "english"):
            with recorder.stream(agent, "reasoning") as stream:
                stream.add(f"{agent}: Colborne ")
                stream.add("is well")
        recorder.record(EventKind.ANSWER, {"text": said})
    return recorder.consultation_id


def consent(store: TranscriptStore, consultation: str, said: Consent = Consent.GIVEN) -> None:
    store.annotate(consultation, EventKind.FEEDBACK, body(said, "form 12", "test"))


def test_every_turn_is_a_chat_with_the_events_it_comes_from(signed: TranscriptStore) -> None:
    consultation = consult(signed)
    consent(signed, consultation)

    lines = [json.loads(line) for line in training(signed, [consultation], {"by": "test"}).lines]

    assert [line["task"] for line in lines] == ["english/reasoning", "local/reasoning", "consultation"]
    assert lines[0]["messages"] == [
        {"role": "system", "content": "Argue."},
        {"role": "user", "content": "My name is [name]."},
        {"role": "assistant", "content": "english: [name] is well"},
    ]
    assert lines[0]["provenance"]["transcript"] == consultation
    assert lines[0]["provenance"]["events"] == [1, 4]


def test_the_record_says_that_it_was_used(signed: TranscriptStore) -> None:
    consultation = consult(signed)
    consent(signed, consultation)

    made = training(signed, [consultation], {"by": "test"})

    declared = tuple(signed.events(consultation))[-1]
    assert declared.body["formats"] == ["training"]
    assert json.loads(made.lines[0])["provenance"]["declared_by"] == declared.hash


def test_unredacted_lines_are_as_they_were_said(signed: TranscriptStore) -> None:
    consultation = consult(signed)
    consent(signed, consultation)

    made = training(signed, [consultation], {"by": "test"}, redact=False)

    assert "Harriet Colborne" in made.lines[0]


def test_what_was_altered_is_left_out(signed: TranscriptStore, alter: Alter) -> None:
    consultation = consult(signed)
    consent(signed, consultation)
    alter("UPDATE events SET body = replace(body, 'mg', 'kg')")

    made = training(signed, [consultation], {"by": "test"})

    assert (made.lines, made.left_out) == ((), {"altered": 1})


def test_what_was_erased_is_left_out_as_erased(signed: TranscriptStore) -> None:
    consultation = consult(signed)
    consent(signed, consultation)
    signed.erase(consultation, reason="kept for 10 years")

    made = training(signed, [consultation], {"by": "test"})

    assert (made.lines, made.left_out) == ((), {"erased": 1})


def test_what_may_not_be_used_is_left_out_and_counted(signed: TranscriptStore) -> None:
    used, silent, withdrawn = (consult(signed) for _ in range(3))
    for consultation in (used, withdrawn):
        consent(signed, consultation)
    consent(signed, withdrawn, Consent.WITHDRAWN)
    running = signed.begin()
    running.record(EventKind.CASE, {"text": "fever"})
    consent(signed, running.consultation_id)

    made = training(signed, [used, silent, withdrawn, running.consultation_id], {"by": "test"})

    assert made.consultations == 1
    assert made.left_out == {"no consent": 2, "interrupted": 1}


@pytest.mark.parametrize(
    ("said", "expected"),
    [([], False), (["given"], True), (["given", "withdrawn"], False), (["withdrawn", "given"], True)],
)
def test_the_last_word_on_consent_counts(signed: TranscriptStore, said: list[str], expected: bool) -> None:
    consultation = consult(signed)
    for word in said:
        consent(signed, consultation, Consent(word))
        signed.annotate(consultation, EventKind.FEEDBACK, {"text": "useful"})

    assert consented(signed.events(consultation)) is expected
