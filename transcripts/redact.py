"""A consultation without what is private: where something is taken out of its events, and the events that remain.

A stream is read as one text, however its chunks cut a name. Knows nothing of files and signatures.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from pydantic import JsonValue

from transcripts.event import Event, EventKind
from transcripts.private import Private, find
from transcripts.show import stream_part

Place = tuple[str | int, ...]

# What the product writes itself: hashes, ids, times.
_OWN = re.compile(r"(?:sha256|ed25519):[0-9a-f]{64,128}|c_[0-7][0-9a-z]{25}|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)")

WITHHELD = "withheld"  # the secrets of an earlier redaction, and hashes by which guesses could be tried
SECRETS = "redaction"  # where an export keeps them


class Cut(NamedTuple):
    """In event `event`, characters `start` to `end` of the text at `place` in its body become `put`."""

    event: int
    place: Place
    start: int
    end: int
    kind: str
    put: str


class _Piece(NamedTuple):
    event: int
    place: Place
    text: str


def cuts(events: Sequence[Event], also: Iterable[str] = ()) -> tuple[Cut, ...]:
    """Everything private in a consultation, by the rules of its language and of English, and every word of `also`.

    Raises RedactionUnknown for a language that has no rules; TranscriptAltered for a stream that cannot be read.
    """
    runs = list(_runs(events))
    known = {word: "other" for word in also if word}
    found = find(["".join(piece.text for piece in run) for run in runs], _languages(events), known)
    spoken = (cut for run, places in zip(runs, found, strict=True) for place in places for cut in _cut(run, place))
    return tuple(sorted((*spoken, *_withheld(events)), key=_order))


def without(events: Iterable[Event], removed: Iterable[Cut]) -> Iterator[Event]:
    """The events with these cuts made, chained anew from the same opening."""
    by_event = {seq: list(made) for seq, made in groupby(sorted(removed, key=_order), lambda cut: cut.event)}
    previous = ""
    for event in events:
        body = event.body
        # From the last cut to the first, so that each still finds its place.
        for cut in reversed(by_event.get(event.seq, [])):
            body = {key: _made(value, cut, (key,)) for key, value in body.items()}
        event = Event.following(
            event.consultation, event.seq, previous or event.previous, time=event.time, kind=event.kind, body=body
        )
        previous = event.hash
        yield event


def _order(cut: Cut) -> tuple[int, str, int]:
    return cut.event, repr(cut.place), cut.start


def _languages(events: Iterable[Event]) -> tuple[str, ...]:
    """The language of the case, and that of the English reasoner."""
    case = next((event.body for event in events if event.kind is EventKind.CASE), {})
    return tuple(dict.fromkeys((str(case.get("language") or "en"), "en")))


def _runs(events: Iterable[Event]) -> Iterator[list[_Piece]]:
    """The texts that people, models and guidelines wrote, each in the pieces in which it stands."""
    streams: dict[int, list[_Piece]] = {}
    for event in events:
        if event.kind is EventKind.STREAM:
            part = stream_part(event)
            streams.setdefault(part.stream, []).extend(
                _Piece(event.seq, ("chunks", at, 1), text) for at, (_, text) in enumerate(part.chunks)
            )
        else:
            pieces = _pieces(event)
            yield from ([piece] for piece in pieces if not (_OWN.fullmatch(piece.text) or _secret(event, piece)))
    yield from streams.values()


def _pieces(event: Event) -> Iterator[_Piece]:
    return (_Piece(event.seq, place, text) for place, text in _texts(event.body, ()))


def _texts(value: JsonValue, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*place, index))


def _cut(run: Iterable[_Piece], private: Private) -> Iterator[Cut]:
    """One private thing in all pieces that it touches; the first says what it was."""
    offset, put = 0, f"[{private.kind}]"
    for piece in run:
        start, end = max(private.start - offset, 0), min(private.end - offset, len(piece.text))
        if start < end:
            yield Cut(piece.event, piece.place, start, end, private.kind, put)
            put = ""
        offset += len(piece.text)


def _withheld(events: Sequence[Event]) -> Iterator[Cut]:
    """With a hash of what was said, or the salt of an earlier redaction, guesses at what was removed can be tried."""
    hashes = {event.hash for event in events}
    for event in events:
        for piece in _pieces(event):
            if _secret(event, piece) or piece.text in hashes:
                yield Cut(event.seq, piece.place, 0, len(piece.text), WITHHELD, f"[{WITHHELD}]")


def _secret(event: Event, piece: _Piece) -> bool:
    return event.kind is EventKind.EXPORTED and piece.place[0] == SECRETS


def _made(value: JsonValue, cut: Cut, place: Place) -> JsonValue:
    if place == cut.place and isinstance(value, str):
        return value[: cut.start] + cut.put + value[cut.end :]
    if place != cut.place[: len(place)]:
        return value
    if isinstance(value, dict):
        return {key: _made(inner, cut, (*place, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_made(inner, cut, (*place, index)) for index, inner in enumerate(value)]
    return value
