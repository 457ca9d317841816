"""A consultation as a FHIR R4 bundle: an AuditEvent for what was done with it, a Provenance with the signature over it.

Holds nothing that was said: who did what, when, with which software, and how it ended. Plain JSON; knows no server.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from transcripts.consultation import Status
from transcripts.event import Event, EventKind, instant

Resource = dict[str, Any]

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_HL7 = "http://terminology.hl7.org/CodeSystem"
_PRODUCT = "Med-CoReasoner"

# What was done: the type of the audit event, and whether something was created, read or updated by it.
_DONE = {
    EventKind.CASE: ("110110", "Patient Record", "C", "Consultation"),
    EventKind.VIEWED: ("110110", "Patient Record", "R", "Viewed"),
    EventKind.EXPORTED: ("110106", "Export", "R", "Exported"),
    EventKind.FEEDBACK: ("110110", "Patient Record", "U", "Feedback"),
}
_OUTCOMES = {
    Status.FINISHED.value: ("0", "Success"),
    Status.CANCELLED.value: ("4", "Stopped by the user"),
    Status.FAILED.value: ("8", "Stopped by an error"),
}
_INTERRUPTED = ("8", "Interrupted")


def bundle(events: Iterable[Event], head: str, proof: str) -> Resource:
    """The bundle of one consultation; `head` is the hash that the line of `proof` of its export signs."""
    recorded = tuple(events)
    audits = [_entry(_audit(event, recorded, head)) for event in recorded if event.kind in _DONE]
    binary = _entry(_proof(recorded[0].consultation, proof))
    provenance = _entry(_provenance(recorded, head, json.loads(proof), audits, binary))
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": instant(datetime.now(UTC)),
        "entry": [*audits, provenance, binary],
    }


def _entry(resource: Resource) -> Resource:
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}


def _id(consultation: str, part: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"{consultation}/{part}"))


def _coded(system: str, code: str, display: str) -> Resource:
    return {"system": system, "code": code, "display": display}


def _audit(event: Event, events: tuple[Event, ...], head: str) -> Resource:
    code, display, action, name = _DONE[event.kind]
    outcome, said = _outcome(events) if event.kind is EventKind.CASE else ("0", "Success")
    return {
        "resourceType": "AuditEvent",
        "id": _id(event.consultation, str(event.seq)),
        "type": _coded(_DICOM, code, display),
        "action": action,
        "recorded": instant(event.time),
        "outcome": outcome,
        "outcomeDesc": said,
        "agent": [_person(event), *(_models(events) if event.kind is EventKind.CASE else ())],
        "source": {
            "observer": {"display": _PRODUCT},
            "type": [_coded(f"{_HL7}/security-source-type", "4", "Application Server")],
        },
        "entity": [
            {
                "what": {"identifier": {"value": event.consultation}, "display": "Transcript of a consultation"},
                "type": _coded(f"{_HL7}/audit-entity-type", "2", "System Object"),
                "role": _coded(f"{_HL7}/object-role", "3", "Report"),
                "name": name,
                "detail": [
                    {"type": "event", "valueString": str(event.seq)},
                    {"type": "head", "valueString": head},
                ],
            }
        ],
    }


def _outcome(events: Iterable[Event]) -> tuple[str, str]:
    ending = next((event.body.get("status") for event in events if event.kind is EventKind.FINISHED), "")
    return _OUTCOMES.get(str(ending), _INTERRUPTED)


def _person(event: Event) -> Resource:
    role = {"coding": [_coded(f"{_HL7}/extra-security-role-type", "humanuser", "human user")]}
    return {"type": role, "who": {"display": str(event.body.get("by") or "clinician")}, "requestor": True}


def _models(events: Iterable[Event]) -> Iterator[Resource]:
    """The weights that took part, as software that acted."""
    role = {"coding": [_coded(_DICOM, "110150", "Application")]}
    for event in events:
        listed = event.body.get("models") if event.kind is EventKind.MODEL else None
        for model in listed if isinstance(listed, list) else ():
            if isinstance(model, dict):
                who = {"display": f"{model.get('role')}: {model.get('name')}"}
                if model.get("sha256"):
                    who["identifier"] = {"system": "urn:ietf:rfc:6920", "value": str(model["sha256"])}  # type: ignore[assignment]
                yield {"type": role, "who": who, "requestor": False}


def _proof(consultation: str, proof: str) -> Resource:
    data = base64.b64encode(proof.encode()).decode()
    return {"resourceType": "Binary", "id": _id(consultation, "proof"), "contentType": "application/json", "data": data}


def _provenance(
    events: tuple[Event, ...], head: str, proof: Resource, audits: Iterable[Resource], binary: Resource
) -> Resource:
    when = str(proof["checkpoint"]["time"])
    who = {"identifier": {"value": str(proof["checkpoint"]["key"])}, "display": f"{_PRODUCT}, signing key"}
    signature = bytes.fromhex(str(proof["signature"]).removeprefix("ed25519:"))
    return {
        "resourceType": "Provenance",
        "id": _id(events[0].consultation, "provenance"),
        "target": [{"reference": audit["fullUrl"]} for audit in audits],
        "occurredPeriod": {"start": instant(events[0].time), "end": instant(events[-1].time)},
        "recorded": when,
        "activity": {"coding": [_coded(f"{_HL7}/v3-DataOperation", "CREATE", "create")]},
        "agent": [
            {
                "type": {"coding": [_coded(f"{_HL7}/provenance-participant-type", "assembler", "Assembler")]},
                "who": {"display": _PRODUCT},
            }
        ],
        "entity": [
            {"role": "source", "what": {"identifier": {"value": head}, "display": "Last hash of the transcript"}},
            {
                "role": "source",
                "what": {"reference": binary["fullUrl"], "display": "What is signed, and the way to it"},
            },
        ],
        "signature": [
            {
                "type": [_coded("urn:iso-astm:E1762-95:2013", "1.2.840.10065.1.12.1.5", "Verification Signature")],
                "when": when,
                "who": who,
                "targetFormat": "application/json",
                "sigFormat": "application/octet-stream",
                "data": base64.b64encode(signature).decode(),
            }
        ],
    }
