"""The record: begins consultations, lists them, reads them back and proves them, for whoever may ask for that.

Knows nothing of what the events say, and not whether it is a file or a database on a server.
"""

import logging
from collections.abc import Iterator
from copy import copy
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from transcripts import audit, chain, denials
from transcripts.access import Access, Action
from transcripts.clock import CaseClock, Clock, system_clock
from transcripts.consultation import ConsultationSummary, Verified, is_id
from transcripts.database import Database
from transcripts.errors import AccessDenied, ContentErased, ErasureRefused, EventRefused, TranscriptError
from transcripts.event import Body, Event, EventKind
from transcripts.export import json_lines
from transcripts.listing import EVERYTHING, Filter, listed
from transcripts.presence import LockFiles, Presence
from transcripts.recorder import Recorder
from transcripts.retention import Old, old
from transcripts.seal import Seal
from transcripts.sqlite import SqliteDatabase
from transcripts.writer import Writer

if TYPE_CHECKING:
    from transcripts.postgres import Server

_AFTERWARDS = (EventKind.VIEWED, EventKind.EXPORTED, EventKind.FEEDBACK, EventKind.HELD, EventKind.RELEASED)

_log = logging.getLogger(__name__)


class TranscriptStore:
    """One open record, for any number of threads; other processes may have it open too."""

    def __init__(
        self, database: Database, presence: Presence, seal: Seal | None = None, clock: Clock = system_clock
    ) -> None:
        self._database = database
        self._presence = presence
        self._clock = clock
        self._writer = Writer(database, seal)
        self._access: Access | None = None

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
        consultation, release = self._writer.begin(clock.started, self._presence.hold)
        return Recorder(consultation, partial(self._writer.append, consultation, clock), release)

    def annotate(self, consultation_id: str, kind: EventKind, body: Body) -> Event:
        """Add who viewed, exported or held a consultation, or feedback on it, at any time; durable when it returns.

        Raises EventRefused for any other kind, AccessDenied, TranscriptMissing, TranscriptUnwritable.
        """
        if kind in (EventKind.HELD, EventKind.RELEASED):
            self._ask(Action.ERASE, consultation_id)
        if kind not in _AFTERWARDS:
            raise EventRefused(f"the {kind} event was not recorded because only its own recorder writes such events")
        named = {**body, "subject": self._access.recorded} if self._access else body
        return self._writer.append(consultation_id, self._clock, kind, named, lambda: None).result()

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
        if is_id(consultation_id) and self._presence.held(consultation_id):
            raise ErasureRefused(consultation_id, "it is still being written")
        by = self._access.recorded if self._access else ""
        return self._writer.erase(consultation_id, self._clock, by, reason)

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

    def sign(self) -> None:
        """Sign what has been written since the last checkpoint; does nothing without a seal.

        Raises TranscriptUnwritable, CheckpointAltered, SigningKeyUnusable.
        """
        self._writer.sign()

    def change_key(self) -> str:
        """Sign with a new key from now on and return its public half. The old key's last checkpoint names the new
        one, and its public half is kept.

        Raises TranscriptUnwritable, CheckpointAltered, SigningKeyUnusable.
        """
        return self._writer.change_key()

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
            return audit.prove_all(
                read, self._known(keys), copy or (self._writer.seal.copy if self._writer.seal else None)
            )

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
        """Write, sign and copy what waits, then let the record go."""
        try:
            self._writer.close()
        finally:
            self._presence.close()
            self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _known(self, keys: audit.Keys | None) -> audit.Keys | None:
        seal = self._writer.seal
        return seal.keys.public if keys is None and seal else keys

    def _ask(self, action: Action, consultation: str | None) -> None:
        access = self._access
        try:
            if access:
                access.require(action, consultation)
        except AccessDenied:
            self._record_denial(access, action, consultation)
            raise

    def _record_denial(self, access: Access | None, action: Action, consultation: str | None) -> None:
        body = {"subject": access.recorded if access else "", "action": action.value, "consultation": consultation}
        try:
            self._writer.deny(body, self._clock)
        except TranscriptError as error:
            # It stays denied whether or not it can be recorded.
            _log.warning("a denied access was not recorded: %s", error)
