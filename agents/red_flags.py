"""Red flags: emergencies that a fixed table sees in the clinician's own words, before and without any model.

The rules and their sources stand in `red_flags/emergencies.toml`, the words of each language in a file beside it.
Everything is found in time linear in the text. Knows nothing of models, guidelines or screens.
"""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain
from string import Template
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from agents.clauses import Clauses, Cover, Cue, Heard
from agents.folding import Folded
from agents.messages import Alarm, RedFlag
from agents.phrasebook import Found, Phrasebook
from agents.vitals import Label, Named, Reading, Span, readings

FALLBACK = "en"
_NEAR = 160  # folded characters that the parts of an emergency may be apart, in one sentence or the next
_PARTS = 45  # the same for the parts of one finding, in one clause
_ASIDE = 4  # places on either side of a finding that are tried as its neighbours
_COMPARISON = re.compile(r"(\w+) (<=|>=|<|>) (\d+(?:\.\d+)?)")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Strict):
    """Findings that make an emergency: `near` each other, `anywhere` in the case, and none of `unless`.

    Each entry names alternatives, separated by `|`: findings, or comparisons of a vital sign such as `spo2 < 90`.
    """

    near: tuple[str, ...] = Field(min_length=1)
    anywhere: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


class Emergency(_Strict):
    """An emergency: whose guidance its rules follow, and the rules, one of which is enough."""

    source: str
    rules: tuple[Rule, ...] = Field(min_length=1)


class Words(_Strict):
    """What one language says for an emergency."""

    name: str
    action: str


class Say(_Strict):
    """The fixed sentences around the flags. `call` names `$number`."""

    title: str
    call: str
    call_local: str
    note: str


class Table(_Strict):
    """One language's file."""

    enumerating: str = ""
    say: Say
    cues: Mapping[Cue, tuple[str, ...]]
    labels: Mapping[Label, tuple[str, ...]]
    spans: Mapping[Span, tuple[str, ...]]
    findings: Mapping[str, tuple[str, ...]]
    emergencies: Mapping[str, Words]


class _Key(NamedTuple):
    """What a phrase is: a cue, a vital sign's name, or the `part`th part of a finding's `term`th term of `parts`."""

    kind: str
    name: str
    term: int = 0
    part: int = 0
    parts: int = 1


class _Hit(NamedTuple):
    """A finding or a reading where it stands in the folded text; `last` is where its last part begins."""

    start: int
    end: int
    last: int


@cache
def emergencies() -> Mapping[str, Emergency]:
    """All emergencies, in the order of their table."""
    raw = tomllib.loads(_file("emergencies.toml"))
    return {name: Emergency.model_validate(entry) for name, entry in raw.items()}


@cache
def table(language: str) -> Table | None:
    """The words of a language; None where it has no file."""
    try:
        return Table.model_validate(tomllib.loads(_file(f"{language}.toml")))
    except FileNotFoundError:
        return None


def _file(name: str) -> str:
    return files("agents").joinpath(f"red_flags/{name}").read_text("utf-8")


@cache
def _lines() -> Mapping[str, str]:
    return tomllib.loads(_file("lines.toml"))


def alarm(text: str, language: str, jurisdiction: str) -> Alarm | None:
    """The red flags of a case with what to say around them, in its language where that has a table; None without any.

    `jurisdiction` (ISO 3166-1) decides whose emergency number is named.
    """
    flags = red_flags(text, language)
    if not flags:
        return None
    code = language if table(language) else FALLBACK
    say = _known(code).say
    number = _lines().get(jurisdiction, "")
    call = Template(say.call).substitute(number=number) if number else say.call_local
    return Alarm(language=code, title=say.title, call=call, note=say.note, flags=flags)


def red_flags(text: str, language: str) -> tuple[RedFlag, ...]:
    """The emergencies in a case, each once, by where they begin; their spans are characters of `text`.

    The language's own table and the English one are both read, since drug names and abbreviations are often English.
    """
    code = language if table(language) else FALLBACK
    said = _known(code).emergencies
    case = _Case(text, code)
    flags = []
    for name, emergency in emergencies().items():
        hits = [hit for rule in emergency.rules if (hit := case.first(rule))]
        if not hits:
            continue
        start, end = case.original(min(hits))
        flags.append(
            RedFlag(
                emergency=name,
                name=said[name].name,
                action=said[name].action,
                source=emergency.source,
                start=start,
                end=end,
                words=text[start:end],
            )
        )
    return tuple(sorted(flags, key=lambda flag: flag.start))


def _known(code: str) -> Table:
    found = table(code)
    assert found is not None
    return found


@lru_cache(maxsize=32)
def _phrasebook(codes: tuple[str, ...]) -> Phrasebook[_Key]:
    book: Phrasebook[_Key] = Phrasebook()
    for number, code in enumerate(codes):
        known = _known(code)
        for kind, group in (("cue", known.cues), ("label", known.labels), ("span", known.spans)):
            for name, phrases in group.items():
                for phrase in phrases:
                    book.add(phrase, _Key(kind, name))
        for finding, terms in known.findings.items():
            for term, written in enumerate(terms):
                _add_term(book, written, finding, number * 1000 + term)
    return book


def _add_term(book: Phrasebook[_Key], written: str, name: str, term: int) -> None:
    parts = written.split(" + ")
    for part, alternatives in enumerate(parts):
        for phrase in alternatives.split("|"):
            book.add(phrase, _Key("finding", name, term, part, len(parts)))


