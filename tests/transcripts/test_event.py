"""An event is JSON that survives the round trip, under a hash that anyone can recompute."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from transcripts.errors import EventRefused
from transcripts.event import Body, Event, EventKind, canonical, json_body, opening, parse
from transcripts.store import TranscriptStore

NOON = datetime(2026, 11, 22, 12, 0, 0, 5, UTC)
OPENING = opening("c_01", "2026-11-22T12:00:00.000005Z", 1)

LANGUAGES = {
    "ja": "68歳男性、冷汗を伴う胸痛。",
    "ar": "ألم في الصدر منذ ساعتين، ضغط 90/60",
    "fa": "سابقهٔ دیابت می\u200cباشد",
    "th": "เจ็บหน้าอก ๒ ชั่วโมง",
    "emoji": "🫀👩🏽‍⚕️",
    "controls": 'tab\t line\n nul\x00 escape\x1b quote" backslash\\ \u2028',
}


def test_a_hash_written_by_schema_1_never_changes() -> None:
    event = Event.following(
        "c_01", 0, OPENING, time=NOON, kind=EventKind.CASE, body={"text": "胸痛", "age": 68, "lactate": 2.50}
    )

    assert event.previous == "sha256:fe813bfb31979ac84c94c06442ba2c0da31c6d2fcd56bc99c3e2034fc45cee26"
    assert event.hash == "sha256:d9e5933de0f0b30a0908ab1472c6061fdd63d93464dec7b298e1eda0c3423c48"


def test_the_hash_can_be_recomputed_from_the_exported_event_alone() -> None:
    event = Event.following("c_01", 3, OPENING, time=NOON, kind=EventKind.ANSWER, body={"b": [1, None], "a": "x"})

    exported = json.loads(event.model_dump_json(exclude={"hash"}))

    canonical = json.dumps(exported, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert event.hash == f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def test_one_instant_has_one_hash_whatever_the_time_zone() -> None:
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))

    here = Event.following("c_01", 0, OPENING, time=NOON, kind=EventKind.CASE, body={})
    there = Event.following("c_01", 0, OPENING, time=tokyo, kind=EventKind.CASE, body={})

    assert here == there
    assert '"time":"2026-11-22T12:00:00.000005Z"' in there.model_dump_json()


@pytest.mark.parametrize(
    "body",
    [
        {"texts": LANGUAGES},
        {"numbers": [0, -1, 2**53 - 1, 0.1, 2.5e-7, 1e20, 1e21, 1.5e300, 5e-324, -0.25, 3.0]},
        {"nothing": None, "empty": {}, "list": [], "true": True, "": "no name", "né": 1, "é": 2},
    ],
)
def test_a_body_is_read_back_as_it_was_recorded(store: TranscriptStore, body: Body) -> None:
    with store.begin() as recorder:
        recorded = recorder.record(EventKind.CASE, body)

    read = next(store.events(recorder.consultation_id))

    assert read == recorded
    assert read.body == body
    assert store.verify(recorder.consultation_id).events == 2


def test_a_recorded_body_is_detached_from_the_one_handed_in(store: TranscriptStore) -> None:
    options = ["a"]
    with store.begin() as recorder:
        event = recorder.record(EventKind.CASE, {"options": list(options)})
    options.append("b")

    assert event.body == {"options": ["a"]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sampling": {"temperature": float("nan")}}, "body.sampling.temperature is nan"),
        ({"scores": [1.0, float("inf")]}, "body.scores.1 is inf"),
        ({"seed": 2**63}, "body.seed is a whole number beyond"),
        ({"when": NOON}, "body.when is a datetime"),
        ({"deep": {1: "one"}}, "body.deep has the key 1"),
        ({"\ud800": 1}, r"body has the key '\\ud800'"),
        ({"blob": b"bytes"}, "body.blob is a bytes"),
    ],
)
def test_what_json_cannot_hold_is_refused_by_name(store: TranscriptStore, body: Body, field: str) -> None:
    recorder = store.begin()

    with pytest.raises(EventRefused, match=field):
        recorder.record(EventKind.MODEL, body)

    recorder.finish()
    assert store.verify(recorder.consultation_id).events == 1


def test_a_body_as_deep_as_allowed_is_read_back_and_a_deeper_one_refused(store: TranscriptStore) -> None:
    nested: Body = {"leaf": 1}
    for _ in range(99):
        nested = {"level": dict(nested)}

    with store.begin() as recorder:
        recorder.record(EventKind.MODEL, nested)
        with pytest.raises(EventRefused, match="nested too deeply"):
            recorder.record(EventKind.MODEL, {"level": dict(nested)})

    assert next(store.events(recorder.consultation_id)).body == nested


@pytest.mark.parametrize(
    ("broken", "kept"),
    [("half \ud83d", "half \ufffd"), ("\udc00 half", "\ufffd half"), ("pair \ud83e\udec0", "pair 🫀")],
)
def test_broken_surrogates_from_a_model_are_kept_as_well_formed_text(broken: str, kept: str) -> None:
    assert json_body({"text": broken}).value == {"text": kept}


def test_every_character_has_the_form_of_rfc_8785() -> None:
    characters = [chr(code) for code in range(0x11000) if not 0xD800 <= code < 0xE000]

    for start in range(0, len(characters), 512):
        body: Body = {"text": "".join(characters[start : start + 512]), "list": [*characters[start : start + 8]]}
        assert json_body(body).text == canonical(body)


@pytest.mark.parametrize("low", ["\ue000", "\uff21", "z"])
def test_keys_are_sorted_as_rfc_8785_says(low: str) -> None:
    # By UTF-16 code units an emoji comes before U+E000.
    assert json_body({low: 1, "🫀": 2, "a": 3}).text == canonical({low: 1, "🫀": 2, "a": 3})


@pytest.mark.parametrize(
    "number", [0, -1, 2**53 - 1, 0.1, 2.5e-7, 1e-5, 1e15, 1e16, 1e20, 1e21, 1.5e300, 5e-324, -0.25, 3.0, -0.0, True]
)
def test_numbers_have_the_form_of_rfc_8785(number: float) -> None:
    body: Body = {"number": number, "list": [number]}

    assert json_body(body).text == canonical(body)
    assert json_body(json_body(body).value).text == canonical(body)


@pytest.mark.parametrize("value", [EventKind.CASE, (1, 2), {"deep": (1,)}, [EventKind.CASE]])
def test_other_types_that_json_has_a_form_for_come_back_as_plain_json(value: object) -> None:
    body = json_body({"value": value})  # type: ignore[dict-item]  # it is what a careless writer hands over

    assert json_body(body.value) == body
    assert parse(body.text) == body.value
    assert type(body.value["value"]) in (str, list, dict)
