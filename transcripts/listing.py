"""The list of consultations: which ones, newest first, and the line that each gets.

Knows nothing of what events say beyond the case's `text` and `language` and the last event's `status`.
"""

import json
import string
from collections.abc import Callable, Iterator
from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict

from transcripts import audit, chain
from transcripts.consultation import ConsultationSummary, Status, earliest_id, is_id
from transcripts.database import Database, Session, Value
from transcripts.errors import TranscriptAltered
from transcripts.event import Event, EventKind

_SHOWN = 80  # characters of the case in a list
_FIRST, _AFTER_ALL = "", "d"  # ids begin with c
_BATCH = 200

_IDS = """
    SELECT id FROM consultations WHERE id < ?1 AND id >= ?2
    AND NOT EXISTS (SELECT 1 FROM events WHERE consultation = id AND seq = 0 AND kind = 'denied') {more}
    ORDER BY id DESC LIMIT ?3
"""
_OF = f"consultation = id AND {audit.LANDMARK}"
# What an index over the landmarks knows need not be read from the events themselves.
_CASE_HAS = f"AND EXISTS (SELECT 1 FROM events WHERE {_OF} AND kind = 'case' AND {{condition}})"
_ENDED = (
    f"AND EXISTS (SELECT 1 FROM events WHERE {_OF} AND kind = 'finished' AND replace(body, ?{{place}}, '') <> body)"
)
_OPEN = f"AND NOT EXISTS (SELECT 1 FROM events WHERE {_OF} AND kind IN ('finished', 'erased'))"
_ERASED = f"AND EXISTS (SELECT 1 FROM events WHERE {_OF} AND kind = 'erased')"
_FINISHED = f"SELECT 1 FROM events WHERE consultation = ?1 AND {audit.LANDMARK} AND kind = 'finished' LIMIT 1"
_LANDMARKS = f"""
    SELECT {audit.COLUMNS} FROM events
    WHERE consultation = ?1 AND {audit.LANDMARK} AND kind IN ('case', 'finished', 'erased') ORDER BY seq
"""
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Filter(BaseModel):
    """Which consultations: of one language, begun `since` (included) and `until` (not included), that ended so, whose
    case has a text in it. The letters A to Z count in either case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: str | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    status: Status | None = None
    text: str | None = None


EVERYTHING = Filter()


def listed(
    database: Database, held: Callable[[str], bool], wanted: Filter, limit: int, before: str | None
) -> Iterator[ConsultationSummary]:
    """The newest `limit` consultations that are wanted, newest first; `held` says whether one is being written.

    Raises TranscriptUnreadable, and TranscriptAltered for one that cannot be told from what is stored.
    """
    last = before or _AFTER_ALL
    while limit > 0:
        batch = _BATCH if wanted.status in (Status.RUNNING, Status.INTERRUPTED) else min(limit, _BATCH)
        with database.snapshot() as read:
            ids = [_well_formed(row[0]) for row in read.execute(*_query(wanted, last, batch)).fetchall()]
            unfinished = [name for name in ids if read.execute(_FINISHED, (name,)).fetchone() is None]
        # Asked before the events are read: a writer that lets go meanwhile has written its last event.
        running = {name for name in unfinished if held(name)}
        with database.snapshot() as read:
            found = [summary for name in ids if (summary := _summary(read, name, name in running, wanted))]
        yield from found[:limit]
        limit -= len(found)
        if len(ids) < batch:
            return
        last = ids[-1]


def _query(wanted: Filter, before: str, limit: int) -> tuple[str, list[Value]]:
    until = min(before, earliest_id(wanted.until)) if wanted.until else before
    values: list[Value] = [until, earliest_id(wanted.since) if wanted.since else _FIRST, limit]
    more = []
    if wanted.language is not None:
        values.append(f'"language":{_json(wanted.language)}')
        more.append(_CASE_HAS.format(condition=f"replace(body, ?{len(values)}, '') <> body"))
    if wanted.text is not None:
        values.append(_json(wanted.text).strip('"').translate(_LOWER))
        more.append(_CASE_HAS.format(condition=f"replace(lower(body), ?{len(values)}, '') <> lower(body)"))
    if wanted.status in (Status.FINISHED, Status.CANCELLED, Status.FAILED):
        values.append(f'"status":"{wanted.status.value}"')  # beside it stand numbers only
        more.append(_ENDED.format(place=len(values)))
    elif wanted.status is not None:
        more.append(_ERASED if wanted.status is Status.ERASED else _OPEN)
    return _IDS.format(more=" ".join(more)), values


def _json(text: str) -> str:
    # As RFC 8785 writes it.
    return json.dumps(text, ensure_ascii=False)


def _well_formed(stored: object) -> str:
    # An id is also the name of a lock file, so one that was altered must not name another path.
    consultation = str(stored)
    if not is_id(consultation):
        raise TranscriptAltered(consultation, 0, "its consultation has an id that was never given out")
    return consultation


def _summary(read: Session, consultation: str, running: bool, wanted: Filter) -> ConsultationSummary | None:
    started, _, events, _ = audit.consultation(read, consultation)
    rows = read.execute(_LANDMARKS, (consultation,)).fetchall()
    landmarks = {EventKind(event.kind): event for event in (chain.read(row, consultation, row[1]) for row in rows)}
    case = landmarks[EventKind.CASE].body if EventKind.CASE in landmarks else {}
    text, language = str(case.get("text") or ""), str(case.get("language") or "")
    try:
        status = _status(landmarks, running)
        begun = datetime.fromisoformat(started)
        if not _matches(wanted, text, language, status):
            return None
        return ConsultationSummary(
            id=consultation, started=begun, language=language, case=text[:_SHOWN], status=status, events=events
        )
    except ValueError as error:
        raise TranscriptAltered(consultation, 0, "its start or its end can no longer be read") from error


def _status(landmarks: dict[EventKind, Event], running: bool) -> Status:
    if EventKind.ERASED in landmarks:
        return Status.ERASED
    ending = landmarks.get(EventKind.FINISHED)
    if ending is None:
        return Status.RUNNING if running else Status.INTERRUPTED
    return Status(str(ending.body.get("status")))


def _matches(wanted: Filter, text: str, language: str, status: Status) -> bool:
    return (
        wanted.language in (None, language)
        and wanted.status in (None, status)
        and (wanted.text is None or wanted.text.translate(_LOWER) in text.translate(_LOWER))
    )
