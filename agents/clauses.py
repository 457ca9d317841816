"""Sentences and clauses of a folded text, and what in them is denied, long past or only asked about.

The words that deny are data of each language; where the reach of one is in doubt it denies less, since a warning too
many costs less than one too few. Knows nothing of what is denied.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from agents.folding import Folded, unspaced

# `before` denies what follows in its clause, `list` also across commas, `near` only the next words, `after` what came
# before it in its clause; `past` and `family` take away their clause, `asking` its sentence. `but` ends a clause and a
# list, and so does what `asserts` where it stands behind a comma; `with` ends only a clause, `or` carries `before` over
# a comma; what is `harmless` looks like one of these and is none, and a `lookalike` looks like a finding.
Cue = Literal[
    "before",
    "list",
    "near",
    "after",
    "past",
    "family",
    "asking",
    "but",
    "with",
    "asserts",
    "or",
    "harmless",
    "lookalike",
]

_SENTENCE = re.compile(r"[.!?](?=\s|$)|[。！？!?…\n।]")
_COMMA = re.compile(r"[,;:、，；：()（）\[\]—–•]")
_REACH = 60
_NEAR = 14
_REACH_UNSPACED = 24
_NEAR_UNSPACED = 5
_AWAY = 40
_AWAY_UNSPACED = 12
_OR_REACH = 60


class Heard(NamedTuple):
    """A cue where it stands; `cue` is one of those above."""

    cue: str
    start: int
    end: int


class Clauses:
    """The clauses of one text under its cues. `enumerating` are commas that only separate the items of a list."""

    def __init__(self, folded: Folded, cues: Sequence[Heard], enumerating: str) -> None:
        text = folded.text
        harmless = Cover((cue.start, cue.end) for cue in cues if cue.cue == "harmless")
        standing = [cue for cue in cues if cue.cue == "harmless" or not harmless.touches(cue.start, cue.end)]
        self._sentences = sorted(m.start() for m in _SENTENCE.finditer(text))
        hard = {*self._sentences, *(c.start for c in standing if c.cue == "but")}
        hard |= {m.start() for m in re.finditer("[;；]", text)}
        soft = {m.start() for m in _COMMA.finditer(text) if m[0] not in enumerating and not _in_number(text, m.start())}
        soft |= {i for i, c in enumerate(text) if c == " " and _between_unspaced(text, i)}
        denying = {c.start for c in standing if c.cue in ("before", "list", "near")}
        asserting = (c for c in standing if c.cue == "asserts" and denying.isdisjoint(range(c.start, c.end + 2)))
        hard |= {c.start for c in asserting if _opens(text, c.start, soft)}
        self._hard, self._commas = sorted(hard), sorted(hard | soft)
        self._breaks = sorted(hard | soft | {c.start for c in standing if c.cue == "with"})
        self._text = text
        self._cues: dict[str, list[Heard]] = {}
        for cue in sorted(standing, key=lambda c: c.start):
            self._cues.setdefault(cue.cue, []).append(cue)
        self._end = len(text)

    def breaks_between(self, start: int, end: int) -> int:
        """How many sentences end between two positions."""
        return bisect_left(self._sentences, end) - bisect_left(self._sentences, start)

    def same_clause(self, start: int, end: int) -> bool:
        """Whether nothing ends a clause between two positions."""
        return bisect_left(self._breaks, end) == bisect_left(self._breaks, start)

    def holds(self, start: int, end: int, last: int) -> bool:
        """Whether what stands from `start` to `end` is said of this patient now. `last` is where its last part begins.

        `start` and `last` differ where something else may stand between its parts.
        """
        return not (self._denied_before(last) or self._denied_after(start, end)) and self.here_and_now(start, end)

    def here_and_now(self, start: int, end: int) -> bool:
        """Whether what stands from `start` to `end` is neither long past, nor of the family, nor only asked about."""
        clause = (_before(self._breaks, start), _after(self._breaks, end - 1, self._end))
        sentence = (_before(self._sentences, start), _after(self._sentences, end - 1, self._end))
        reach = _AWAY_UNSPACED if unspaced(self._text[start]) else _AWAY
        close = max(clause[0], start - reach), min(clause[1], end + reach)
        kin = _before(self._commas, start), _after(self._commas, end - 1, self._end)
        return not (self._any("past", *close) or self._any("family", *kin) or self._any("asking", *sentence))

    def _denied_before(self, last: int) -> bool:
        near = _NEAR_UNSPACED if unspaced(self._text[last]) else _NEAR
        reach = _REACH_UNSPACED if unspaced(self._text[last]) else _REACH
        return (
            any(c.end <= last and last - c.end <= near for c in self._recent("near", last, self._breaks))
            or any(c.end <= last and last - c.end <= reach for c in self._recent("before", last, self._breaks))
            or any(c.end <= last for c in self._recent("list", last, self._hard))
            or any(c.end <= last and self._carried(c, last) for c in self._recent("before", last, self._hard))
        )

    def _carried(self, cue: Heard, last: int) -> bool:
        """Whether an `or` soon after `last` or before it makes the commas since `cue` those of one list."""
        end = _after(self._hard, last, self._end)
        return any(
            cue.end < joint.start < end and joint.start - last <= _OR_REACH and last - cue.end <= 2 * _REACH
            for joint in self._recent("or", min(end - 1, last + _OR_REACH), self._hard)
        )

    def _denied_after(self, start: int, end: int) -> bool:
        reach = _REACH_UNSPACED if unspaced(self._text[start]) else _REACH
        limit = _after(self._breaks, end - 1, self._end)
        listed = self._cues.get("after", [])
        index = bisect_left(listed, end, key=lambda c: c.start)
        return index < len(listed) and listed[index].start < limit and listed[index].start - end <= reach

    def _any(self, cue: Cue, low: int, high: int) -> bool:
        listed = self._cues.get(cue, [])
        index = bisect_left(listed, low, key=lambda c: c.start)
        return index < len(listed) and listed[index].start < high

    def _recent(self, cue: Cue, position: int, breaks: Sequence[int]) -> Sequence[Heard]:
        """The cues of a kind before `position` since the last break; of many, those nearest to it."""
        listed = self._cues.get(cue, [])
        low = bisect_left(listed, _before(breaks, position), key=lambda c: c.start)
        high = bisect_left(listed, position, key=lambda c: c.start)
        return listed[max(low, high - 8) : high]


class Cover:
    """Stretches of text, to ask whether another touches one of them."""

    def __init__(self, stretches: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._reach: list[int] = []
        for start, end in sorted(stretches):
            self._starts.append(start)
            self._reach.append(max(end, self._reach[-1] if self._reach else end))

    def touches(self, start: int, end: int) -> bool:
        """Whether some character from `start` to before `end` is in a stretch."""
        index = bisect_left(self._starts, end)
        return index > 0 and self._reach[index - 1] > start


def _opens(text: str, start: int, commas: set[int]) -> bool:
    """Whether a comma, or one and a space, stand before a position."""
    return not commas.isdisjoint(range(start - 2, start)) and not text[start - 1].isalnum()


def _in_number(text: str, index: int) -> bool:
    return 0 < index < len(text) - 1 and text[index - 1].isdecimal() and text[index + 1].isdecimal()


def _between_unspaced(text: str, index: int) -> bool:
    return 0 < index < len(text) - 1 and unspaced(text[index - 1]) and unspaced(text[index + 1])


def _before(breaks: Sequence[int], position: int) -> int:
    index = bisect_right(breaks, position)
    return breaks[index - 1] if index else 0


def _after(breaks: Sequence[int], position: int, otherwise: int) -> int:
    index = bisect_right(breaks, position)
    return breaks[index] if index < len(breaks) else otherwise
