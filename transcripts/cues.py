"""The rules of one language for what is private, read from its table in `redaction/`.

A table lists words: what stands before a name, after one, before a number. Here they become patterns over folded
text, each with one group `private`. Knows nothing of any language.
"""

import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple
from unicodedata import normalize

import regex
from pydantic import BaseModel, ConfigDict, ValidationError

from transcripts.errors import RedactionUnknown

Pattern = regex.Pattern[str]

_FOLDER = "redaction"

# A few words may stand between what announces a number and the number: "phone number is", "番号は".
_LINK = r"[^\d\n@]{0,24}?"
_PHONE = r"(?!\d{4}[-/.]\d\d?[-/.]\d|\d\d?[-/.]\d\d?[-/.]\d{4})[+(]?\d[\d ()./-]{5,18}\d"
_ID = r"(?=(?:[A-Z/. -]{0,6}\d){4})[A-Z\d]{1,12}(?:[-/.]?[A-Z\d]{1,12}| \d{3,8}){0,5}"
_DATE = (
    r"(?:\d{1,4}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{1,4}"
    r"|(?:\p{Han}{2})?\d{1,4}\s?[年년]\s?\d{1,2}\s?[月월]\s?\d{1,2}\s?[日일]?"
    r"|\d{1,2}(?:\.|º|er|st|nd|rd|th)?,?\s(?:de\s|of\s)?[\p{L}\p{M}.]{2,20},?\s(?:de\s|del\s|พ\.ศ\.\s?)?\d{4}"
    r"|(?<![\p{L}\p{M}])[\p{L}\p{M}]{3,20}\s\d{1,2}(?:st|nd|rd|th)?,?\s\d{4})"
)


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Names(_Table):
    """A name is `most` times `word`, a pattern, with `joint` between; `before` and `after` stand beside it, `closing`
    above it. No word of a name is one of `never`."""

    word: str
    joint: str = " "
    most: int = 3
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


class Announced(_Table):
    """Words that announce a number, a date or an address, before it or `after` it, or whole `patterns` of it.

    An address goes on until one of `until`.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


class Table(_Table):
    """What one language says.

    `regions` are those of its phone numbers, `numbers` the checks of its identity numbers, `named` more patterns of
    names; `spaced` is false where words are not parted by spaces.
    """

    regions: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    spaced: bool = True
    name: Names
    phone: Announced
    id: Announced
    birth: Announced
    address: Announced
    named: Announced = Announced()


class Rules(NamedTuple):
    """The patterns of one language, each with the kind of what it finds."""

    patterns: tuple[tuple[str, Pattern], ...]
    regions: tuple[str, ...]
    numbers: tuple[str, ...]


def languages() -> tuple[str, ...]:
    """The languages that have rules."""
    tables = files("transcripts").joinpath(_FOLDER).iterdir()
    return tuple(sorted(table.name.removesuffix(".toml") for table in tables if table.name.endswith(".toml")))


@cache
def rules(language: str) -> Rules:
    """The rules of a language; raises RedactionUnknown."""
    if language not in languages():
        raise RedactionUnknown(f"there are no rules to redact {language!r}; there are: {', '.join(languages())}")
    text = files("transcripts").joinpath(_FOLDER, f"{language}.toml").read_text("utf-8")
    try:
        table = Table.model_validate(tomllib.loads(text))
        patterns = tuple((kind, regex.compile(pattern)) for kind, pattern in _patterns(table))
    except (ValidationError, regex.error) as error:
        raise RedactionUnknown(f"the rules to redact {language!r} cannot be read: {error}") from error
    return Rules(patterns, table.regions, table.numbers)


def _patterns(table: Table) -> Iterator[tuple[str, str]]:
    for pattern in _names(table.name, table.spaced):
        yield "name", pattern
    shapes = (("phone", table.phone, _PHONE), ("id", table.id, _ID), ("birth", table.birth, _DATE))
    for kind, announced, shape in shapes:
        yield from ((kind, pattern) for pattern in _announced(announced, shape, table.spaced))
    yield from (("address", pattern) for pattern in (*_after_label(table), *table.address.patterns))
    yield from (("name", pattern) for pattern in table.named.patterns)


def _names(names: Names, spaced: bool) -> Iterator[str]:
    never = rf"(?!(?:{_any(names.never)}){_end(spaced)})" if names.never else ""
    word = f"{never}(?:{names.word})"
    one = f"(?P<private>{word}(?:{names.joint}{word}){{0,{names.most - 1}}})"
    if names.before:
        # Zulu writes "nguSipho", but the "MR" of "MRN" is no title.
        beside = r"(?:[ :,]{1,3}|(?<=\p{Ll}|[-.])(?=\p{Lu}))" if spaced else "[ :,]{0,3}"
        yield f"{_start(spaced)}(?i:{_any(names.before)}){beside}{one}"
    if names.after:
        yield f"{_start(spaced)}{one} ?(?:{_any(names.after)}){_end(spaced)}"
    if names.closing:
        end = r"(?=[ .。,]*(?:$|\n|[\d+(]|\S+@)|\s{2})"
        yield f"{_start(spaced)}(?i:{_any(names.closing)})[ ,.!。、!\\n]{{0,6}}{one}{end}"


def _announced(announced: Announced, shape: str, spaced: bool) -> Iterator[str]:
    # A birth is told right beside its date; a number may have words before it.
    link = r"[ :]{0,3}(?:\p{L}{1,4} )?" if shape is _DATE else _LINK
    if announced.before:
        yield rf"{_start(spaced)}(?i:{_any(announced.before)}){link}(?P<private>(?<![A-Za-z\d-]){shape}(?![A-Za-z\d]))"
    if announced.after:
        yield rf"(?P<private>(?<!\d){shape})[ ,]{{0,2}}(?i:{_any(announced.after)})"
    yield from announced.patterns


def _after_label(table: Table) -> Iterator[str]:
    if table.address.before:
        until = f"| (?:{_any(table.address.until)}) " if table.address.until else ""
        told = rf"(?=[^\n]{{0,20}}\d)[^\n;。؛\[]{{4,80}}?(?=$|[\n;。؛।，、]|[.](?:\s|$)|, \p{{Ll}}{{4}}{until})"
        yield rf"{_start(table.spaced)}(?i:{_any(table.address.before)})[ :]{{1,3}}(?P<private>{told})"


def _any(words: Sequence[str]) -> str:
    # An accent may be a character of its own in the text, or not.
    spelled = {normalize(form, word) for word in words for form in ("NFC", "NFD")}
    longest = sorted(spelled, key=lambda word: (-len(word), word))
    return "|".join(regex.escape(word, special_only=True, literal_spaces=True) for word in longest)


def _start(spaced: bool) -> str:
    return r"(?<![\p{L}\p{M}\p{N}])" if spaced else ""


def _end(spaced: bool) -> str:
    return r"(?![\p{L}\p{M}])" if spaced else ""
