"""The transcript file: begins consultations, lists them, reads them back and proves them.

Knows nothing of what the events say beyond the case's `text` and `language` and the last event's `status`.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeGuard

from transcripts import audit, chain
from transcripts.commits import GroupCommit, Waiting
from transcripts.consultation import ConsultationSummary, Status, Verified, is_id, new_id
from transcripts.database import Database, Refused, Session
from transcripts.errors import (
    CheckpointAltered,
    EventRefused,
    SigningKeyUnusable,
    TranscriptAltered,
    TranscriptError,
    TranscriptMissing,
    TranscriptUnwritable,
)
from transcripts.event import SCHEMA, Body, Event, EventKind, instant, json_body, opening
from transcripts.export import json_lines
from transcripts.presence import LockFiles, Presence
from transcripts.recorder import Recorder
from transcripts.seal import Seal
from transcripts.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from transcripts.postgres import Server

_SHOWN = 80  # characters of the case in a list

_AFTERWARDS = (EventKind.VIEWED, EventKind.EXPORTED, EventKind.FEEDBACK)

_INSERT = f"INSERT INTO events ({audit.COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"

_AFTER_ALL = "d"  # ids begin with c

_log = logging.getLogger(__name__)


class TranscriptStore:
    """One open transcript file, for any number of threads; other processes may have it open too."""

    def __init__(self, database: Database, presence: Presence, seal: Seal | None = None) -> None:
        self._database = database
        self._presence = presence
        self._seal = seal
        self._commits = GroupCommit(self._write, self._copy_later)
        # The second copy may be on a slow or absent network; nobody waits for it but `close`.
        self._copier = ThreadPoolExecutor(1, thread_name_prefix="checkpoint-copy")
        self._uncopied = True

    @classmethod
    def open(cls, path: Path, read_only: bool = False, *, patience: float = 5.0, seal: Seal | None = None) -> Self:
        """Open the file at `path`, made if absent unless `read_only`; wait `patience` seconds for other writers.

        With a `seal` everything is signed: what is there already at once, each consultation as it ends, the rest on
        the seal's schedule and when the file is closed.

        Raises TranscriptUnwritable (TranscriptUnreadable when `read_only`), TranscriptSchemaTooNew, or
        SigningKeyUnusable.
        """
        database = SqliteDatabase(path, read_only=read_only, patience=patience)
        return cls._opened(database, LockFiles(path.with_name(f"{path.name}.running")), None if read_only else seal)

    @classmethod
    def connect(
        cls, server: "Server", read_only: bool = False, *, patience: float = 5.0, seal: Seal | None = None
    ) -> Self:
        """Open the record in a PostgreSQL database, which `postgres.create` made; otherwise as `open`."""
        # Only a hospital with such a server has the package for it.
        from transcripts.postgres import PostgresDatabase, SessionLocks

        database = PostgresDatabase(server, read_only=read_only, patience=patience)
        return cls._opened(database, SessionLocks(server, patience), None if read_only else seal)

    @classmethod
    def _opened(cls, database: Database, presence: Presence, seal: Seal | None) -> Self:
        store = cls(database, presence, seal)
        try:
            store.sign()
        except BaseException:
            database.close()
            raise
        return store

    def begin(self) -> Recorder:
        """Start a consultation; raises TranscriptUnwritable."""
        started = datetime.now(UTC)
        consultation, text = new_id(started), instant(started)
        with self._database.transaction() as write:
            write.execute(
                "INSERT INTO consultations (id, started, schema, events, head) VALUES (?1, ?2, ?3, 0, ?4)",
                (consultation, text, SCHEMA, opening(consultation, text, SCHEMA)),
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
        return self._append(consultation_id, kind, body, lambda: None).result()

    def sign(self) -> None:
        """Sign what has been written since the last checkpoint; does nothing without a seal.

        Raises TranscriptUnwritable, CheckpointAltered, SigningKeyUnusable.
        """
        if self._seal:
            with self._database.transaction(sealing=True) as write:
                signed = self._seal.sign(write)
            self._uncopied |= signed
            self._copy_later()

    def change_key(self) -> str:
        """Sign with a new key from now on and return its public half. The old key's last checkpoint names the new
        one, and its public half is kept.

        Raises TranscriptUnwritable, CheckpointAltered, SigningKeyUnusable.
        """
        if self._seal is None:
            raise SigningKeyUnusable("this transcript was opened without keys; open it with those of the installation")
        prepared = self._seal.keys.prepare().public
        with self._database.transaction(sealing=True) as write:
            self._seal.sign(write, next_key=prepared)
        self._seal.keys.adopt()
        self._uncopied = True
        self._copy_later()
        return prepared

    def consultations(self, limit: int = 50, before: str | None = None) -> tuple[ConsultationSummary, ...]:
        """The newest `limit` consultations, newest first; `before` is the last id of the page before.

        Raises TranscriptUnreadable, and TranscriptAltered for one that cannot be told from what is stored.
        """
        with self._database.snapshot() as read:
            found = read.execute(
                "SELECT id FROM consultations WHERE id < ?1 ORDER BY id DESC LIMIT ?2", (before or _AFTER_ALL, limit)
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
            audit.consultation(read, consultation_id)
            rows = read.execute(audit.EVENTS, (consultation_id,)).fetchall()
        return (chain.read(row, consultation_id, seq) for seq, row in enumerate(rows))

    def values(self, kind: EventKind, field: str) -> frozenset[str]:
        """Every text that any event of a kind has in a field of its body.

        Raises TranscriptUnreadable, and TranscriptAltered for a row that is no event.
        """
        with self._database.snapshot() as read:
            rows = read.execute(f"SELECT {audit.COLUMNS} FROM events WHERE kind = ?1", (kind.value,))
            found = [chain.read(row, str(row[0]), row[1]).body.get(field) for row in rows]
        return frozenset(value for value in found if isinstance(value, str))

    def verify(self, consultation_id: str, keys: audit.Keys | None = None) -> Verified:
        """Prove that every event is as it was written, and that the signatures over them are by one of `keys`.

        Without `keys` those of the installation count, where the store was opened with them; without any, whoever
        rewrites the file from end to end can sign it anew. Streams, in constant memory.

        Raises TranscriptAltered for the first event that is not, CheckpointAltered, TranscriptMissing,
        TranscriptUnreadable.
        """
        with self._database.long_snapshot() as read:
            return audit.prove_one(read, consultation_id, self._known(keys))

    def verify_all(self, keys: audit.Keys | None = None, copy: Path | None = None) -> audit.Audit:
        """Prove every consultation and every checkpoint, and with the second `copy` that the file was not put back.

        Streams, in constant memory. Raises as `verify` does.
        """
        with self._database.long_snapshot() as read:
            return audit.prove_all(read, self._known(keys), copy or (self._seal.copy if self._seal else None))

    def export(self, consultation_id: str) -> Iterator[str]:
        """The consultation as JSON lines that prove themselves, see `export.json_lines`.

        Raises TranscriptMissing, TranscriptUnreadable, TranscriptAltered.
        """
        with self._database.long_snapshot() as read:
            yield from json_lines(read, consultation_id)

    def close(self) -> None:
        """Write, sign and copy what waits, then let the file go."""
        self._commits.close()
        try:
            self.sign()
        except TranscriptError as error:
            # Everything is durable; the next program that opens the file signs it.
            _log.warning("the last events were not signed: %s", error)
        finally:
            self._copier.shutdown()
            self._presence.close()
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _known(self, keys: audit.Keys | None) -> audit.Keys | None:
        return self._seal.keys.public if keys is None and self._seal else keys

    def _append(
        self, consultation: str, kind: EventKind, body: Body, stopped: Callable[[], TranscriptUnwritable | None]
    ) -> Future[Event]:
        return self._commits.add(Waiting(consultation, kind, json_body(body), stopped))

    def _write(self, group: Sequence[Waiting]) -> list[Event | TranscriptError]:
        try:
            return self._write_together(group)
        except Refused as error:
            if len(group) == 1:
                return [TranscriptUnwritable(f"the transcript refuses its next event ({error}); verify the transcript")]
        # The others of its group are none the worse for the one that is refused.
        return [outcome for waiting in group for outcome in self._write([waiting])]

    def _write_together(self, group: Sequence[Waiting]) -> list[Event | TranscriptError]:
        ends = any(waiting.kind is EventKind.FINISHED for waiting in group)
        seal = self._seal if self._seal and (ends or self._seal.due) else None
        with self._database.transaction(sealing=seal is not None) as write:
            write.lock({waiting.consultation for waiting in group if is_id(waiting.consultation)})
            outcomes = [_written(write, waiting) for waiting in group]
            if seal:
                self._sign_with(seal, write, {event.consultation for event in outcomes if _ends(event)})
        return outcomes

    def _sign_with(self, seal: Seal, write: Session, ending: set[str]) -> None:
        try:
            self._uncopied |= seal.sign(write, ending)
        except (CheckpointAltered, SigningKeyUnusable) as error:
            raise TranscriptUnwritable(f"it could not be signed: {error}") from error

    def _copy_later(self) -> None:
        if self._uncopied and self._seal and self._seal.copy:
            self._uncopied = False
            with suppress(RuntimeError):  # closed meanwhile; the next program that opens the file catches up
                self._copier.submit(self._copy_out, self._seal)

    def _copy_out(self, seal: Seal) -> None:
        try:
            with self._database.long_snapshot() as read:
                seal.copy_out(read)
        except TranscriptError as error:
            _log.warning("the second copy of the checkpoints was not written: %s", error)


def _written(write: Session, waiting: Waiting) -> Event | TranscriptError:
    if failure := waiting.stopped():
        return failure
    try:
        _, _, seq, head = audit.consultation(write, waiting.consultation)
    except (TranscriptMissing, TranscriptAltered) as error:
        return error
    event = Event.following(
        waiting.consultation,
        seq,
        head,
        time=datetime.now(UTC),
        kind=waiting.kind,
        body=waiting.body.value,
        text=waiting.body.text,
    )
    write.execute(_INSERT, chain.stored(event, waiting.body.text))
    return event


def _ends(event: Event | TranscriptError) -> TypeGuard[Event]:
    return isinstance(event, Event) and event.kind is EventKind.FINISHED


def _well_formed(stored: object) -> str:
    # An id is also the name of a lock file, so one that was altered must not name another path.
    consultation = str(stored)
    if not is_id(consultation):
        raise TranscriptAltered(consultation, 0, "its consultation has an id that was never given out")
    return consultation


def _summary(read: Session, consultation: str, running: bool) -> ConsultationSummary:
    started, _, events, _ = audit.consultation(read, consultation)
    rows = read.execute(
        f"SELECT {audit.COLUMNS} FROM events WHERE consultation = ?1 AND kind IN ('case', 'finished') ORDER BY seq",
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
