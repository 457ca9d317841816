"""Signs the record while it is written: a checkpoint in the transaction that ends a consultation, and a second copy.

Knows nothing of when transactions are made. It signs what grew since its last checkpoint, but never a consultation
that ended or was erased without a signature of its own: nothing but an intruder does so.
"""

import logging
import os
import time
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock
from pydantic import ValidationError

from transcripts.checkpoint import (
    FIRST_PREVIOUS,
    Checkpoint,
    Head,
    SignedCheckpoint,
    read_checkpoint,
    text_hash,
)
from transcripts.database import Session
from transcripts.keys import KeyRing
from transcripts.merkle import root

_BLOCK = 1 << 16
_ENDS = 3  # of lines: one may be of a line that a power cut left half, one stands before the last whole line

_CHANGED = """
    SELECT id, events, head FROM consultations
    WHERE id IN (SELECT DISTINCT consultation FROM events WHERE {number} > ?1) ORDER BY id
"""
_ENDED_UNSIGNED = """
    SELECT 1 FROM events WHERE consultation = ?1 AND kind IN ('finished', 'erased')
    AND seq >= (SELECT coalesce(max(events), 0) FROM signed_heads WHERE consultation = ?1) LIMIT 1
"""

_SIGN = "INSERT INTO signed_heads (checkpoint, consultation, events, head) VALUES (?1, ?2, ?3, ?4)"

_log = logging.getLogger(__name__)


class Seal:
    """Signs one transcript with the keys of an installation, at least every `every` seconds in which it grows.

    `copy` names a file, best on another disk, that gets every checkpoint too: with it a file that was put back to an
    earlier state is found out.
    """

    def __init__(
        self,
        keys: KeyRing,
        copy: Path | None = None,
        every: float = 60.0,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.keys = keys
        self.copy = copy
        self._every = every
        self._clock = clock
        self._signed_at = clock()

    @property
    def due(self) -> bool:
        """Whether the last checkpoint is older than the schedule allows."""
        return self._clock() - self._signed_at >= self._every

    def sign(self, write: Session, ending: Collection[str] = (), next_key: str | None = None) -> bool:
        """Add a checkpoint where anything grew, and say whether one was added; `ending` are consultations that end or
        are erased in this transaction.

        Raises CheckpointAltered where the last checkpoint cannot be continued, SigningKeyUnusable.
        """
        last, previous = _last(write)
        (events,) = write.execute(f"SELECT coalesce(max({write.running_number}), 0) FROM events").fetchone()
        self._signed_at = self._clock()
        if last and events <= last.events and not next_key:
            return False
        heads = _heads(write, last, ending)
        checkpoint = Checkpoint(
            number=last.number + 1 if last else 1,
            previous=previous,
            time=datetime.now(UTC),
            heads=len(heads),
            events=events,
            root=root(head.leaf() for head in heads),
            key=self.keys.signing.public,
            next_key=next_key,
        )
        text = checkpoint.text()
        write.execute(
            "INSERT INTO checkpoints (number, content, signature) VALUES (?1, ?2, ?3)",
            (checkpoint.number, text, self.keys.signing.sign(text)),
        )
        for head in heads:
            write.execute(_SIGN, (checkpoint.number, *head))
        return True

    def copy_out(self, read: Session) -> None:
        """Add to the second copy every checkpoint that it lacks. Where it cannot be written, that is logged and tried
        again at the next checkpoint: the record itself is safe."""
        if self.copy is None:
            return
        try:
            self.copy.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.copy.with_name(f"{self.copy.name}.lock"), mode=0o600):
                _append(self.copy, read)
        except OSError as error:
            _log.warning("the second copy of the checkpoints, %s, was not written: %s", self.copy, error)


def copied(file: Path) -> Iterator[SignedCheckpoint]:
    """The checkpoints in a second copy, one after the other; what is no checkpoint is left out, and missed by its
    number. Raises OSError."""
    with file.open("rb") as lines:
        for line in lines:
            try:
                yield SignedCheckpoint.model_validate_json(line)
            except ValidationError:
                # A power cut leaves half a line; the whole one was added after it.
                continue


def _append(file: Path, read: Session) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "r+b") as opened:
        tail = _tail(opened)
        if tail and not tail.endswith(b"\n"):
            opened.write(b"\n")
        for signed in signed_checkpoints(read, _number(tail)):
            opened.write(signed.line())
        opened.flush()
        os.fsync(opened.fileno())


def _tail(opened: BinaryIO) -> bytes:
    """The end of a file, at least from the beginning of its last whole line on."""
    start, tail = opened.seek(0, os.SEEK_END), b""
    while start > 0 and tail.count(b"\n") < _ENDS:
        start = max(0, start - _BLOCK)
        opened.seek(start)
        tail = opened.read()
    return tail


def _number(tail: bytes) -> int:
    for line in reversed(tail.splitlines()):
        try:
            return SignedCheckpoint.model_validate_json(line).checkpoint.number
        except ValidationError:
            continue
    return 0


def signed_checkpoints(read: Session, after: int = 0) -> Iterator[SignedCheckpoint]:
    """The stored checkpoints whose number is greater than `after`; raises CheckpointAltered."""
    rows = read.stream("SELECT number, content, signature FROM checkpoints WHERE number > ?1 ORDER BY number", (after,))
    for number, content, signature in rows:
        heads = tuple(stored_heads(read, number))
        yield SignedCheckpoint(checkpoint=read_checkpoint(content, number), signature=str(signature), heads=heads)


def stored_heads(read: Session, checkpoint: int) -> Iterator[Head]:
    """The heads that a checkpoint signs, in the order of its tree."""
    rows = read.execute(
        "SELECT consultation, events, head FROM signed_heads WHERE checkpoint = ?1 ORDER BY consultation", (checkpoint,)
    )
    return (Head(*row) for row in rows)


def _last(write: Session) -> tuple[Checkpoint | None, str]:
    row = write.execute("SELECT number, content FROM checkpoints ORDER BY number DESC LIMIT 1").fetchone()
    if row is None:
        return None, FIRST_PREVIOUS
    return read_checkpoint(row[1], row[0]), text_hash(str(row[1]))


def _heads(write: Session, last: Checkpoint | None, ending: Collection[str]) -> list[Head]:
    since = last.events if last else 0
    heads = [Head(*row) for row in write.execute(_CHANGED.format(number=write.running_number), (since,))]
    if last is None:
        # All that was there before anything was signed.
        return heads
    return [head for head in heads if head.consultation in ending or not _ended_unsigned(write, head.consultation)]


def _ended_unsigned(write: Session, consultation: str) -> bool:
    return write.execute(_ENDED_UNSIGNED, (consultation,)).fetchone() is not None
