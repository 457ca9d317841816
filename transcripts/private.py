"""What in a text tells who somebody is: names, phone numbers, e-mail addresses, record and identity numbers, dates of
birth, postal addresses. By fixed rules, the same on every machine; no model.

Knows nothing of transcripts. The words of each language stand in `redaction/`; see `docs/redaction.md` for what the
rules find and what they miss.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import NamedTuple, Protocol, cast

import phonenumbers
import regex

from transcripts.cues import Rules, rules
from transcripts.errors import RedactionUnknown
from transcripts.folded import folded

# Where two overlap, both go, under the name of the one that stands first here.
KINDS = ("other", "email", "id", "phone", "birth", "address", "name")

_EMAIL = regex.compile(r"(?<![\w.+-])[\w.+-]+\s?@\s?[\w-]+(?:\s?\.\s?[\w-]+)*\.\p{L}{2,}")
_CANDIDATE = regex.compile(r"(?<![\w.-])[A-Za-z]{0,6}\d[\dA-Za-z]*(?:[ ./-][\dA-Za-z]+){0,5}(?![\w-])")
_SHORTEST, _LONGEST = 9, 22  # characters of a national identity number, as they are written
_DATE = regex.compile(r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})(?!\d)")
_PART = regex.compile(r"\p{Lu}[\p{Latin}\p{M}'’-]{2,}")
_DIGITS = regex.compile(r"(?<![\p{L}\d])[+(]{0,2}\d[\d ()./+-]{7,200}")
_TRIES = 10  # numbers that are looked for in one run of digits: a long one is a table of results
_DIALLED = 9  # digits that a number has which no word announces


class Private(NamedTuple):
    """Characters `start` to `end` of a text, and what they tell."""

    kind: str
    start: int
    end: int


Places = tuple[Private, ...]
_NOTHING: Mapping[str, str] = MappingProxyType({})


class _Number(Protocol):
    def is_valid(self, number: str) -> bool: ...


def find(texts: Sequence[str], languages: Iterable[str], known: Mapping[str, str] = _NOTHING) -> list[Places]:
    """Everything private in each of `texts`, in order and apart, by the rules of `languages` together.

    What one text gives away, and what is `known` (words and their kinds), is found in all of them.
    Raises RedactionUnknown for a language that has no rules.
    """
    named = tuple(dict.fromkeys(languages))
    found = [list(_by_rules(text, named)) for text in texts]
    words = dict(known)
    for text, places in zip(texts, found, strict=True):
        words |= dict(_words(text, places))
    if again := _spelled(words):
        for text, places in zip(texts, found, strict=True):
            places.extend(Private(words[match[0]], *match.span()) for match in again.finditer(text))
    return [merged(places) for places in found]


def _by_rules(text: str, languages: Iterable[str]) -> Iterator[Private]:
    plain = folded(text)
    yield from (Private("email", *match.span()) for match in _EMAIL.finditer(plain))
    for language in languages:
        yield from _found(plain, rules(language))


def _words(text: str, places: Iterable[Private]) -> Iterator[tuple[str, str]]:
    """What gives its owner away wherever it stands again: all that was found, and each long part of a cased name."""
    for kind, start, end in places:
        whole = text[start:end]
        if len(whole) > 1:
            yield whole, kind
        if kind == "name":
            yield from ((part, kind) for part in _PART.findall(whole) if part != whole)


def _spelled(words: Mapping[str, str]) -> "regex.Pattern[str] | None":
    if not words:
        return None
    longest = "|".join(regex.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
    # Where words are not parted by spaces, a name has no edge to look for.
    return regex.compile(rf"(?<![\p{{Latin}}\p{{M}}\d])(?:{longest})(?![\p{{Latin}}\p{{M}}\d])")


def merged(found: Iterable[Private]) -> tuple[Private, ...]:
    """The same places, those that overlap made one."""
    apart: list[Private] = []
    for one in sorted(found, key=lambda private: private.start):
        if apart and one.start < apart[-1].end:
            last = apart.pop()
            kind = min(last.kind, one.kind, key=KINDS.index)
            one = Private(kind, last.start, max(last.end, one.end))
        apart.append(one)
    return tuple(apart)


def _found(plain: str, by: Rules) -> Iterator[Private]:
    for kind, pattern in by.patterns:
        for match in pattern.finditer(plain):
            yield Private(kind, *match.span("private"))
    yield from _phones(plain, by.regions)
    for match in _CANDIDATE.finditer(plain):
        if _SHORTEST <= len(match[0]) <= _LONGEST and any(_number(name).is_valid(match[0]) for name in by.numbers):
            yield Private("id", *match.span())


def _phones(plain: str, regions: Iterable[str]) -> Iterator[Private]:
    for run in _DIGITS.finditer(plain):
        for region in regions:
            for match in phonenumbers.PhoneNumberMatcher(run[0], region, max_tries=_TRIES):
                if _dialled(match.raw_string):
                    yield Private("phone", run.start() + match.start, run.start() + match.end)


def _dialled(number: str) -> bool:
    """Whether it is written as people write phone numbers, and not as a count, a date or a result."""
    digits = sum(character.isdigit() for character in number)
    grouped = len(regex.findall(r"\d+", number)) > 1
    return digits >= _DIALLED and not _DATE.search(number) and (grouped or number[0] in "+(0")


def _number(name: str) -> _Number:
    try:
        return cast(_Number, import_module(f"stdnum.{name}"))
    except ModuleNotFoundError as error:
        raise RedactionUnknown(f"the rules for redaction name the number {name}, which is not known") from error
