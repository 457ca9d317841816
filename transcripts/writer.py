"""Everything that is written to a record: in groups, signed where a signature is due, and copied to a second place.

Knows nothing of who may do it, and of the events' bodies only those that it makes itself.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TypeGuard

from transcripts import audit, chain, denials
from transcripts.clock import Clock
from transcripts.commits import GroupCommit, Waiting
from transcripts.consultation import is_id, new_id
from transcripts.database import Database, Refused, Session
from transcripts.errors import (
    CheckpointAltered,
    ErasureRefused,
    SigningKeyUnusable,
    TranscriptAltered,
    TranscriptError,
    TranscriptMissing,
    TranscriptUnwritable,
)
from transcripts.event import SCHEMA, Body, Event, EventKind, instant, json_body, opening
from transcripts.retention import erasing
from transcripts.seal import Seal

_BEGIN = "INSERT INTO consultations (id, started, schema, events, head) VALUES (?1, ?2, ?3, 0, ?4)"
_INSERT = f"INSERT INTO events ({audit.COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"

_log = logging.getLogger(__name__)


class Writer:
    """The one that writes, for any number of threads; with a `seal` it signs."""

    def __init__(self, database: Database, seal: Seal | None) -> None:
        self.seal = seal
        self._database = database
        self._commits = GroupCommit(self._write, self._copy_later)
        # The second copy may be on a slow or absent network; nobody waits for it but `close`.
        self._copier = ThreadPoolExecutor(1, thread_name_prefix="checkpoint-copy")
        self._uncopied = True

    def begin(self, started: datetime, hold: Callable[[str], Callable[[], None]]) -> tuple[str, Callable[[], None]]:
        """Start a consultation; returned are its id and what lets go of it. Raises TranscriptUnwritable."""
        with _refusing(), self._database.transaction() as write:
            consultation = _begun(write, started)
            # Held before the commit lets anyone see the row, so that it never looks interrupted.
            return consultation, hold(consultation)

    def append(
        self,
        consultation: str,
        clock: Clock,
        kind: EventKind,
        body: Body,
        stopped: Callable[[], TranscriptUnwritable | None],
    ) -> Future[Event]:
        """Queue an event. Raises EventRefused, TranscriptUnwritable."""
        return self._commits.add(Waiting(consultation, kind, json_body(body), stopped, clock))

    def erase(self, consultation: str, clock: Clock, by: str, reason: str) -> Event:
        """Erase the content of all events so far, and sign that; raises as `TranscriptStore.erase` does."""
        if self.seal is None:
            raise ErasureRefused(consultation, "the transcript was opened without the keys that sign an erasure")
        with _refusing(), self._database.transaction(sealing=True) as write:
            body = json_body(erasing(write, consultation, by, reason))
            erased = _required(write, Waiting(consultation, EventKind.ERASED, body, lambda: None, clock))
            self.seal.sign(write, (consultation,))
        self._uncopied = True
        self._copy_later()
        return erased

    def deny(self, body: Body, clock: Clock) -> None:
        """Record that something was denied. Raises TranscriptUnwritable, TranscriptAltered."""
        with _refusing(), self._database.transaction() as write:
            log = denials.log(write) or _begun(write, clock())
            write.lock({log})
            _required(write, Waiting(log, EventKind.DENIED, json_body(body), lambda: None, clock))

    def sign(self) -> None:
        """Sign what has been written since the last checkpoint; does nothing without a seal.

        Raises TranscriptUnwritable, CheckpointAltered, SigningKeyUnusable.
        """
        if self.seal:
            with self._database.transaction(sealing=True) as write:
                signed = self.seal.sign(write)
            self._uncopied |= signed
            self._copy_later()

    def change_key(self) -> str:
        """Sign with a new key from now on and return its public half. The old key's last checkpoint names the new
        one, and its public half is kept.

        Raises TranscriptUnwritable, CheckpointAltered, SigningKeyUnusable.
        """
        if self.seal is None:
            raise SigningKeyUnusable("this transcript was opened without keys; open it with those of the installation")
        prepared = self.seal.keys.prepare().public
        with self._database.transaction(sealing=True) as write:
            self.seal.sign(write, next_key=prepared)
        self.seal.keys.adopt()
        self._uncopied = True
        self._copy_later()
        return prepared

    def close(self) -> None:
        """Write, sign and copy what waits, and take nothing more."""
        self._commits.close()
        try:
            self.sign()
        except TranscriptError as error:
            # Everything is durable; the next program that opens the record signs it.
            _log.warning("the last events were not signed: %s", error)
        finally:
            self._copier.shutdown()

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
        seal = self.seal if self.seal and (ends or self.seal.due) else None
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
        if self._uncopied and self.seal and self.seal.copy:
            self._uncopied = False
            with suppress(RuntimeError):  # closed meanwhile; the next program that opens the record catches up
                self._copier.submit(self._copy_out, self.seal)

    def _copy_out(self, seal: Seal) -> None:
        try:
            with self._database.long_snapshot() as read:
                seal.copy_out(read)
        except TranscriptError as error:
            _log.warning("the second copy of the checkpoints was not written: %s", error)


def _begun(write: Session, started: datetime) -> str:
    consultation, text = new_id(started), instant(started)
    write.execute(_BEGIN, (consultation, text, SCHEMA, opening(consultation, text, SCHEMA)))
    return consultation


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


def _required(write: Session, waiting: Waiting) -> Event:
    outcome = _written(write, waiting)
    if isinstance(outcome, TranscriptError):
        raise outcome
    return outcome


def _ends(event: Event | TranscriptError) -> TypeGuard[Event]:
    return isinstance(event, Event) and event.kind is EventKind.FINISHED


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except Refused as error:
        raise _refusal(error) from error


def _refusal(error: Refused) -> TranscriptUnwritable:
    return TranscriptUnwritable(f"the transcript refuses its next event ({error}); verify the transcript")
