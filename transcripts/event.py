"""One event of a consultation: a kind, a JSON body, and a hash over its RFC 8785 form that names the event before.

Knows nothing of where events are kept. SCHEMA rises with any change of a field or kind; what an old
version hashed is never written again, only read.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, NamedTuple

import orjson
import rfc8785
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    NonNegativeInt,
    PlainSerializer,
    StringConstraints,
)

from transcripts.errors import EventRefused

SCHEMA = 3

Body = Mapping[str, JsonValue]


class JsonBody(NamedTuple):
    """A body exactly as it will be read back, and its canonical text."""

    value: dict[str, JsonValue]
    text: str


Hash = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]

# RFC 8785 section 3.2.2.3: a JSON number is an IEEE 754 double, which counts whole numbers only this far.
_LARGEST_INTEGER = 2**53 - 1

_STRICT = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
# Fractions and exponents, which orjson spells otherwise, and what lies beyond 16 bits, where it sorts keys otherwise.
_SPECIAL = re.compile("[0-9](?:\\.[0-9]|[eE])|[\U00010000-\U0010ffff]")

_DEEPEST = 100  # levels; pydantic stops reading nested JSON at about 250, and what is written must be readable


class EventKind(StrEnum):
    CASE = "case"
    PROMPT = "prompt"
    STREAM = "stream"
    REASONING = "reasoning"
    CHAIN = "chain"
    FUSION = "fusion"
    RETRIEVAL = "retrieval"
    ANSWER = "answer"
    RED_FLAG = "red_flag"
    REBUTTAL = "rebuttal"
    MODEL = "model"
    ERROR = "error"
    CANCELLED = "cancelled"
    FINISHED = "finished"
    VIEWED = "viewed"
    EXPORTED = "exported"
    FEEDBACK = "feedback"
    ASKED = "asked"  # who put the case, as a pseudonym
    DENIED = "denied"  # who asked for something that they may not have
    HELD = "held"  # must not be erased
    RELEASED = "released"  # may be erased again
    ERASED = "erased"  # the content of all that stands before it is gone


def instant(time: datetime) -> str:
    """ISO 8601 in UTC with exactly six fractional digits, so that one instant has one spelling."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Instant = Annotated[
    AwareDatetime,
    AfterValidator(lambda time: time.astimezone(UTC)),
    PlainSerializer(instant, return_type=str, when_used="json"),
]


class Event(BaseModel):
    """One recorded event. `seq` counts from 0 within its consultation; `previous` is the hash of event `seq - 1`.

    Of an `erased` one the body is gone, and with it what its hash could be computed from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    consultation: str
    seq: NonNegativeInt
    time: Instant
    kind: EventKind
    body: dict[str, JsonValue]
    previous: Hash
    hash: Hash
    erased: bool = Field(default=False, exclude=True)

    @classmethod
    def following(
        cls, consultation: str, seq: int, previous: str, *, time: datetime, kind: EventKind, body: Body, text: str = ""
    ) -> "Event":
        """The next event of a chain whose last hash is `previous`, with its own hash computed.

        `text` is the canonical text of `body`, from whoever has it already.
        """
        content = content_text(consultation, seq, instant(time), kind.value, text or canonical(body), previous)
        # Not validated again: everything but the body is made here, and a body was made by `json_body`.
        return cls.model_construct(
            consultation=consultation,
            seq=seq,
            time=time.astimezone(UTC),
            kind=kind,
            body=dict(body),
            previous=previous,
            hash=text_digest(content),
        )

    def digest(self) -> str:
        """The hash this event should have: sha256 of the canonical JSON of every field but `hash`."""
        return text_digest(self.content())

    def content(self) -> str:
        """The text that is hashed: the canonical JSON of every field but `hash`."""
        time, body = instant(self.time), canonical(self.body)
        return content_text(self.consultation, self.seq, time, self.kind.value, body, self.previous)


def content_text(consultation: str, seq: int, time: str, kind: str, body: str, previous: str) -> str:
    """The canonical JSON of an event without its hash, from fields that need no escape and its canonical body."""
    return (
        f'{{"body":{body},"consultation":"{consultation}","kind":"{kind}",'
        f'"previous":"{previous}","seq":{seq},"time":"{time}"}}'
    )


def text_digest(text: str) -> str:
    """`sha256:` and the hexadecimal digest of a text; bytes that were no UTF-8 in the file count as they were."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()}"


