"""The transcript file: begins consultations, lists them, reads them back and proves them.

Knows nothing of what the events say beyond the case's `text` and `language` and the last event's `status`.
"""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Self

from pydantic import NonNegativeInt, TypeAdapter, ValidationError

from transcripts import chain
from transcripts.consultation import ConsultationSummary, Status, Verified, is_id, new_id
from transcripts.database import Database
from transcripts.errors import EventRefused, TranscriptAltered, TranscriptMissing
from transcripts.event import SCHEMA, Body, Event, EventKind, Hash, instant, json_body, opening
from transcripts.presence import Presence
from transcripts.recorder import Recorder

_SHOWN = 80  # characters of the case in a list

_AFTERWARDS = (EventKind.VIEWED, EventKind.EXPORTED, EventKind.FEEDBACK)

_COLUMNS = "consultation, seq, time, kind, body, previous, hash"

_ROW = TypeAdapter(tuple[str, NonNegativeInt, Hash])


class TranscriptStore:
    """One open transcript file, for any number of threads; other processes may have it open too."""

    def __init__(self, database: Database, presence: Presence) -> None:
        self._database = database
        self._presence = presence

    @classmethod
    def open(cls, path: Path, read_only: bool = False, *, patience: float = 5.0) -> Self:
        """Open the file at `path`, made if absent unless `read_only`; wait `patience` seconds for other writers.

        Raises TranscriptUnwritable (TranscriptUnreadable when `read_only`) or TranscriptSchemaTooNew.
        """
        database = Database(path, read_only=read_only, patience=patience)
        return cls(database, Presence(path.with_name(f"{path.name}.running")))

    def begin(self) -> Recorder:
        """Start a consultation; raises TranscriptUnwritable."""
        started = datetime.now(UTC)
        consultation, text = new_id(started), instant(started)
        with self._database.transaction() as write:
            write.execute(
                "INSERT INTO consultations (id, started, schema, events, head) VALUES (?, ?, ?, 0, ?)",
                (consultation, text, SCHEMA, opening(consultation, text)),
            )
            # Held before the commit lets anyone see the row, so that it never looks interrupted.
            release = self._presence.hold(consultation)
        return Recorder(consultation, partial(self._append, consultation), release)

    def annotate(self, consultation_id: str, kind: EventKind, body: Body) -> Event:
        """Add who viewed or exported a consultation, or feedback on it, at any time; durable when it returns.

        Raises EventRefused for any other kind, TranscriptMissing, TranscriptUnwritable.
        """
        if kind not in _AFTERWARDS:
            raise EventRefused(f"the {kind} event was not recorded because only its own recorder writes such events")
        return self._append(consultation_id, kind, body)

    def consultations(self, limit: int = 50, before: str | None = None) -> tuple[ConsultationSummary, ...]:
        """The newest `limit` consultations, newest first; `before` is the last id of the page before.

        Raises TranscriptUnreadable, and TranscriptAltered for one that cannot be told from what is stored.
        """
        with self._database.snapshot() as read:
            found = read.execute(
                "SELECT id FROM consultations WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2", (before, limit)
            ).fetchall()
        ids = [_well_formed(consultation) for (consultation,) in found]
        # Asked before the events are read: a writer that lets go meanwhile has written its last event.
        running = {consultation for consultation in ids if self._presence.held(consultation)}
        with self._database.snapshot() as read:
            return tuple(_summary(read, consultation, consultation in running) for consultation in ids)

    def events(self, consultation_id: str) -> Iterator[Event]:
        """All events in order, as they stood at the call; unread rows are not proved, see `verify`.

        Raises TranscriptMissing, TranscriptUnreadable, and TranscriptAltered for a row that is no event.
        """
        with self._database.snapshot() as read:
            _consultation(read, consultation_id)
            rows = _rows(read, consultation_id)
        return (chain.read(row, consultation_id, seq) for seq, row in enumerate(rows))

    def values(self, kind: EventKind, field: str) -> frozenset[str]:
        """Every text that any event of a kind has in a field of its body.

        Raises TranscriptUnreadable, and TranscriptAltered for a row that is no event.
        """
        with self._database.snapshot() as read:
            rows = read.execute(f"SELECT {_COLUMNS} FROM events WHERE kind = ?", (kind.value,))
            found = [chain.read(row, str(row[0]), row[1]).body.get(field) for row in rows]
        return frozenset(value for value in found if isinstance(value, str))

    def verify(self, consultation_id: str) -> Verified:
        """Prove that every event is as it was written.

        Raises TranscriptAltered for the first that is not, TranscriptMissing, TranscriptUnreadable. A chain
        without a key shows what was altered, not what someone has recomputed from end to end: keep `head`
        elsewhere and compare it.
        """
        with self._database.snapshot() as read:
            started, events, head = _consultation(read, consultation_id)
            rows = _rows(read, consultation_id)
        verified = chain.prove(consultation_id, opening(consultation_id, str(started)), rows)
        if verified.events != events:
            difference = f"the consultation has {verified.events} events where {events} were counted"
            raise TranscriptAltered(consultation_id, verified.events, difference)
        if verified.head != head:
            difference = "it is not the event that the consultation ended with"
            raise TranscriptAltered(consultation_id, max(verified.events - 1, 0), difference)
        return verified

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, consultation: str, kind: EventKind, body: Body) -> Event:
        whole = json_body(body)
        with self._database.transaction() as write:
            _, seq, head = _consultation(write, consultation)
            event = Event.following(consultation, seq, head, time=datetime.now(UTC), kind=kind, body=whole)
            write.execute(f"INSERT INTO events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", chain.stored(event))
        return event


