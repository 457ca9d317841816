"""A consultation as lines to read: who said what, how many seconds in. Pure: prints nothing, opens nothing.

Knows nothing of colours or columns, and of bodies only that words stand under `text`, `message` or
`status`; other bodies are shown as JSON.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from transcripts.errors import TranscriptAltered
from transcripts.event import Body, Event, EventKind
from transcripts.recorder import StreamPart

_ERASED = "(erased)"
_WORDS = ("text", "message", "status")

# What models and guidelines say must not drive the reader's terminal: control characters are shown as
# their Unicode pictures (C1 as a replacement character), and overrides of the text direction by name.
_VISIBLE = (
    {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"}
    | {0x7F: "\u2421"}
    | dict.fromkeys(range(0x80, 0xA0), "\ufffd")
    | {code: f"<U+{code:04X}>" for code in (0x202D, 0x202E)}
)


class Line(BaseModel):
    """`offset` is in seconds since the first event; `agent` is empty for what no agent said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    offset: float
    kind: EventKind
    agent: str
    text: str


def playback(events: Iterable[Event]) -> Iterator[Line]:
    """The lines of one consultation by time, each stream whole at the moment it started.

    Raises TranscriptAltered for a stream event that no recorder wrote.
    """
    moments: list[tuple[datetime, EventKind, str, str]] = []
    parts: dict[int, list[StreamPart]] = {}
    first: datetime | None = None
    for event in events:
        first = first or event.time
        if event.kind is EventKind.STREAM and not event.erased:
            part = stream_part(event)
            parts.setdefault(part.stream, []).append(part)
        else:
            moments.append((event.time, event.kind, *spoken(event)))
    moments.extend(_stream(stream) for stream in parts.values())
    for moment, kind, agent, text in sorted(moments, key=lambda moment: moment[0]):
        offset = (moment - (first or moment)).total_seconds()
        yield Line(offset=offset, kind=kind, agent=visible(agent), text=visible(text))


def visible(text: str) -> str:
    """Text whose control characters and overrides of the direction are shown instead of obeyed."""
    return text.translate(_VISIBLE)


def stream_part(event: Event) -> StreamPart:
    """The chunks in a stream event; raises TranscriptAltered for one that no recorder wrote."""
    try:
        return StreamPart.model_validate(event.body)
    except ValidationError as error:
        raise TranscriptAltered(event.consultation, event.seq, "its stream can no longer be read") from error


def _stream(parts: list[StreamPart]) -> tuple[datetime, EventKind, str, str]:
    head = parts[0]
    return head.started, EventKind.STREAM, head.agent, "".join(text for part in parts for _, text in part.chunks)


def spoken(event: Event) -> tuple[str, str]:
    """Who said it, if an agent did, and what is to be read of an event that is no stream, or whose content is gone."""
    return ("", _ERASED) if event.erased else words(event.body)


def words(body: Body) -> tuple[str, str]:
    """Who said it, if an agent did, and what is to be read of an event that is no stream."""
    return _words(body.get("agent", "")), _text(body)


def _text(body: Body) -> str:
    for name in _WORDS:
        if body.get(name):
            return _words(body[name])
    return _words({name: value for name, value in body.items() if name != "agent"})


def _words(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
