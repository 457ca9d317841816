"""A consultation as the record knows it: its id, where it stands, and what a list of them shows.

Knows nothing of storage.
"""

import re
import secrets
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt

from transcripts.erasure import Erasure
from transcripts.event import Hash, Instant

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_ID = re.compile(rf"c_[0-7][{_CROCKFORD}]{{25}}")


class Status(StrEnum):
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    ERASED = "erased"


Outcome = Literal[Status.FINISHED, Status.CANCELLED, Status.FAILED]


class ConsultationSummary(BaseModel):
    """One line of the list. `case` is the first 80 characters of the case, `events` how many were recorded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    started: Instant
    language: str
    case: str
    status: Status
    events: NonNegativeInt


class Verified(BaseModel):
    """Every event from the first to the last is as it was written; `head` is the hash of the last one.

    The first `signed` of them are covered by a signature. Where the content was erased under retention, `erased` says
    of how many, when, for whom and why: of these only time, kind and hash are kept and proved.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: NonNegativeInt
    head: Hash
    signed: NonNegativeInt = 0
    erased: Erasure | None = None


def new_id(started: datetime) -> str:
    """`c_` and a ULID: 48 bits of milliseconds and 80 random bits in base 32, so ids sort by start time."""
    return _id(started, secrets.randbits(80))


def earliest_id(started: datetime) -> str:
    """The first id that a consultation begun at this time may have."""
    return _id(started, 0)


def _id(started: datetime, chance: int) -> str:
    number = int(started.timestamp() * 1000) << 80 | chance
    return "c_" + "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None
