"""Proves a transcript file: each consultation's chain, the signatures over them, and that nothing is gone.

Reads through an open connection as the file stands, in constant memory. Knows nothing of how it came to be written.
"""

from collections.abc import Collection
from pathlib import Path

from pydantic import BaseModel, ConfigDict, NonNegativeInt, TypeAdapter, ValidationError

from transcripts import chain, erasure
from transcripts.checkpoint import FIRST_PREVIOUS, Checkpoint, Head, SignedCheckpoint, read_checkpoint, text_hash
from transcripts.consultation import Verified, is_id
from transcripts.database import Session
from transcripts.erasure import Erasure
from transcripts.errors import CheckpointAltered, TranscriptAltered, TranscriptMissing, TranscriptUnreadable
from transcripts.event import EventKind, Hash, Instant, opening
from transcripts.keys import proves
from transcripts.merkle import root
from transcripts.seal import copied, stored_heads

Keys = frozenset[str]

_WITHOUT_ERASURE = 2  # the last such schema
_UNSIGNED = {
    EventKind.FINISHED: "it ends the consultation without the signature that every end has",
    EventKind.ERASED: "it erases what stands before it without the signature that every erasure has",
}

COLUMNS = "consultation, seq, time, kind, body, previous, hash"
# In the very words of the index: SQLite draws no conclusions.
LANDMARK = "kind IN ('case', 'finished', 'erased', 'held', 'released')"
EVENTS = f"SELECT {COLUMNS} FROM events WHERE consultation = ?1 ORDER BY seq"

_HEADS = "SELECT checkpoint, events, head FROM signed_heads WHERE consultation = ?1 ORDER BY events, checkpoint"
_CHECKPOINTS = "SELECT number, content, signature FROM checkpoints ORDER BY number"
_COVERING = "SELECT checkpoint FROM signed_heads WHERE consultation = ?1"
_ENDED_UNSIGNED = """
    SELECT seq, kind FROM events WHERE consultation = ?1 AND seq >= ?2 AND kind IN ('finished', 'erased')
    ORDER BY seq LIMIT 1
"""
_LAST_ERASURE = f"""
    SELECT {COLUMNS} FROM events WHERE consultation = ?1 AND {LANDMARK} AND kind = 'erased'
    ORDER BY seq DESC LIMIT 1
"""
_STRAY = """
    SELECT consultation FROM {table} AS stray
    WHERE NOT EXISTS (SELECT 1 FROM consultations WHERE id = stray.consultation) LIMIT 1
"""

_Row = TypeAdapter[tuple[str, int, int, str]]
_SOUND: _Row = TypeAdapter(tuple[str, NonNegativeInt, NonNegativeInt, Hash])
# To find the first bad event the head need not be sound: it is compared at last.
_READABLE: _Row = TypeAdapter(tuple[str, NonNegativeInt, NonNegativeInt, str])


