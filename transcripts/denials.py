"""What was asked for and denied: a chain of its own among the consultations, proved and signed as they are.

Its first event says what it is, so that no list of consultations shows it. Knows nothing of who may do what.
"""

from transcripts import audit, chain
from transcripts.database import Session
from transcripts.event import Event

_LOGS = "SELECT consultation FROM events WHERE kind = 'denied' AND seq = 0 ORDER BY consultation"


def log(read: Session) -> str:
    """The id of the chain that takes the next denial; empty where there is none yet."""
    found = read.execute(_LOGS).fetchall()
    return str(found[-1][0]) if found else ""


def recorded(read: Session) -> tuple[Event, ...]:
    """All denials, oldest first; two programs that denied for the first time at once began two chains.

    Raises TranscriptAltered for a row that is no event.
    """
    names = [str(row[0]) for row in read.execute(_LOGS).fetchall()]
    rows = [(name, row) for name in names for row in read.execute(audit.EVENTS, (name,)).fetchall()]
    return tuple(sorted((chain.read(row, name, row[1]) for name, row in rows), key=lambda event: event.time))
