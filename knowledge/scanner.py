"""Marks what, in text from outside, speaks to a language model instead of to its reader.

A mark is a reason for a person to look, not a verdict: attacks in other words pass, and a text about attacks is
marked. The words are data (`suspicious.toml`). It removes nothing, which is `untrusted`'s business, and it does not
know where the text comes from.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from knowledge.fold import Folded, fold, undisguise
from knowledge.payload import payloads

_LINE, _OPEN = "^", "*"
# Scripts without spaces between words: Thai, kana, Han. A word of theirs may stand anywhere.
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"
_LETTER = rf"[^\W{_UNSPACED}]"
# Devanagari vowel signs belong to their word, but are not \w.
_WORD_STARTS = rf"(?<!{_LETTER})(?<![\u0900-\u0963])"
_WORD_ENDS = re.compile(rf"(?!{_LETTER})(?![\u0900-\u0963])")
_BOUNDED = re.compile(rf"{_LETTER}|[\u0900-\u0963]")
_LINE_STARTS = re.compile(r"(?:\A|\n)[ >#\-(]{0,6}\Z")
_MARGIN = 8  # characters before a line's first word
_INNOCENT = "innocent"
_NEVER = -1_000_000
_STEM = 6  # characters by which phrases are looked up


class Suspicion(BaseModel):
    """`text[start:end]` of the scanned text, the rule that marks it, and what it does in a few words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: int
    end: int
    rule: str
    reason: str


class _Rule(BaseModel):
    """Fires where a word of each part stands within so many characters, in any order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    reason: str
    parts: frozenset[str] = Field(min_length=1)
    within: int = Field(gt=0, le=500)


class _Lists(BaseModel):
    """The data file: rules, and of each language the words of each part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[_Rule, ...]
    phrases: Mapping[str, Mapping[str, tuple[str, ...]]]

    @model_validator(mode="after")
    def _every_part_has_words(self) -> "_Lists":
        known = {part for lists in self.phrases.values() for part in lists}
        if missing := {part for rule in self.rules for part in rule.parts} - known:
            raise ValueError(f"no words for {', '.join(sorted(missing))}")
        return self


class _Phrase(NamedTuple):
    """A phrase as it is compared, the parts of rules that it fills, and where it may stand."""

    text: str
    parts: frozenset[str]
    on_line_start: bool
    on_word_start: bool
    to_word_end: bool


class _Concern(NamedTuple):
    """A rule that a phrase takes part in, by its number, and what else must stand how near."""

    rule: int
    others: tuple[str, ...]
    within: int


class _Words:
    """All phrases by their first characters, and the rules that each of them takes part in."""

    def __init__(self, lists: _Lists) -> None:
        self._rules = lists.rules
        self._arrange(_phrases(lists))
        # The longest phrase wins, so it counts for what the shorter ones inside it count for.
        self._arrange([phrase._replace(parts=phrase.parts | self._inner(phrase)) for phrase in self._listed])
        self._concerned = {phrase.parts: self._touching(phrase.parts) for phrase in self._listed}

    def _arrange(self, phrases: Iterable[_Phrase]) -> None:
        self._listed = sorted(phrases, key=lambda phrase: (-len(phrase.text), phrase.text))
        self._stems: dict[str, list[_Phrase]] = defaultdict(list)
        for phrase in self._listed:
            self._stems[phrase.text[:_STEM]].append(phrase)
        self._lengths = _lengths(self._stems)
        bounded, anywhere = (
            "".join(sorted({re.escape(p.text[0]) for p in self._listed if p.on_word_start is wanted}))
            for wanted in (True, False)
        )
        self._starts = re.compile(rf"{_WORD_STARTS}[{bounded}]|[{anywhere}]")

    def _inner(self, phrase: _Phrase) -> frozenset[str]:
        """The parts of phrases inside of this one; none where it is there to hide them."""
        if _INNOCENT in phrase.parts:
            return frozenset()
        text = phrase.text
        starts = [match.start() for match in self._starts.finditer(text)]
        return frozenset(part for at in starts for inner in self._fitting(text, text, at) for part in inner.parts)

    def _touching(self, parts: frozenset[str]) -> tuple[_Concern, ...]:
        return tuple(
            _Concern(number, tuple(sorted(rule.parts - parts)), rule.within)
            for number, rule in enumerate(self._rules)
            if rule.parts & parts
        )

    def found(self, text: str) -> Iterator[tuple[int, int, _Rule]]:
        """Spans of folded text where a rule fires, in order; those of one rule that meet or overlap are one."""
        last: dict[str, int] = {}
        growing: dict[int, tuple[int, int]] = {}
        for start, end, parts in self._hits(text):
            for part in parts:
                last[part] = start
            for number, others, within in self._concerned[parts]:
                earliest = start
                for other in others:
                    earliest = min(earliest, last.get(other, _NEVER))
                if others and end - earliest > within:
                    continue
                span = (earliest, end)
                if (former := growing.get(number)) and span[0] <= former[1] + 1:
                    span = (min(former[0], span[0]), end)
                elif former:
                    yield (*former, self._rules[number])
                growing[number] = span
        yield from ((*span, self._rules[number]) for number, span in growing.items())

    def _hits(self, text: str) -> Iterator[tuple[int, int, frozenset[str]]]:
        """Phrases from left to right, the longest at each place, none inside of another."""
        flat, free = text.replace("\n", " "), 0
        for match in self._starts.finditer(text):
            start = match.start()
            if start >= free and (phrase := next(self._fitting(text, flat, start), None)):
                free = start + len(phrase.text)
                yield start, free, phrase.parts

    def _fitting(self, text: str, flat: str, start: int) -> Iterator[_Phrase]:
        """The phrases that stand at this place, the longest first; `flat` is the text without line ends."""
        lengths = self._lengths.get(flat[start : start + 2]) or self._lengths.get(flat[start], ())
        for length in lengths:
            for phrase in self._stems.get(flat[start : start + length], ()):
                if flat.startswith(phrase.text, start) and _fits(phrase, text, start):
                    yield phrase


