"""A redacted export: the events without what is private, and what the installation signs about them.

An event's own hash must not leave with it: whoever has all of an event but a phone number would try every number
until the hash fits. So two events are recorded. The first holds a random salt and every cut, and stays here; the
second names the redacted events by their own chain and commits to the originals with the salt. The second leaves
with the export and is signed; through the salt before it, its hash tells nothing. See `docs/record_export.md`.
"""

import hmac
import json
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from pydantic import JsonValue, TypeAdapter, ValidationError

from transcripts.errors import ExportRefused, TranscriptAltered
from transcripts.event import Body, Event, EventKind
from transcripts.redact import SECRETS, Cut, cuts, without
from transcripts.store import TranscriptStore

DECLARED = "redacted"

_CUTS = TypeAdapter(tuple[Cut, ...])


class RedactedExport(NamedTuple):
    """`events` are the redacted ones, `declared` the event that names them, `lines` the export."""

    events: tuple[Event, ...]
    declared: Event
    kinds: dict[str, int]
    lines: tuple[str, ...]


def export_redacted(store: TranscriptStore, consultation: str, by: Body, also: Iterable[str] = ()) -> RedactedExport:
    """Record and sign a redacted export of a consultation that was verified, and return it.

    `by` is who made it and in which formats; every word of `also` is taken out too. Raises RedactionUnknown for a
    language without rules, ExportRefused where it cannot be signed, and what `TranscriptStore.annotate` and `sign`
    raise.
    """
    events = tuple(store.events(consultation))
    removed = cuts(events, also)
    salt = secrets.token_hex(32)
    kept: JsonValue = {"salt": salt, "cuts": json.dumps(removed, ensure_ascii=False)}
    store.annotate(consultation, EventKind.EXPORTED, {**by, SECRETS: kept})
    redacted = tuple(without(events, removed))
    declaration = _declaration(events, redacted, removed, salt)
    declared = store.annotate(consultation, EventKind.EXPORTED, {**by, DECLARED: declaration})
    store.sign()
    lines = tuple(_lines(store, redacted, declared))
    return RedactedExport(redacted, declared, dict(_kinds(removed)), lines)


def prove_redacted(store: TranscriptStore, lines: Sequence[str]) -> int:
    """Prove against the record that a redacted export is its original with the recorded cuts; how many events.

    Raises TranscriptAltered, naming the first event that is not; ExportRefused for what is no redacted export.
    """
    try:
        about, *given, declared_line, _ = [json.loads(line) for line in lines]
        consultation, declared_hash = str(about["consultation"]), declared_line["hash"]
    except (ValueError, KeyError, TypeError) as error:
        raise ExportRefused("this file is no redacted export; give the .jsonl file of one") from error
    store.verify(consultation)
    events = tuple(store.events(consultation))
    declared = next((event for event in events if event.hash == declared_hash), None)
    if declared is None or DECLARED not in declared.body:
        raise ExportRefused("the record knows of no such redacted export; ask the installation that made it")
    removed, salt = _kept(events[: declared.seq])
    originals = events[: len(given)]
    redacted = tuple(without(originals, removed))
    for event, line in zip(redacted, given, strict=True):
        if event.hash != line.get("hash") or json.loads(event.content()) != line.get("event"):
            raise TranscriptAltered(consultation, event.seq, "its redacted form is not made from what was recorded")
    if _declaration(originals, redacted, removed, salt) != declared.body[DECLARED]:
        raise TranscriptAltered(consultation, declared.seq, "it declares another redaction than was recorded")
    return len(redacted)


def _kept(before: Sequence[Event]) -> tuple[tuple[Cut, ...], str]:
    """The cuts and the salt of the last redaction among these events."""
    for event in reversed(before):
        if isinstance(kept := event.body.get(SECRETS), dict) and event.kind is EventKind.EXPORTED:
            try:
                return _CUTS.validate_json(str(kept.get("cuts"))), str(kept.get("salt"))
            except ValidationError as error:
                raise TranscriptAltered(event.consultation, event.seq, "its cuts can no longer be read") from error
    raise ExportRefused("the record has no cuts for this export; ask the installation that made it")


def _declaration(
    events: Sequence[Event], redacted: Sequence[Event], removed: Sequence[Cut], salt: str
) -> dict[str, JsonValue]:
    """What is signed: how many events, the last hash of their new chain, and what was taken out of which."""
    changed: list[JsonValue] = [
        {"event": seq, "was": _commitment(salt, events[seq]), "kinds": dict(_kinds(made)), "places": _places(made)}
        for seq, made in ((seq, list(made)) for seq, made in groupby(removed, lambda cut: cut.event))
    ]
    return {
        "events": len(redacted),
        "head": redacted[-1].hash if redacted else "",
        "kinds": dict(_kinds(removed)),
        "changed": changed,
    }


def _kinds(removed: Iterable[Cut]) -> Counter[str]:
    # What goes on in the next chunk is the same thing.
    return Counter(cut.kind for cut in removed if cut.put)


def _places(made: Iterable[Cut]) -> list[JsonValue]:
    return list(dict.fromkeys("/".join(map(str, cut.place)) for cut in made))


def _commitment(salt: str, event: Event) -> str:
    """To show one original later, its installation gives out the key of that event and the event."""
    key = hmac.digest(bytes.fromhex(salt), str(event.seq).encode(), "sha256")
    return f"hmac-sha256:{hmac.digest(key, event.content().encode(), 'sha256').hex()}"


def _lines(store: TranscriptStore, redacted: Iterable[Event], declared: Event) -> Iterator[str]:
    plain = list(store.export(declared.consultation))
    proof = json.loads(plain[-1])
    if proof.get("head", {}).get("head") != declared.hash:
        raise ExportRefused("the export was not made because the record grew or is not signed; export it again")
    yield json.dumps({**json.loads(plain[0]), DECLARED: True})
    for event in (*redacted, declared):
        yield f'{{"hash":"{event.hash}","event":{event.content()}}}'
    yield plain[-1]
