"""Two consultations side by side: the first thing that was said or decided differently, and what may be the reason.

Runs of one case interleave differently, so each agent is compared with itself. Knows nothing of models.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import NamedTuple

from pydantic import JsonValue

from transcripts.event import Event, EventKind
from transcripts.show import stream_part

# What no two runs have in common: times, ids, and how much was computed or found in a cache.
_INCIDENTAL = frozenset({"spans", "usage", "figures", "conversation", "seconds", "started"})
_MACHINE = EventKind.MODEL.value  # an event of this kind by no agent describes the machine, its models and versions
_LATER = frozenset(
    {
        EventKind.ASKED,
        EventKind.VIEWED,
        EventKind.EXPORTED,
        EventKind.FEEDBACK,
        EventKind.HELD,
        EventKind.RELEASED,
        EventKind.ERASED,
    }
)


class Difference(NamedTuple):
    """The first difference of two consultations. An event is None where that side has none, `place` says where in it.

    `left` and `right` are what stands there: a token for a stream, a value for anything else.
    """

    what: str
    left_seq: int | None
    right_seq: int | None
    place: str
    left: str
    right: str


class Comparison(NamedTuple):
    """The first difference, or None; and what else differed: names from the events that describe the machine."""

    difference: Difference | None
    conditions: tuple[str, ...]


class _Said(NamedTuple):
    seq: int
    body: JsonValue
    tokens: tuple[tuple[int, str], ...] = ()


def compare(left: Iterable[Event], right: Iterable[Event]) -> Comparison:
    """Compare two consultations. Raises TranscriptAltered for a stream event that no recorder wrote."""
    ours, theirs = _lanes(left), _lanes(right)
    found = (_first(lane, ours.get(lane, []), theirs.get(lane, [])) for lane in {**ours, **theirs} if lane != _MACHINE)
    differences = sorted(filter(None, found), key=_order)
    conditions = tuple(dict.fromkeys(_conditions(ours.get(_MACHINE, []), theirs.get(_MACHINE, []))))
    return Comparison(differences[0] if differences else None, conditions)


def _order(difference: Difference) -> int:
    seqs = [seq for seq in (difference.left_seq, difference.right_seq) if seq is not None]
    return min(seqs)


def _lanes(events: Iterable[Event]) -> dict[str, list[_Said]]:
    lanes: dict[str, list[_Said]] = {}
    streams: dict[int, tuple[str, int]] = {}
    for event in events:
        if event.kind is EventKind.STREAM and not event.erased:
            _take_stream(event, lanes, streams)
        elif event.kind not in _LATER:
            lanes.setdefault(_lane(event), []).append(_Said(event.seq, _essential(event.body)))
    return lanes


def _take_stream(event: Event, lanes: dict[str, list[_Said]], streams: dict[int, tuple[str, int]]) -> None:
    part = stream_part(event)
    tokens = tuple((event.seq, text) for _, text in part.chunks)
    if part.stream in streams:
        lane, at = streams[part.stream]
        lanes[lane][at] = lanes[lane][at]._replace(tokens=lanes[lane][at].tokens + tokens)
        return
    lane = f"stream {part.agent} {part.role}".rstrip()
    said = lanes.setdefault(lane, [])
    streams[part.stream] = lane, len(said)
    said.append(_Said(event.seq, None, tokens))


def _lane(event: Event) -> str:
    speaker = next((event.body[name] for name in ("agent", "side") if event.body.get(name)), "")
    return f"{event.kind.value} {speaker}".rstrip()


def _essential(value: JsonValue) -> JsonValue:
    if isinstance(value, Mapping):
        return {name: _essential(item) for name, item in value.items() if name not in _INCIDENTAL}
    return [_essential(item) for item in value] if isinstance(value, list) else value


def _first(lane: str, left: list[_Said], right: list[_Said]) -> Difference | None:
    for ours, theirs in zip_longest(left, right):
        if ours is None or theirs is None:
            there = "it is there" if theirs is None else "", "it is there" if ours is None else ""
            return Difference(lane, ours and ours.seq, theirs and theirs.seq, "the whole event", *there)
        difference = _token(lane, ours, theirs) or _value(lane, ours, theirs)
        if difference:
            return difference
    return None


def _token(lane: str, ours: _Said, theirs: _Said) -> Difference | None:
    for number, (left, right) in enumerate(zip_longest(ours.tokens, theirs.tokens)):
        if (left and left[1]) != (right and right[1]):
            left, right = left or (ours.seq, ""), right or (theirs.seq, "")
            return Difference(lane, left[0], right[0], f"token {number}", left[1], right[1])
    return None


def _value(lane: str, ours: _Said, theirs: _Said) -> Difference | None:
    for place, left, right in _differing("", ours.body, theirs.body):
        return Difference(lane, ours.seq, theirs.seq, place or "the whole event", str(left), str(right))
    return None


def _differing(place: str, left: JsonValue, right: JsonValue) -> Iterator[tuple[str, JsonValue, JsonValue]]:
    if isinstance(left, dict) and isinstance(right, dict):
        for name in sorted({*left, *right}):
            yield from _differing(f"{place}.{name}".lstrip("."), left.get(name), right.get(name))
    elif isinstance(left, list) and isinstance(right, list):
        for number, (ours, theirs) in enumerate(zip_longest(left, right)):
            yield from _differing(f"{place}.{number}".lstrip("."), ours, theirs)
    elif left != right or type(left) is not type(right):
        yield place, left, right


def _conditions(left: list[_Said], right: list[_Said]) -> Iterator[str]:
    for ours, theirs in zip(left, right, strict=False):
        for place, _, _ in _differing("", ours.body, theirs.body):
            yield place.partition(".")[0] or "machine"