def _lengths(stems: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Of the first two characters of stems, and of the first one, how long those stems are, longest first."""
    found: dict[str, set[int]] = defaultdict(set)
    for stem in stems:
        found[stem[:2]].add(len(stem))
    return {start: tuple(sorted(of | found.get(start[0], set()), reverse=True)) for start, of in [*found.items()]}


def _fits(phrase: _Phrase, text: str, start: int) -> bool:
    if phrase.to_word_end and not _WORD_ENDS.match(text, start + len(phrase.text)):
        return False
    return not phrase.on_line_start or bool(_LINE_STARTS.search(text[max(0, start - _MARGIN) : start]))


def scan(text: str) -> tuple[Suspicion, ...]:
    """What speaks to a model in the text, by position; the time that it takes grows linearly with the text."""
    words, plain = _words(), fold(text)
    found = {*_suspicions(words, plain, ""), *_payloads(text)}
    disguised = undisguise(text)
    if disguised.text != plain.text:
        known = [(s.start, s.end) for s in sorted(found, key=_position)]
        hidden = sorted(_suspicions(words, disguised, " in disguise"), key=_position)
        found.update(_outside(hidden, known))
    return tuple(sorted(found, key=_position))


def _position(suspicion: Suspicion) -> tuple[int, int, str, str]:
    return suspicion.start, suspicion.end, suspicion.rule, suspicion.reason


def _suspicions(words: _Words, folded: Folded, manner: str) -> Iterator[Suspicion]:
    for start, end, rule in words.found(folded.text):
        span = (folded.origin[start], folded.origin[end - 1] + 1)
        yield Suspicion(start=span[0], end=span[1], rule=rule.name, reason=rule.reason + manner)


def _payloads(text: str) -> Iterator[Suspicion]:
    for start, end, encoding in payloads(text):
        yield Suspicion(start=start, end=end, rule="encoded", reason=f"holds writing encoded as {encoding}")


def _outside(suspicions: Iterable[Suspicion], known: list[tuple[int, int]]) -> Iterator[Suspicion]:
    """Those that touch no known span; both are in the order of their starts."""
    number, reached = 0, 0
    for suspicion in suspicions:
        while number < len(known) and known[number][0] < suspicion.end:
            reached = max(reached, known[number][1])
            number += 1
        if reached <= suspicion.start:
            yield suspicion


@cache
def _words() -> _Words:
    data: dict[str, Any] = tomllib.loads(files("knowledge").joinpath("suspicious.toml").read_text("utf-8"))
    return _Words(_Lists.model_validate(data))


def _phrases(lists: _Lists) -> Iterator[_Phrase]:
    """The listed phrases, each once for every way in which it is listed, with all parts that it fills."""
    parts: dict[str, set[str]] = defaultdict(set)
    for language in lists.phrases.values():
        for part, listed in language.items():
            for phrase in listed:
                parts[phrase].add(part)
    return (_phrase(listed, frozenset(names)) for listed, names in parts.items())


def _phrase(listed: str, parts: frozenset[str]) -> _Phrase:
    text = fold(listed.removeprefix(_LINE).replace(_OPEN, "")).text
    return _Phrase(
        text=text,
        parts=parts,
        on_line_start=listed.startswith(_LINE),
        on_word_start=not listed.startswith(_OPEN) and bool(_BOUNDED.match(text)),
        to_word_end=not listed.endswith(_OPEN) and bool(_BOUNDED.match(text[-1])),
    )