def digest(value: Body) -> str:
    """`sha256:` and the hexadecimal digest of the RFC 8785 form of `value`."""
    return f"sha256:{hashlib.sha256(rfc8785.dumps(value)).hexdigest()}"


def opening(consultation: str, started: str, schema: int) -> str:
    """What the first event of a consultation names as `previous`; ties the chain to its id, start and schema."""
    return digest({"consultation": consultation, "started": started, "schema": schema})


def canonical(body: Body) -> str:
    """The RFC 8785 text of a body that `json_body` made."""
    return rfc8785.dumps(dict(body)).decode()


def parse(text: str) -> dict[str, JsonValue]:
    """Read a canonical body back; raises ValueError when it is not a JSON object."""
    value = json.loads(text, parse_int=_number)
    if not isinstance(value, dict):
        raise ValueError("the body is not a JSON object")
    return value


def json_body(body: Body) -> JsonBody:
    """A detached copy of `body` exactly as it will be read back: broken surrogates repaired, tuples as lists.

    Raises EventRefused, naming the place, for what JSON cannot hold: NaN, an infinity, a whole number beyond
    2**53 - 1, a broken key, a value of any other type, or more than 100 levels of nesting.
    """
    if plain := _plain(body):
        return plain
    text = canonical({_key(key, ()): _json(value, (key,)) for key, value in body.items()})
    return JsonBody(parse(text), text)


def _plain(body: Body) -> JsonBody | None:
    """The body, ten times as fast, where nothing in it can make orjson's form another than that of RFC 8785."""
    try:
        text = orjson.dumps(body, option=_STRICT).decode()
    except TypeError:
        return None
    if text.count("[") + text.count("{") > _DEEPEST or _SPECIAL.search(text):
        return None
    value = orjson.loads(text)
    # What orjson would write in a form of its own, such as NaN or a tuple, does not come back as it was.
    return JsonBody(value, text) if value == body else None


_Place = tuple[object, ...]


def _json(value: object, place: _Place) -> JsonValue:
    if len(place) > _DEEPEST:
        raise _refusal(place[:1], "is nested too deeply to be read back; flatten it")
    match value:
        case None | bool():
            return value
        case str():
            return _whole_text(value)
        case int() | float():
            return _finite(value, place)
        case list() | tuple():
            return [_json(item, (*place, index)) for index, item in enumerate(value)]
        case Mapping():
            return {_key(key, place): _json(item, (*place, key)) for key, item in value.items()}
    raise _refusal(place, f"is a {type(value).__name__}, which JSON cannot hold; turn it into text or numbers")


def _finite(value: float, place: _Place) -> float:
    if not math.isfinite(value):
        raise _refusal(place, f"is {value}, which JSON has no number for; record it as null or as text")
    if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
        raise _refusal(place, "is a whole number beyond 2**53 - 1, which JSON readers round; record it as text")
    return value


def _key(key: object, place: _Place) -> str:
    if not isinstance(key, str) or _whole_text(key) != key:
        raise _refusal(place, f"has the key {key!r}, which is not well-formed text; name it with text")
    return str(key)


def _whole_text(text: str) -> str:
    # A model can emit half of a surrogate pair, which no UTF-8 file can hold: halves that meet are joined,
    # the others become U+FFFD, so that broken output is still recorded and seen to be broken.
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _number(digits: str) -> int | float:
    # 1e20 is written as 100000000000000000000 by RFC 8785 and must come back as the double that it was.
    number = int(digits)
    return number if abs(number) <= _LARGEST_INTEGER else float(digits)


def _refusal(place: _Place, what: str) -> EventRefused:
    where = ".".join(str(step) for step in ("body", *place))
    return EventRefused(f"the event was not recorded because {where} {what}")
