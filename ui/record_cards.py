"""HTML of what an auditor is shown beside a replay: whether the record is whole, who has seen it, and the bare event.

Everything that comes from people, guidelines or models is escaped. Knows nothing of Gradio.
"""

import json
from collections.abc import Iterable, Sequence
from html import escape
from string import Template

from transcripts.consultation import ConsultationSummary, Verified
from transcripts.erasure import Erasure
from transcripts.errors import CheckpointAltered, TranscriptAltered, TranscriptError
from transcripts.event import Event, EventKind, instant
from transcripts.show import visible
from ui.translation import Translation

_LATER = (EventKind.VIEWED, EventKind.EXPORTED, EventKind.FEEDBACK)


def line(words: Translation, summary: ConsultationSummary) -> str:
    """One consultation in the list, as plain text."""
    case = " ".join(visible(summary.case).split())
    state = words[f"status_{summary.status.value}"]
    parts = (f"{summary.started:%Y-%m-%d %H:%M}", summary.language, state, case)
    # Each part is kept apart from the direction of its neighbours.
    return " · ".join(f"\u2068{part}\u2069" for part in parts if part)


def proof(words: Translation, events: Sequence[Event], found: Verified | TranscriptError) -> str:
    """Whether a consultation is whole, which guidelines it read, and who has seen it."""
    match found:
        case Verified():
            state, said = "whole", Template(words["whole"]).substitute(events=found.events, signed=found.signed)
            detail = f'{_erased(words, found.erased)}<p class="source"><code>{escape(found.head)}</code></p>'
        case TranscriptAltered() | CheckpointAltered():
            state, said, detail = "altered", words["altered"], fault(found)
        case _:
            state, said, detail = "unproved", words["unproved"], fault(found)
    return (
        f'<section class="proof" data-state="{state}" role="status"><h2>{escape(said)}</h2>{detail}'
        f"{_guidelines(words, events)}{_trace(words, events)}</section>"
    )


def fault(error: TranscriptError) -> str:
    """What is wrong with the record, or with asking for it."""
    return f'<p class="fault"><bdi>{escape(str(error))}</bdi></p>'


def sound(events: Sequence[Event], found: Verified | TranscriptError) -> Sequence[Event]:
    """The events that are as they were written."""
    if isinstance(found, Verified):
        return events
    return events[: found.seq] if isinstance(found, TranscriptAltered) else ()


def place(words: Translation, event: Event | None, count: int) -> str:
    """Which event was shown last."""
    if event is None:
        return ""
    agent = event.body.get("agent")
    parts = (f"{words['event']} {event.seq} / {count - 1}", event.kind.value, visible(str(agent)) if agent else "")
    return f'<p class="status" data-event="{event.seq}"><bdi>{escape(" · ".join(filter(None, parts)))}</bdi></p>'


def bare(event: Event | None) -> str:
    """An event as it is stored."""
    if event is None:
        return ""
    body = json.dumps(event.body, ensure_ascii=False, indent=1)
    return (
        f'<p class="source"><code>{instant(event.time)}</code> <code>{escape(event.hash)}</code></p>'
        f'<pre class="bare" dir="auto">{escape(visible(body))}</pre>'
    )


def _erased(words: Translation, gone: Erasure | None) -> str:
    if gone is None:
        return ""
    said = Template(words["erased"]).substitute(erased=gone.seq, time=f"{gone.time:%Y-%m-%d %H:%M}")
    detail = visible(" · ".join(filter(None, (gone.by, gone.reason))))
    return f"<p>{escape(said)} <bdi>{escape(detail)}</bdi></p>"


def _guidelines(words: Translation, events: Iterable[Event]) -> str:
    versions = (event.body.get("version") for event in events if event.kind is EventKind.RETRIEVAL)
    named = ", ".join(dict.fromkeys(escape(str(version)) for version in versions if version))
    return f"<p>{escape(words['guidelines_version'])}: <code>{named}</code></p>" if named else ""


def _trace(words: Translation, events: Iterable[Event]) -> str:
    items = "".join(_traced(words, event) for event in events if event.kind in _LATER)
    return f"<details><summary>{escape(words['trace'])}</summary><ul>{items}</ul></details>" if items else ""


def _traced(words: Translation, event: Event) -> str:
    said = (str(event.body.get(name) or "") for name in ("as", "by", "rating", "note"))
    detail = escape(visible(" · ".join(filter(None, said))))
    kind = escape(words[f"trace_{event.kind.value}"])
    return f"<li><bdi>{event.time:%Y-%m-%d %H:%M}</bdi> {kind} <bdi>{detail}</bdi></li>"