class _Case:
    """What one text says, findings and readings by where they stand."""

    def __init__(self, text: str, code: str) -> None:
        self._folded = Folded(text)
        codes = tuple(dict.fromkeys((FALLBACK, code)))
        found = list(_phrasebook(codes).find(self._folded))
        cues = [Heard(f.key.name, f.start, f.end) for f in found if f.key.kind == "cue"]
        alike = Cover((cue.start, cue.end) for cue in cues if cue.cue == "lookalike")
        terms = _terms(f for f in found if f.key.kind == "finding" and not alike.touches(f.start, f.end))
        enumerating = "".join(_known(c).enumerating for c in codes)
        bounds = Clauses(self._folded, cues, enumerating)
        whole = [(name, _joined(parts, bounds)) for name, parts in terms]
        # A cue that is a word of a finding, as in "not breathing", denies nothing else.
        used = Cover(part for _, hits in whole for hit in hits for part in hit)
        alone = [cue for cue in cues if cue.cue == "harmless" or not used.touches(cue.start, cue.end)]
        self._clauses = Clauses(self._folded, alone, enumerating)
        self._findings: dict[str, list[_Hit]] = {}
        for name, hits in whole:
            for parts in hits:
                hit = _Hit(parts[0][0], max(end for _, end in parts), parts[-1][0])
                if self._clauses.holds(*hit[:2], hit.last):
                    self._findings.setdefault(name, []).append(hit)
        named = [Named(f.key.name, f.start, f.end, f.value) for f in found if f.key.kind in ("label", "span")]
        self._readings: dict[str, list[Reading]] = {}
        for reading in readings(self._folded, named):
            if reading.vital == "age" or self._clauses.here_and_now(reading.start, reading.end):
                self._readings.setdefault(reading.vital, []).append(reading)
        self._readings["eldest"] = sorted(self._readings.get("age", ()), key=lambda age: age.value)[-1:]
        self._known_hits: dict[str, list[_Hit]] = {}

    def original(self, hit: _Hit) -> tuple[int, int]:
        """The span of the original text that a hit covers, to the borders of its words where a script has such."""
        start, end = hit.start, hit.end
        while self._folded.joined(start):
            start -= 1
        while self._folded.joined(end):
            end += 1
        return self._folded.starts[start], self._folded.ends[end - 1]

    def first(self, rule: Rule) -> _Hit | None:
        """The first place where a rule is met."""
        if any(self._hits(entry) for entry in rule.unless) or not all(self._hits(entry) for entry in rule.anywhere):
            return None
        slots = [self._hits(entry) for entry in rule.near]
        if not all(slots):
            return None
        return next((hit for anchor in slots[0] if (hit := self._around(anchor, slots[1:]))), None)

    def _around(self, anchor: _Hit, slots: Sequence[Sequence[_Hit]]) -> _Hit | None:
        start, end = anchor.start, anchor.end
        for slot in slots:
            near = [h for h in _neighbours(slot, anchor.start) if self._near(min(start, h.start), max(end, h.end))]
            if not near:
                return None
            best = min(near, key=lambda h: abs(h.start - anchor.start))
            start, end = min(start, best.start), max(end, best.end)
        return _Hit(start, end, start)

    def _near(self, start: int, end: int) -> bool:
        return end - start <= _NEAR and self._clauses.breaks_between(start, end) <= 1

    def _hits(self, entry: str) -> list[_Hit]:
        if entry not in self._known_hits:
            self._known_hits[entry] = sorted(chain.from_iterable(map(self._alternative, entry.split("|"))))
        return self._known_hits[entry]

    def _alternative(self, written: str) -> Iterator[_Hit]:
        compared = _COMPARISON.fullmatch(written)
        if compared is None:
            yield from self._findings.get(written, ())
            return
        vital, comparison, limit = compared.groups()
        for reading in self._readings.get(vital, ()):
            if reading.is_(comparison, float(limit)):
                yield _Hit(reading.start, reading.end, reading.start)


_Part = tuple[int, int]


def _terms(found: Iterable[Found[_Key]]) -> list[tuple[str, list[list[_Part]]]]:
    """For each term that was begun, its finding and the places of each of its parts, by where they begin."""
    terms: dict[tuple[str, int], list[list[_Part]]] = {}
    for key, start, end, _ in found:
        parts = terms.setdefault((key.name, key.term), [[] for _ in range(key.parts)])
        parts[key.part].append((start, end))
    return [(name, parts) for (name, _), parts in terms.items() if all(parts)]


def _joined(parts: Sequence[Sequence[_Part]], clauses: Clauses) -> list[list[_Part]]:
    """The places where all parts of a term stand in one clause, each with its parts by where they begin."""
    if len(parts) == 1:
        return [[place] for place in parts[0]]
    hits = []
    for anchor in parts[0]:
        chosen = [anchor]
        for places in parts[1:]:
            near = [p for p in _around_start(places, anchor[0]) if _one_finding(anchor, p, clauses)]
            chosen += [min(near, key=lambda p: abs(p[0] - anchor[0]))] if near else []
        if len(chosen) == len(parts):
            hits.append(sorted(chosen))
    return hits


def _one_finding(one: _Part, other: _Part, clauses: Clauses) -> bool:
    start, end = min(one[0], other[0]), max(one[1], other[1])
    overlap = one[0] < other[1] and other[0] < one[1]
    return not overlap and end - start <= _PARTS and clauses.same_clause(start, end)


def _around_start(places: Sequence[_Part], start: int) -> Sequence[_Part]:
    """The places next to a position: a few on either side, so that a hostile text costs no more than a plain one."""
    index = bisect_left(places, start, key=lambda p: p[0])
    return places[max(0, index - _ASIDE) : index + _ASIDE]


def _neighbours(hits: Sequence[_Hit], start: int) -> Sequence[_Hit]:
    index = bisect_left(hits, start, key=lambda h: h.start)
    return hits[max(0, index - _ASIDE) : index + _ASIDE]
