"""The bundle is FHIR R4, says who did what and how it ended, carries the signature, and nothing that was said."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fhir.resources.R4B.bundle import Bundle
from pydantic import JsonValue, ValidationError

from transcripts.consultation import Outcome, Status
from transcripts.event import EventKind
from transcripts.fhir import Resource, bundle
from transcripts.store import TranscriptStore


def made(store: TranscriptStore, status: Outcome = Status.FINISHED) -> Resource:
    recorder = store.begin()
    models: list[JsonValue] = [
        {"role": "english", "name": "tiny", "sha256": "ab" * 32},
        {"role": "local", "name": "far", "sha256": ""},
    ]
    recorder.record(EventKind.MODEL, {"models": models})
    recorder.record(EventKind.CASE, {"text": "Harriet has a fever", "language": "en"})
    recorder.finish(status)
    name = recorder.consultation_id
    store.annotate(name, EventKind.VIEWED, {"by": "auditor"})
    store.annotate(name, EventKind.EXPORTED, {"by": "engineer"})
    store.sign()
    events = tuple(store.events(name))
    return bundle(events, events[-1].hash, list(store.export(name))[-1])


def resources(of: Resource, kind: str) -> list[Resource]:
    return [entry["resource"] for entry in of["entry"] if entry["resource"]["resourceType"] == kind]


def test_it_is_valid_fhir(signed: TranscriptStore) -> None:
    read = Bundle.model_validate_json(json.dumps(made(signed)))

    assert read.entry is not None
    assert len(read.entry) == 5


@pytest.mark.parametrize(
    "damage",
    [
        lambda audit: audit.pop("source"),
        lambda audit: audit.update(action=["C"]),
        lambda audit: audit.update(recorded="yesterday"),
        lambda audit: audit["agent"][0].pop("requestor"),
        lambda audit: audit.update(unknown="x"),
    ],
)
def test_the_validation_would_find_a_wrong_bundle(signed: TranscriptStore, damage: Callable[[Any], object]) -> None:
    wrong = made(signed)
    damage(resources(wrong, "AuditEvent")[0])

    with pytest.raises(ValidationError):
        Bundle.model_validate_json(json.dumps(wrong))


def test_each_act_is_an_audit_event_with_its_code(signed: TranscriptStore) -> None:
    audits = resources(made(signed), "AuditEvent")

    acts = [(audit["type"]["code"], audit["action"], audit["agent"][0]["who"]["display"]) for audit in audits]
    assert acts == [("110110", "C", "clinician"), ("110110", "R", "auditor"), ("110106", "R", "engineer")]


@pytest.mark.parametrize(("status", "outcome"), [(Status.FINISHED, "0"), (Status.CANCELLED, "4"), (Status.FAILED, "8")])
def test_how_it_ended_is_the_outcome(signed: TranscriptStore, status: Outcome, outcome: str) -> None:
    assert resources(made(signed, status), "AuditEvent")[0]["outcome"] == outcome


def test_the_models_took_part_and_asked_for_nothing(signed: TranscriptStore) -> None:
    _, *models = resources(made(signed), "AuditEvent")[0]["agent"]

    assert [(model["who"]["display"], model["requestor"]) for model in models] == [
        ("english: tiny", False),
        ("local: far", False),
    ]


def test_the_signature_is_the_one_over_the_record(signed: TranscriptStore) -> None:
    whole = made(signed)
    signature = resources(whole, "Provenance")[0]["signature"][0]
    line = base64.b64decode(resources(whole, "Binary")[0]["data"]).decode()
    checkpoint = line[line.index('"checkpoint":') + 13 : -1]

    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(json.loads(checkpoint)["key"].removeprefix("ed25519:")))
    key.verify(base64.b64decode(signature["data"]), checkpoint.encode())
    assert signature["who"]["identifier"]["value"] == json.loads(checkpoint)["key"]


def test_nothing_that_was_said_is_in_it(signed: TranscriptStore) -> None:
    assert "Harriet" not in json.dumps(made(signed))
