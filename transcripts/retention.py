"""Which consultations are older than they have to be kept, and the event that erases the content of one.

A consultation that is held, or still being written, is never erased. Knows nothing of years or settings.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from transcripts import audit, erasure
from transcripts.consultation import Status, earliest_id
from transcripts.database import Database, Session
from transcripts.errors import ErasureRefused
from transcripts.event import Body, EventKind

_BATCH = 500
_OLD = """
    SELECT id, started, events FROM consultations WHERE id > ?1 AND id < ?2
    AND NOT EXISTS (SELECT 1 FROM events WHERE consultation = id AND seq = 0 AND kind = 'denied')
    ORDER BY id LIMIT ?3
"""
_HOLDS = f"""
    SELECT kind FROM events WHERE consultation = ?1 AND {audit.LANDMARK} AND kind IN ('held', 'released')
    ORDER BY seq DESC LIMIT 1
"""
_HELD = "it is under a legal hold; release it first"


class Old(NamedTuple):
    """A consultation that was begun before some time. `kept` says why it is not to be erased, if it is not."""

    consultation: str
    started: datetime
    events: int
    kept: str


def old(database: Database, running: Callable[[str], bool], before: datetime) -> Iterator[Old]:
    """All begun before this time whose content is still there, oldest first. Raises TranscriptUnreadable."""
    last, end, batch = "", earliest_id(before), 1
    while batch:
        with database.snapshot() as read:
            rows = read.execute(_OLD, (last, end, _BATCH)).fetchall()
            found = [(*row, kept(read, row[0])) for row in rows if audit.last_erasure(read, row[0]) is None]
        for name, started, events, why in found:
            why = why or ("it is still being written" if running(name) else "")
            yield Old(name, datetime.fromisoformat(started), events, why)
        batch, last = len(rows), rows[-1][0] if rows else ""


def kept(read: Session, name: str) -> str:
    """Why the content of a consultation must be kept however old it is; empty where nothing says so."""
    row = read.execute(_HOLDS, (name,)).fetchone()
    return _HELD if row and row[0] == EventKind.HELD.value else ""


def erasing(read: Session, name: str, by: str, reason: str) -> Body:
    """The body of the event that erases a consultation, once it is proved to be as it was written.

    Raises ErasureRefused, TranscriptAltered, TranscriptMissing.
    """
    audit.prove_chain(read, name)
    if why := kept(read, name):
        raise ErasureRefused(name, why)
    if audit.last_erasure(read, name):
        raise ErasureRefused(name, f"its status is {Status.ERASED.value} already")
    return erasure.body(read.execute(audit.EVENTS, (name,)).fetchall(), by, reason)