class Audit(BaseModel):
    """What was proved: so many consultations and events, `unsigned` of them since the last checkpoint, at `signed_at`.

    The content of `erased` events is gone under retention. `copy_lacks` is how many checkpoints the second copy is
    behind, or None where there is none to be read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    consultations: NonNegativeInt
    events: NonNegativeInt
    unsigned: NonNegativeInt
    checkpoints: NonNegativeInt
    signed_at: Instant | None
    copy_lacks: int | None
    erased: NonNegativeInt = 0


def consultation(read: Session, name: str, row_type: _Row = _SOUND) -> tuple[str, int, int, str]:
    """When it started, in which schema, how many events it has, and the hash of the last one.

    Raises TranscriptMissing, and TranscriptAltered for a row that cannot be read.
    """
    if not is_id(name):
        raise TranscriptMissing(name)
    row = read.execute("SELECT started, schema, events, head FROM consultations WHERE id = ?1", (name,)).fetchone()
    if row is None:
        raise TranscriptMissing(name)
    try:
        return row_type.validate_python(row, strict=True)
    except ValidationError as error:
        raise TranscriptAltered(name, 0, "the row of its consultation can no longer be read") from error


def prove_one(read: Session, name: str, keys: Keys | None) -> Verified:
    """Prove one consultation and every signature that covers it.

    Raises TranscriptAltered, CheckpointAltered, TranscriptMissing.
    """
    signs = _signs(read, keys)
    verified = _prove(read, name, signs)
    if signs:
        _prove_checkpoints(read, keys, {number for (number,) in read.execute(_COVERING, (name,))})
    return verified


def prove_chain(read: Session, name: str) -> Verified:
    """Prove one consultation as `prove_one` does, but for the signatures themselves. Raises as it does."""
    return _prove(read, name, is_signed(read))


def prove_all(read: Session, keys: Keys | None, copy: Path | None) -> Audit:
    """Prove every consultation, every checkpoint, and that the file has all that the second `copy` has.

    Raises TranscriptAltered, CheckpointAltered, TranscriptUnreadable.
    """
    signs = _signs(read, keys)
    consultations, events, signed, erased = 0, 0, 0, 0
    for (name,) in read.stream("SELECT id FROM consultations ORDER BY id"):
        if not is_id(str(name)):
            raise TranscriptAltered(str(name), 0, "its consultation has an id that was never given out")
        verified = _prove(read, str(name), signs)
        consultations, events, signed = consultations + 1, events + verified.events, signed + verified.signed
        erased += verified.erased.seq if verified.erased else 0
    for table in ("events", "signed_heads") if signs else ("events",):
        for (name,) in read.execute(_STRAY.format(table=table)):
            raise TranscriptAltered(str(name), 0, "its consultation is missing")
    last = _prove_checkpoints(read, keys, None) if signs else None
    return Audit(
        consultations=consultations,
        events=events,
        unsigned=events - signed,
        checkpoints=last.number if last else 0,
        signed_at=last.time if last else None,
        copy_lacks=_compare(read, copy, last) if copy and last else None,
        erased=erased,
    )


def is_signed(read: Session) -> bool:
    """Whether the file has any signature."""
    return read.schema > 1 and read.execute("SELECT 1 FROM checkpoints LIMIT 1").fetchone() is not None


def _signs(read: Session, keys: Keys | None) -> bool:
    signs = is_signed(read)
    if not signs and keys is not None:
        # Whoever holds the keys has signed at least the opening of the file.
        raise CheckpointAltered(1, "it is missing, and nothing in this file is signed")
    return signs


def _prove(read: Session, name: str, signs: bool) -> Verified:
    started, schema, events, head = consultation(read, name, _READABLE)
    signed = (_signed_head(name, row) for row in read.execute(_HEADS, (name,))) if signs else ()
    # Nothing is erased but in a record that is signed.
    erased = last_erasure(read, name) if signs else None
    proved = chain.prove(name, opening(name, started, schema), read.stream(EVENTS, (name,)), signed, erased)
    if proved.events != events:
        difference = f"the consultation has {proved.events} events where {events} were counted"
        raise TranscriptAltered(name, min(proved.events, events), difference)
    if proved.head != head:
        raise TranscriptAltered(name, max(events - 1, 0), "it is not the event that the consultation ended with")
    if signs and proved.signed < events:
        for seq, kind in read.execute(_ENDED_UNSIGNED, (name, proved.signed)):
            raise TranscriptAltered(name, seq, _UNSIGNED[EventKind(kind)])
    return Verified(events=events, head=head, signed=proved.signed, erased=erased)


def last_erasure(read: Session, name: str) -> Erasure | None:
    """What the last erasing event of a consultation says; it is proved with the other events."""
    row = read.execute(_LAST_ERASURE, (name,)).fetchone() if read.schema > _WITHOUT_ERASURE else None
    if row is None or not isinstance(row[1], int):
        return None
    try:
        event = chain.read(row, name, row[1])
    except TranscriptAltered:
        return erasure.read(row[1], "", {}, sound=False)
    return erasure.read(event.seq, str(row[2]), event.body, sound=event.digest() == event.hash)


def _signed_head(name: str, row: tuple[object, ...]) -> chain.SignedHead:
    checkpoint, events, head = row
    if type(checkpoint) is int and type(events) is int and events > 0:
        return chain.SignedHead(checkpoint, events, str(head))
    raise TranscriptAltered(name, 0, "what a checkpoint signs of its consultation can no longer be read")


def _prove_checkpoints(read: Session, keys: Keys | None, covering: Collection[int] | None) -> Checkpoint:
    """Follow the chain of checkpoints to the last, and return it.

    Each names the one before by its hash, so whoever signed the last vouches for all. Heads and signatures are
    proved for the checkpoints in `covering`, or for all.
    """
    previous, checkpoint = FIRST_PREVIOUS, None
    trusted = set(keys or ())
    for number, (stored, content, signature) in enumerate(read.stream(_CHECKPOINTS), start=1):
        if stored != number:
            raise CheckpointAltered(number, f"it is missing, and checkpoint {stored} stands in its place")
        checkpoint = read_checkpoint(content, number)
        if checkpoint.previous != previous:
            raise CheckpointAltered(number, "it does not continue the chain before it")
        if covering is None or number in covering:
            _require_heads(read, checkpoint)
        if covering is None or number in covering or checkpoint.next_key:
            _require_signature(checkpoint, str(signature), str(content))
        if checkpoint.next_key and checkpoint.key in trusted:
            trusted.add(checkpoint.next_key)
        previous = text_hash(str(content))
    assert checkpoint is not None
    _require_signature(checkpoint, str(signature), str(content))
    if keys is not None and checkpoint.key not in trusted:
        raise CheckpointAltered(checkpoint.number, f"it is signed with the key {checkpoint.key}, which is not known")
    return checkpoint


def _require_heads(read: Session, checkpoint: Checkpoint) -> None:
    if root(head.leaf() for head in stored_heads(read, checkpoint.number)) != checkpoint.root:
        raise CheckpointAltered(checkpoint.number, "the heads stored with it are not those that it signs")


def _require_signature(checkpoint: Checkpoint, signature: str, content: str) -> None:
    if not proves(checkpoint.key, signature, content):
        raise CheckpointAltered(checkpoint.number, "its signature is not over its content")


def _compare(read: Session, copy: Path, last: Checkpoint) -> int | None:
    """By how many checkpoints the second copy is behind; raises for the first that the file has not."""
    number = 0
    try:
        for signed in copied(copy):
            if signed.checkpoint.number == number:
                # Two programs wrote at once.
                continue
            number += 1
            if signed.checkpoint.number != number:
                raise CheckpointAltered(number, f"it is missing from the second copy, {copy}")
            _require_same(read, signed)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise TranscriptUnreadable(f"the second copy {copy} could not be read: {error}; check its path") from error
    return last.number - number


def _require_same(read: Session, copied: SignedCheckpoint) -> None:
    number, text = copied.checkpoint.number, copied.checkpoint.text()
    row = read.execute("SELECT content FROM checkpoints WHERE number = ?1", (number,)).fetchone()
    if row and row[0] == text and root(head.leaf() for head in copied.heads) == copied.checkpoint.root:
        return
    if not proves(copied.checkpoint.key, copied.signature, text):
        raise CheckpointAltered(number, "the second copy holds another one, which nobody signed")
    for head in copied.heads:
        _require_head(read, head, number)
    raise CheckpointAltered(number, "the second copy holds another one")


def _require_head(read: Session, head: Head, number: int) -> None:
    row = read.execute(
        "SELECT hash FROM events WHERE consultation = ?1 AND seq = ?2", (head.consultation, head.events - 1)
    ).fetchone()
    if row is None:
        (kept,) = read.execute("SELECT count(*) FROM events WHERE consultation = ?1", (head.consultation,)).fetchone()
        difference = f"it is missing, though checkpoint {number} of the second copy signs {head.events} events"
        raise TranscriptAltered(head.consultation, kept, difference)
    if row[0] != head.head:
        difference = f"it is not the one that checkpoint {number} of the second copy signs"
        raise TranscriptAltered(head.consultation, head.events - 1, difference)
