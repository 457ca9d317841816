"""Events as rows and back, and the proof that a row is what was written. Knows nothing of SQL or files."""

from collections.abc import Iterable
from datetime import datetime

from transcripts.consultation import Verified
from transcripts.errors import TranscriptAltered
from transcripts.event import Event, EventKind, canonical, instant, parse

# consultation, seq, time, kind, body, previous, hash; anything at all once someone has altered the file.
Row = tuple[object, ...]


def stored(event: Event) -> Row:
    """The row that holds an event."""
    return (
        event.consultation,
        event.seq,
        instant(event.time),
        event.kind.value,
        canonical(event.body),
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
                "body": parse(str(body)),
                "previous": previous,
                "hash": hash_,
            }
        )
    except (ValueError, OverflowError, RecursionError) as error:
        raise TranscriptAltered(consultation, seq, "it can no longer be read as an event") from error


def prove(consultation: str, opening: str, rows: Iterable[Row]) -> Verified:
    """Follow the chain from its opening through all rows; raises TranscriptAltered for the first that breaks it."""
    head, events = opening, 0
    for row in rows:
        event = read(row, consultation, events)
        difference = _difference(event, row, events, head)
        if difference:
            raise TranscriptAltered(consultation, events, difference)
        head, events = event.hash, events + 1
    return Verified(events=events, head=head)


def _difference(event: Event, row: Row, seq: int, previous: str) -> str:
    if event.seq != seq:
        return f"it is missing, and event {event.seq} stands in its place"
    if not _hash_fits(event):
        return "its content no longer gives its hash"
    if event.previous != previous:
        return "it does not continue the chain before it"
    if stored(event) != row:
        return "it is stored in another form than the one that was written"
    return ""


def _hash_fits(event: Event) -> bool:
    try:
        return event.digest() == event.hash
    except ValueError:
        # A number or a text that canonical JSON cannot hold was never written.
        return False
