"""Consultations as chat-format JSON lines to train on: only consented, finished and proved ones, redacted unless asked.

Each turn of a model is one line, and what the clinician asked and was answered is one; each says from which events
it comes. Knows nothing of any trainer.
"""

import json
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pydantic import JsonValue

from transcripts.consent import consented
from transcripts.errors import CheckpointAltered, ExportRefused, RedactionUnknown, TranscriptAltered
from transcripts.event import Body, Event, EventKind
from transcripts.recorder import StreamPart
from transcripts.redacted import export_redacted
from transcripts.show import stream_part
from transcripts.store import TranscriptStore

_ROLES = {"SystemMessage": "system", "UserMessage": "user", "AssistantMessage": "assistant"}

Messages = list[Mapping[str, str]]


class Turn(NamedTuple):
    """What was asked and said, by whom, and in which events it stands."""

    task: str
    messages: Messages
    events: tuple[int, ...]


class TrainingExport(NamedTuple):
    """The lines of `consultations` consultations, and how many others were left out for which reason."""

    lines: tuple[str, ...]
    consultations: int
    left_out: Mapping[str, int]


def training(store: TranscriptStore, consultations: Iterable[str], by: Body, redact: bool = True) -> TrainingExport:
    """All turns of these consultations that may be trained on. Every one that is used has an event that says so.

    Raises TranscriptUnwritable, TranscriptUnreadable, CheckpointAltered.
    """
    lines: list[str] = []
    left_out: Counter[str] = Counter()
    used = 0
    for consultation in consultations:
        reason = _reason(store, consultation)
        try:
            made = [] if reason else list(_lines(store, consultation, by, redact))
        except (RedactionUnknown, ExportRefused):
            reason = "not redactable"
        if reason:
            left_out[reason] += 1
        else:
            lines.extend(made)
            used += 1
    return TrainingExport(tuple(lines), used, left_out)


def _reason(store: TranscriptStore, consultation: str) -> str:
    """Why a consultation may not be trained on, or nothing."""
    try:
        proved = store.verify(consultation)
        events = tuple(store.events(consultation))
    except (TranscriptAltered, CheckpointAltered):
        return "altered"
    if proved.erased:
        return "erased"
    ending = next((event.body.get("status") for event in events if event.kind is EventKind.FINISHED), "interrupted")
    if ending != "finished":
        return str(ending)
    return "" if consented(events) else "no consent"


def _lines(store: TranscriptStore, consultation: str, by: Body, redact: bool) -> Iterator[str]:
    provenance: dict[str, JsonValue] = {"transcript": consultation, "redacted": redact}
    purpose: Body = {**by, "formats": ["training"]}
    if redact:
        made = export_redacted(store, consultation, purpose)
        events = made.events
        provenance |= {"head": events[-1].hash, "declared_by": made.declared.hash}
    else:
        events = tuple(store.events(consultation))
        store.annotate(consultation, EventKind.EXPORTED, purpose)
        provenance |= {"head": events[-1].hash}
    for turn in turns(events):
        told = {"task": turn.task, "messages": turn.messages, "provenance": {**provenance, "events": turn.events}}
        yield json.dumps(told, ensure_ascii=False)


def turns(events: Iterable[Event]) -> Iterator[Turn]:
    """Every prompt with what the model said to it, and the case with its answer; turns that said nothing are none."""
    events = tuple(events)
    said = _streams(events)
    for prompt in events:
        if prompt.kind is EventKind.PROMPT:
            who = str(prompt.body.get("agent")), str(prompt.body.get("phase"))
            text, seqs = said[who].popleft() if said[who] else ("", ())
            if text:
                asked = _asked(prompt.body.get("messages"))
                yield Turn("/".join(who), [*asked, _message("assistant", text)], (prompt.seq, *seqs))
    case, answer = _last(events, EventKind.CASE), _last(events, EventKind.ANSWER)
    if case and answer and answer.body.get("text"):
        messages = [_message("user", case.body.get("text")), _message("assistant", answer.body.get("text"))]
        yield Turn("consultation", messages, (case.seq, answer.seq))


def _streams(events: Iterable[Event]) -> dict[tuple[str, str], deque[tuple[str, tuple[int, ...]]]]:
    """What each agent said in each phase, in the order in which it was asked."""
    parts: dict[int, list[tuple[int, StreamPart]]] = {}
    for event in events:
        if event.kind is EventKind.STREAM:
            part = stream_part(event)
            parts.setdefault(part.stream, []).append((event.seq, part))
    said: dict[tuple[str, str], deque[tuple[str, tuple[int, ...]]]] = defaultdict(deque)
    for _, stream in sorted(parts.items()):
        text = "".join(text for _, part in stream for _, text in part.chunks)
        said[stream[0][1].agent, stream[0][1].role].append((text, tuple(seq for seq, _ in stream)))
    return said


def _asked(messages: JsonValue) -> Messages:
    given = messages if isinstance(messages, list) else []
    return [
        _message(_ROLES.get(str(message.get("type")), "user"), message.get("content"))
        for message in given
        if isinstance(message, dict)
    ]


def _message(role: str, content: JsonValue) -> Mapping[str, str]:
    return {"role": role, "content": content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)}


def _last(events: Iterable[Event], kind: EventKind) -> Event | None:
    return next((event for event in reversed(tuple(events)) if event.kind is kind), None)
