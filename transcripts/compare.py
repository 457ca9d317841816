"""Two consultations side by side: the first thing that was said or decided differently, and what may be the reason.

Runs of one case interleave differently, so each agent is compared with itself. Knows nothing of models.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, zip_longest
from typing import NamedTuple

from pydantic import JsonValue

from transcripts.event import Event, EventKind
from transcripts.show import stream_part

# What no two runs have in common: times, ids, and how much was computed or found in a cache.
_INCIDENTAL = frozenset(
    {
        *("spans", "usage", "figures", "conversation", "seconds", "record_seconds", "started"),
        "gen_ai.conversation.id",
        *("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
    }
)
# What an event about the machine says of this run alone, or of how something was chosen that it names elsewhere.
_NO_CONDITION = frozenset({"calibration", "lanes", "rerun_of", "shown"})
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
_WORD = 24  # characters shown from where two texts part


class Difference(NamedTuple):
    """The first difference of two consultations. An event is None where that side has none, `place` says where in it.

    In a stream `place` is a token, counted from 0, where both sides recorded theirs, else a character; `left` and
    `right` are the words from there on. For anything else they are values.
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
    """An event, or all events of a stream: its pieces with the event that holds each, and the numbers of its tokens."""

    seq: int
    body: JsonValue
    pieces: tuple[tuple[int, str], ...] = ()
    tokens: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.pieces)

    def holding(self, character: int) -> int:
        """The event with that character, or the last one."""
        ends = accumulate(len(text) for _, text in self.pieces)
        held = (seq for (seq, _), end in zip(self.pieces, ends, strict=True) if character < end)
        return next(held, self.pieces[-1][0] if self.pieces else self.seq)


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
            _take_tokens(event, lanes)
            lanes.setdefault(_lane(event), []).append(_Said(event.seq, _essential(event.body)))
    return lanes


def _take_stream(event: Event, lanes: dict[str, list[_Said]], streams: dict[int, tuple[str, int]]) -> None:
    part = stream_part(event)
    pieces = tuple((event.seq, text) for _, text in part.chunks)
    if part.stream in streams:
        lane, at = streams[part.stream]
        lanes[lane][at] = lanes[lane][at]._replace(pieces=lanes[lane][at].pieces + pieces)
        return
    lane = f"stream {part.agent} {part.role}".rstrip()
    said = lanes.setdefault(lane, [])
    streams[part.stream] = lane, len(said)
    said.append(_Said(event.seq, None, pieces))


def _take_tokens(event: Event, lanes: dict[str, list[_Said]]) -> None:
    """The tokens of a stream stand in the event that says how it ended."""
    figures = event.body.get("figures")
    tokens = figures.get("tokens") if isinstance(figures, dict) else None
    said = lanes.get(f"stream {event.body.get('agent')} {event.body.get('phase')}")
    if said and isinstance(tokens, list):
        said[-1] = said[-1]._replace(tokens=tuple(token for token in tokens if isinstance(token, int)))


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
        difference = _spoken(lane, ours, theirs) or _value(lane, ours, theirs)
        if difference:
            return difference
    return None


def _spoken(lane: str, ours: _Said, theirs: _Said) -> Difference | None:
    left, right = ours.text, theirs.text
    counted = bool(ours.tokens and theirs.tokens)
    if left == right and not (counted and ours.tokens != theirs.tokens):
        return None
    at, token = _common(left, right), _common(ours.tokens, theirs.tokens)
    place = f"token {token}" if counted else f"character {at}"
    seqs = ours.holding(at), theirs.holding(at)
    if left == right:
        numbers = (str(next(iter(said.tokens[token:]), "")) for said in (ours, theirs))
        return Difference(lane, *seqs, place, *numbers)
    start = left.rfind(" ", max(0, at - _WORD), at) + 1 or at
    return Difference(lane, *seqs, place, left[start : at + _WORD], right[start : at + _WORD])


def _common(left: Sequence[object], right: Sequence[object]) -> int:
    """How many items both begin with."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((n for n, (one, other) in pairs if one != other), min(len(left), len(right)))


def _value(lane: str, ours: _Said, theirs: _Said) -> Difference | None:
    for place, left, right in _differing("", ours.body, theirs.body):
        return Difference(lane, ours.seq, theirs.seq, place or "the whole event", str(left), str(right))
    return None


def _differing(place: str, left: JsonValue, right: JsonValue) -> Iterator[tuple[str, JsonValue, JsonValue]]:
    if isinstance(left, dict) and isinstance(right, dict):
        # A name that one side lacks altogether is of another version of the product: it says nothing of the case.
        for name in sorted({*left} & {*right}):
            yield from _differing(f"{place}.{name}".lstrip("."), left[name], right[name])
    elif isinstance(left, list) and isinstance(right, list):
        for number, (ours, theirs) in enumerate(zip_longest(left, right)):
            yield from _differing(f"{place}.{number}".lstrip("."), ours, theirs)
    elif left != right or type(left) is not type(right):
        yield place, left, right


def _conditions(left: list[_Said], right: list[_Said]) -> Iterator[str]:
    for ours, theirs in zip(left, right, strict=False):
        for place, _, _ in _differing("", ours.body, theirs.body):
            names = place.split(".")
            if not _NO_CONDITION.intersection(names) or names[-2:] == ["opened", "lanes"]:
                yield names[0] or "machine"