def _well_formed(stored: object) -> str:
    # An id is also the name of a lock file, so one that was altered must not name another path.
    consultation = str(stored)
    if not is_id(consultation):
        raise TranscriptAltered(consultation, 0, "its consultation has an id that was never given out")
    return consultation


def _consultation(read: sqlite3.Connection, consultation: str) -> tuple[str, int, str]:
    """When it started, how many events it has, and the hash of the last one."""
    if not is_id(consultation):
        raise TranscriptMissing(consultation)
    row = read.execute("SELECT started, events, head FROM consultations WHERE id = ?", (consultation,)).fetchone()
    if row is None:
        raise TranscriptMissing(consultation)
    try:
        return _ROW.validate_python(row, strict=True)
    except ValidationError as error:
        raise TranscriptAltered(consultation, 0, "the row of its consultation can no longer be read") from error


def _rows(read: sqlite3.Connection, consultation: str) -> list[chain.Row]:
    return read.execute(
        f"SELECT {_COLUMNS} FROM events WHERE consultation = ? ORDER BY seq", (consultation,)
    ).fetchall()


def _summary(read: sqlite3.Connection, consultation: str, running: bool) -> ConsultationSummary:
    started, events, _ = _consultation(read, consultation)
    rows = read.execute(
        f"SELECT {_COLUMNS} FROM events WHERE consultation = ? AND kind IN ('case', 'finished') ORDER BY seq",
        (consultation,),
    ).fetchall()
    landmarks = [chain.read(row, consultation, row[1]) for row in rows]
    case = next((event.body for event in landmarks if event.kind is EventKind.CASE), {})
    ending = next((event.body for event in landmarks if event.kind is EventKind.FINISHED), None)
    unfinished = Status.RUNNING if running else Status.INTERRUPTED
    try:
        return ConsultationSummary(
            id=consultation,
            started=datetime.fromisoformat(started),
            language=str(case.get("language") or ""),
            case=str(case.get("text") or "")[:_SHOWN],
            status=unfinished if ending is None else Status(str(ending.get("status"))),
            events=events,
        )
    except ValueError as error:
        raise TranscriptAltered(consultation, 0, "its start or its end can no longer be read") from error
