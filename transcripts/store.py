"""The transcript file: begins consultations, lists them, reads them back and proves them.

Knows nothing of what the events say.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from copy import copy
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeGuard

from transcripts import audit, chain, denials
from transcripts.access import Access, Action
from transcripts.clock import CaseClock, Clock, system_clock
from transcripts.commits import GroupCommit, Waiting
from transcripts.consultation import ConsultationSummary, Verified, is_id, new_id
from transcripts.database import Database, Refused, Session
from transcripts.errors import (
    AccessDenied,
    CheckpointAltered,
    ContentErased,
    ErasureRefused,
    EventRefused,
    SigningKeyUnusable,
    TranscriptAltered,
    TranscriptError,
    TranscriptMissing,
    TranscriptUnwritable,
)
from transcripts.event import SCHEMA, Body, Event, EventKind, instant, json_body, opening
from transcripts.export import json_lines
from transcripts.listing import EVERYTHING, Filter, listed
from transcripts.presence import LockFiles, Presence
from transcripts.recorder import Recorder
from transcripts.retention import Old, erasing, old
from transcripts.seal import Seal
from transcripts.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from transcripts.postgres import Server

_AFTERWARDS = (EventKind.VIEWED, EventKind.EXPORTED, EventKind.FEEDBACK, EventKind.HELD, EventKind.RELEASED)

_BEGIN = "INSERT INTO consultations (id, started, schema, events, head) VALUES (?1, ?2, ?3, 0, ?4)"
_INSERT = f"INSERT INTO events ({audit.COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"

_log = logging.getLogger(__name__)


class TranscriptStore:
    """One open transcript file, for any number of threads; other processes may have it open too."""

    def __init__(
        self, database: Database, presence: Presence, seal: Seal | None = None, clock: Clock = system_clock
    ) -> None:
        self._database = database
        self._clock = clock
        self._access: Access | None = None
        self._presence = presence
        self._seal = seal
        self._commits = GroupCommit(self._write, self._copy_later)
        # The second copy may be on a slow or absent network; nobody waits for it but `close`.
        self._copier = ThreadPoolExecutor(1, thread_name_prefix="checkpoint-copy")
        self._uncopied = True

    @classmethod
    def open(
        cls,
        path: Path,
        read_only: bool = False,
        *,
        patience: float = 5.0,
        seal: Seal | None = None,
        clock: Clock = system_clock,
    ) -> Self:
        """Open the file at `path`, made if absent unless `read_only`; wait `patience` seconds for other writers.

        With a `seal` everything is signed: what is there already at once, each consultation as it ends, the rest on
        the seal's schedule and when the file is closed.

        Raises TranscriptUnwritable (TranscriptUnreadable when `read_only`), TranscriptSchemaTooNew, or
        SigningKeyUnusable.
        """
        database = SqliteDatabase(path, read_only=read_only, patience=patience)
        return cls._opened(
            database, LockFiles(path.with_name(f"{path.name}.running")), None if read_only else seal, clock
        )

    @classmethod
    def connect(
        cls,
        server: "Server",
        read_only: bool = False,
        *,
        patience: float = 5.0,
        seal: Seal | None = None,
        clock: Clock = system_clock,
    ) -> Self:
        """Open the record in a PostgreSQL database, which `postgres.create` made; otherwise as `open`."""
        # Only a hospital with such a server has the package for it.
        from transcripts.postgres import PostgresDatabase, SessionLocks

        database = PostgresDatabase(server, read_only=read_only, patience=patience)
        return cls._opened(database, SessionLocks(server, patience), None if read_only else seal, clock)

    @classmethod
    def _opened(cls, database: Database, presence: Presence, seal: Seal | None, clock: Clock) -> Self:
        store = cls(database, presence, seal, clock)
        try:
            store.sign()
        except BaseException:
            database.close()
            raise
        return store

    def by(self, access: Access) -> Self:
        """The same record on someone's behalf: each call asks whether they may, and what they do stands under their
        pseudonym. Without it nobody is asked, as by the programs that measure the record."""
        theirs = copy(self)
        theirs._access = access
        return theirs

    def begin(self) -> Recorder:
        """Start a consultation; raises TranscriptUnwritable."""
        clock = CaseClock(self._clock)
        with _refusing(), self._database.transaction() as write:
            consultation = self._begin(write, clock.started)
            # Held before the commit lets anyone see the row, so that it never looks interrupted.
            release = self._presence.hold(consultation)
        return Recorder(consultation, partial(self._append, consultation, clock), release)

    def _begin(self, write: Session, started: datetime) -> str:
        consultation, text = new_id(started), instant(started)
        write.execute(_BEGIN, (consultation, text, SCHEMA, opening(consultation, text, SCHEMA)))
        return consultation

    def annotate(self, consultation_id: str, kind: EventKind, body: Body) -> Event:
        """Add who viewed, exported or held a consultation, or feedback on it, at any time; durable when it returns.

        Raises EventRefused for any other kind, AccessDenied, TranscriptMissing, TranscriptUnwritable.
        """
        if kind in (EventKind.HELD, EventKind.RELEASED):
            self._ask(Action.ERASE, consultation_id)
        if kind not in _AFTERWARDS:
            raise EventRefused(f"the {kind} event was not recorded because only its own recorder writes such events")
        named = {**body, "subject": self._access.recorded} if self._access else body
        return self._append(consultation_id, self._clock, kind, named, lambda: None).result()

    def old(self, before: datetime) -> Iterator[Old]:
        """The consultations that were begun before this time and are not erased, oldest first, see `erase`.

        Raises AccessDenied, TranscriptUnreadable.
        """
        self._ask(Action.LIST, None)
        return old(self._database, self._presence.held, before)

    def erase(self, consultation_id: str, reason: str) -> Event:
        """Erase the content of all events so far and keep their hashes; an event says for whom and for what `reason`,
        and is signed with it, so that this cannot be taken for an alteration, nor an alteration for this.

        Raises AccessDenied, ErasureRefused, TranscriptAltered, TranscriptMissing, TranscriptUnwritable,
        CheckpointAltered, SigningKeyUnusable.
        """
        self._ask(Action.ERASE, consultation_id)
        if self._seal is None:
            raise ErasureRefused(consultation_id, "the transcript was opened without the keys that sign an erasure")
        if is_id(consultation_id) and self._presence.held(consultation_id):
            raise ErasureRefused(consultation_id, "it is still being written")
        with _refusing(), self._database.transaction(sealing=True) as write:
            by = self._access.recorded if self._access else ""
            body = json_body(erasing(write, consultation_id, by, reason))
            erased = _written(write, Waiting(consultation_id, EventKind.ERASED, body, lambda: None, self._clock))
            if isinstance(erased, TranscriptError):
                raise erased
            self._seal.sign(write, (consultation_id,))
        self._uncopied = True
        self._copy_later()
        return erased

    def scrub(self) -> bool:
        """Overwrite what erased content left behind; False where only the owner of the database server can do it.

        Takes as long as writing the whole record anew. Raises TranscriptUnwritable.
        """
        return self._database.scrub()

    def denials(self) -> tuple[Event, ...]:
        """Everything that was asked for and denied, oldest first. Raises AccessDenied, TranscriptUnreadable."""
        self._ask(Action.READ, None)
        with self._database.snapshot() as read:
            return denials.recorded(read)

    def _ask(self, action: Action, consultation: str | None) -> None:
        try:
            if self._access:
                self._access.require(action, consultation)
        except AccessDenied:
            self._record_denial(self._access, action, consultation)
            raise

    def _record_denial(self, access: Access | None, action: Action, consultation: str | None) -> None:
        body = {"subject": access.recorded if access else "", "action": action.value, "consultation": consultation}
        try:
            with _refusing(), self._database.transaction() as write:
                log = denials.log(write) or self._begin(write, self._clock())
                write.lock({log})
                outcome = _written(write, Waiting(log, EventKind.DENIED, json_body(body), lambda: None, self._clock))
                if isinstance(outcome, TranscriptError):
                    raise outcome
        except TranscriptError as error:
            # It stays denied whether or not it can be recorded.
            _log.warning("a denied access was not recorded: %s", error)

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

    def consultations(
        self, limit: int = 50, before: str | None = None, wanted: Filter = EVERYTHING
    ) -> tuple[ConsultationSummary, ...]:
        """The newest `limit` consultations that are `wanted`, newest first; `before` is the last id of the page before.

        Raises AccessDenied, TranscriptUnreadable, and TranscriptAltered for one that cannot be told from what is
        stored.
        """
        self._ask(Action.LIST, None)
        return tuple(listed(self._database, self._presence.held, wanted, limit, before))

    def events(self, consultation_id: str) -> Iterator[Event]:
        """All events in order, as they stood at the call; unread rows are not proved, see `verify`.

        Raises AccessDenied, TranscriptMissing, TranscriptUnreadable, and TranscriptAltered for a row that is no event.
        """
        self._ask(Action.READ, consultation_id)
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

        Raises AccessDenied, ContentErased, TranscriptMissing, TranscriptUnreadable, TranscriptAltered.
        """
        self._ask(Action.EXPORT, consultation_id)
        with self._database.long_snapshot() as read:
            if audit.last_erasure(read, consultation_id):
                raise ContentErased(consultation_id)
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
        self,
        consultation: str,
        clock: Clock,
        kind: EventKind,
        body: Body,
        stopped: Callable[[], TranscriptUnwritable | None],
    ) -> Future[Event]:
        return self._commits.add(Waiting(consultation, kind, json_body(body), stopped, clock))

    def _write(self, group: Sequence[Waiting]) -> list[Event | TranscriptError]:
        try:
            return self._write_together(group)
        except Refused as error:
            if len(group) == 1:
                return [_refusal(error)]
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


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except Refused as error:
        raise _refusal(error) from error


def _refusal(error: Refused) -> TranscriptUnwritable:
    return TranscriptUnwritable(f"the transcript refuses its next event ({error}); verify the transcript")


def _written(write: Session, waiting: Waiting) -> Event | TranscriptError:
    if failure := waiting.stopped():
        return failure
    try:
        _, _, seq, head = audit.consultation(write, waiting.consultation)
        time = waiting.clock()
    except (TranscriptMissing, TranscriptAltered, TranscriptUnwritable) as error:
        return error
    event = Event.following(
        waiting.consultation,
        seq,
        head,
        time=time,
        kind=waiting.kind,
        body=waiting.body.value,
        text=waiting.body.text,
    )
    write.execute(_INSERT, chain.stored(event, waiting.body.text))
    return event


def _ends(event: Event | TranscriptError) -> TypeGuard[Event]:
    return isinstance(event, Event) and event.kind is EventKind.FINISHED
