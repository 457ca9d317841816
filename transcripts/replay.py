"""A consultation as it ran: every chunk and event again, in its order and at its pace.

The chunks of one stream, put together, are byte for byte what was streamed. Knows nothing of terminals: whoever plays
hands in how to wait.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from transcripts.event import Event, EventKind
from transcripts.show import spoken, stream_part


class Moment(NamedTuple):
    """Something that was shown `offset` seconds after the first event; `stream` numbers the stream of a chunk.

    `seq` is the event that holds it, `agent` is empty for what no agent said.
    """

    offset: float
    seq: int
    kind: EventKind
    agent: str
    stream: int | None
    text: str


def moments(events: Iterable[Event], start: int = 0) -> list[Moment]:
    """What happened from event `start` on, by time. Raises TranscriptAltered for a stream event no recorder wrote."""
    timed: list[tuple[datetime, Moment]] = []
    for event in events:
        if event.seq >= start:
            timed.extend(_happened(event))
    timed.sort(key=lambda moment: moment[0])
    first = timed[0][0] if timed else None
    return [moment._replace(offset=(time - (first or time)).total_seconds()) for time, moment in timed]


def play(happened: Iterable[Moment], wait: Callable[[float], None], speed: float = 1.0) -> Iterator[Moment]:
    """Each moment when it is due; `wait` is handed the seconds in between, divided by `speed`."""
    shown = 0.0
    for moment in happened:
        if moment.offset > shown:
            wait((moment.offset - shown) / speed)
            shown = moment.offset
        yield moment


def step(happened: Iterable[Moment], wait: Callable[[], None]) -> Iterator[Moment]:
    """Each moment, after waiting to be told to go on wherever the next event begins."""
    shown: int | None = None
    for moment in happened:
        if shown is not None and moment.seq != shown:
            wait()
        shown = moment.seq
        yield moment


def _happened(event: Event) -> Iterator[tuple[datetime, Moment]]:
    if event.kind is not EventKind.STREAM or event.erased:
        agent, text = spoken(event)
        yield event.time, Moment(0.0, event.seq, event.kind, agent, None, text)
        return
    part = stream_part(event)
    for milliseconds, text in part.chunks:
        # Rounded up, a last chunk would come after what followed it; it was there before its event was written.
        time = min(part.started + timedelta(milliseconds=milliseconds), event.time)
        yield time, Moment(0.0, event.seq, event.kind, part.agent, part.stream, text)
