"""A checkpoint: one signature over the heads of all consultations that grew since the checkpoint before it.

Checkpoints form a chain of their own, so the newest signature vouches for every head that was ever signed. Knows
nothing of storage.
"""

from typing import Annotated, NamedTuple

import orjson
import rfc8785
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt, StringConstraints, ValidationError

from transcripts.errors import CheckpointAltered
from transcripts.event import Hash, Instant, text_digest

FIRST_PREVIOUS = f"sha256:{'0' * 64}"

PublicKey = Annotated[str, StringConstraints(pattern=r"^ed25519:[0-9a-f]{64}$")]


class Head(NamedTuple):
    """A consultation as a checkpoint found it: how many events, and the hash of the last."""

    consultation: str
    events: int
    head: str

    def leaf(self) -> bytes:
        """What stands in the Merkle tree."""
        return rfc8785.dumps(self._asdict())


class Checkpoint(BaseModel):
    """What is signed.

    `root` is the Merkle root over `heads` heads in the order of their consultations, `events` the running number of
    the last event in the record (in a file, how many there are), `previous` the hash of the checkpoint before. `key`
    made the signature; where `next_key` is given, later ones may be made by that one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: PositiveInt
    previous: Hash
    time: Instant
    heads: NonNegativeInt
    events: NonNegativeInt
    root: Hash
    key: PublicKey
    next_key: PublicKey | None = None

    def text(self) -> str:
        """The canonical JSON that is stored and signed."""
        return rfc8785.dumps(self.model_dump(mode="json")).decode()


class SignedCheckpoint(BaseModel):
    """A checkpoint as a line of the second copy, with its signature and the heads that it signs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: Checkpoint
    signature: str
    heads: tuple[Head, ...]

    def line(self) -> bytes:
        return orjson.dumps(self.model_dump(mode="json")) + b"\n"


def read_checkpoint(content: object, number: int) -> Checkpoint:
    """The checkpoint in a stored text; raises CheckpointAltered, naming `number`, when there is none."""
    try:
        checkpoint = Checkpoint.model_validate_json(str(content))
    except ValidationError as error:
        raise CheckpointAltered(number, "it can no longer be read") from error
    if checkpoint.number != number:
        raise CheckpointAltered(number, f"it is missing, and checkpoint {checkpoint.number} stands in its place")
    return checkpoint


def text_hash(content: str) -> str:
    """The hash by which the next checkpoint names this one."""
    return text_digest(content)
