"""Events as rows and back, and the proof that a row is what was written. Knows nothing of SQL or files.

The stored text of a body is hashed as it stands: a body in any other form than the one written has another hash, so
nothing is parsed and made canonical again to be proved.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from transcripts.erasure import ERASED, Erasure
from transcripts.errors import TranscriptAltered
from transcripts.event import Event, EventKind, canonical, content_text, instant, parse, text_digest

# consultation, seq, time, kind, body, previous, hash; anything at all once someone has altered the file.
Row = tuple[Any, ...]

_KINDS = frozenset(kind.value for kind in EventKind)
_INSTANT = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z")


class SignedHead(NamedTuple):
    """What `checkpoint` signed of a consultation: it had so many `events`, and `head` was the hash of the last one."""

    checkpoint: int
    events: int
    head: str


class Proved(NamedTuple):
    """Every event is as it was written: how many, the hash of the last, and how many of them a checkpoint signs."""

    events: int
    head: str
    signed: int


def stored(event: Event, text: str = "") -> Row:
    """The row that holds an event; `text` is the canonical text of its body, from whoever has it already."""
    return (
        event.consultation,
        event.seq,
        instant(event.time),
        event.kind.value,
        text or canonical(event.body),
        event.previous,
        event.hash,
    )


def read(row: Row, consultation: str, seq: int) -> Event:
    """The event in a row; raises TranscriptAltered, naming `consultation` and `seq`, when there is none."""
    _, number, time, kind, body, previous, hash_ = row
    try:
        return Event.model_validate(
            {
                "consultation": consultation,
                "seq": number,
                "time": datetime.fromisoformat(str(time)),
                "kind": EventKind(str(kind)),
                "body": {} if body == ERASED else parse(str(body)),
                "previous": previous,
                "hash": hash_,
                "erased": body == ERASED,
            }
        )
    except (ValueError, OverflowError, RecursionError) as error:
        raise TranscriptAltered(consultation, seq, "it can no longer be read as an event") from error


def prove(
    consultation: str,
    opening: str,
    rows: Iterable[Row],
    signed: Iterable[SignedHead] = (),
    erasure: Erasure | None = None,
) -> Proved:
    """Follow the chain from its opening through all rows, past every signed head, in the order of their `events`.

    Of what an `erasure` erased, the hash that was kept takes the place of the content.

    Raises TranscriptAltered for the first event that breaks the chain or is not the one that was signed.
    """
    heads = iter(signed)
    expected = next(heads, None)
    head, events, proved = opening, 0, 0
    for row in rows:
        difference = _difference(row, consultation, events, head, erasure)
        if difference:
            raise TranscriptAltered(consultation, events, difference)
        head, events = str(row[6]), events + 1
        while expected is not None and expected.events <= events:
            _require_signed(consultation, events, head, expected, proved)
            proved, expected = events, next(heads, None)
    if expected is not None:
        raise TranscriptAltered(
            consultation,
            events,
            f"it is missing, though checkpoint {expected.checkpoint} signs {expected.events} events",
        )
    return Proved(events, head, proved)


def contents(rows: Iterable[Row]) -> Iterator[tuple[str, str]]:
    """The hash and the hashed text of each proved row."""
    for consultation, seq, time, kind, body, previous, hash_ in rows:
        yield str(hash_), content_text(str(consultation), int(str(seq)), str(time), str(kind), str(body), str(previous))


def _require_signed(consultation: str, events: int, head: str, expected: SignedHead, proved: int) -> None:
    if expected.head != head:
        since = f"events {proved} to {events - 1} were written anew" if proved < events - 1 else "it was written anew"
        raise TranscriptAltered(
            consultation, events - 1, f"it is not the one that checkpoint {expected.checkpoint} signs ({since})"
        )


def _difference(row: Row, consultation: str, seq: int, previous: str, erasure: Erasure | None) -> str:
    _, number, time, kind, body, before, hash_ = row
    if number != seq or type(number) is not int:
        return f"it is missing, and event {number} stands in its place"
    if not (type(time) is type(body) is type(before) is str and kind in _KINDS and _INSTANT.fullmatch(time)):
        return "it can no longer be read as an event"
    if body == ERASED:
        if difference := _lost(row, erasure):
            return difference
    elif text_digest(content_text(consultation, seq, time, str(kind), body, before)) != hash_:
        return "its content no longer gives its hash"
    if before != previous:
        return "it does not continue the chain before it"
    return ""


def _lost(row: Row, erasure: Erasure | None) -> str:
    if erasure is None or row[1] >= erasure.seq:
        return "its content is gone, and no signed erasure says so"
    return "" if erasure.keeps(row) else "it is not the event whose hash the erasure kept"
