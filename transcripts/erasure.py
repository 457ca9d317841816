"""What is kept of events whose content was erased: their rows and hashes, and in the erasing event a digest of each.

An event's hash is over its content, so that nobody can check the time and kind of an erased one by it; the digests
are part of the erasing event, which is hashed and signed. Knows nothing of SQL, nor of when content may be erased.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from transcripts.event import Body, Instant, text_digest

ERASED = ""  # stands in the place of the body
_DIGITS = 32  # of a digest: 128 bits


class Erasure(BaseModel):
    """Event `seq` erased all that stood before it, at `time`, asked for `by` someone, for a `reason`.

    `kept` has a digest of each erased event, or nothing where the erasing event was altered itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seq: NonNegativeInt
    time: Instant
    by: str
    reason: str
    kept: tuple[str, ...] | None = None

    def keeps(self, row: tuple[object, ...]) -> bool:
        """Whether this is the row of an event that was erased."""
        number = row[1]
        if not isinstance(number, int) or number >= self.seq:
            return False
        return self.kept is None or (number < len(self.kept) and self.kept[number] == _digest(row))


def body(rows: Iterable[tuple[object, ...]], by: str, reason: str) -> Body:
    """The body of the event that erases these rows, which are all that stand before it."""
    return {"by": by, "reason": reason, "kept": [_digest(row) for row in rows]}


def read(seq: int, time: str, content: Body, sound: bool) -> Erasure:
    """The erasure in an event; not `sound` is one that was altered, which is found when its own turn comes."""
    try:
        found = Erasure.model_validate({**content, "seq": seq, "time": time}) if sound else None
    except ValidationError:
        found = None
    return found or Erasure(seq=seq, time=datetime.min.replace(tzinfo=UTC), by="", reason="")


def _digest(row: tuple[object, ...]) -> str:
    _, seq, time, kind, _, previous, hash_ = row
    return text_digest(f"{seq} {time} {kind} {previous} {hash_}").removeprefix("sha256:")[:_DIGITS]
