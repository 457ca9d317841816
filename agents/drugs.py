"""Which medicines a text names, under their International Nonproprietary Names, in every language of `drugs.toml`.

Knows nothing of doses or of what the medicines do.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.resources import files
from itertools import groupby
from typing import NamedTuple

_STEM = 6  # letters by which two spellings of a name are taken for the same

Starts = dict[str, tuple[str, ...]]  # names by their first two characters, the longest first


class _Table(NamedTuple):
    starts: Starts
    international: dict[str, str]
    latin: tuple[str, ...]  # endings of words
    other: tuple[str, ...]  # endings in scripts whose names have no border of their own


@cache
def _table() -> _Table:
    content = tomllib.loads(files("agents").joinpath("drugs.toml").read_text("utf-8"))
    international = {plain(written): name for name, ways in content["names"].items() for written in ways}
    endings = sorted(map(plain, content["families"]["endings"]), key=len, reverse=True)
    return _Table(
        starts=starts(international),
        international=international,
        latin=tuple(end for end in endings if end.isascii()),
        other=tuple(end for end in endings if not end.isascii()),
    )


def starts(names: Iterable[str]) -> Starts:
    """Plain names by their first two characters, for `places`."""
    ordered = sorted(names, key=lambda name: (name[:2], -len(name)))
    return {start: tuple(same) for start, same in groupby(ordered, key=lambda name: name[:2])}


def plain(text: str) -> str:
    """Lower case; Latin letters without their accents."""
    composed = unicodedata.normalize("NFKC", text).casefold()
    return "".join(unicodedata.normalize("NFD", c)[0] if "à" <= c <= "ỹ" else c for c in composed)


@lru_cache(maxsize=4096)
def drugs(text: str) -> frozenset[str]:
    """The international names of the medicines that a text names."""
    return frozenset(_table().international[name] for _, name in _named(plain(text)))


def parted(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """What a text says before its first medicine; and each medicine with what stands behind it, in lower case."""
    composed = unicodedata.normalize("NFKC", text).casefold()
    named = list(_named(plain(text)))  # places of `composed` too: only accents differ
    if not named:
        return composed, ()
    ends = [place for place, _ in named[1:]] + [len(composed)]
    behind = (
        (_table().international[name], composed[place + len(name) : end])
        for (place, name), end in zip(named, ends, strict=True)
    )
    return composed[: named[0][0]], tuple(behind)


@lru_cache(maxsize=4096)
def unlisted_drugs(text: str) -> frozenset[str]:
    """Beginnings of the words that end like medicines and are not in the table."""
    said = plain(text)
    for start, name in reversed(list(_named(said))):
        said = f"{said[:start]} {said[start + len(name) :]}"
    table = _table()
    words = {word[:_STEM] for word in re.findall(r"[a-z]{5,}", said) if word.endswith(table.latin)}
    return frozenset(words.union(*(_ending(said, end) for end in table.other)))


def _ending(said: str, end: str) -> set[str]:
    """Where a name ends so: the ending with the two characters in front of it."""
    found = (match.start() for match in re.finditer(re.escape(end), said))
    return {said[place - 2 : place + len(end)] for place in found if said[place - 2 : place].strip().isalpha()}


def places(text: str, names: Starts) -> Iterator[tuple[int, str]]:
    """Where names stand in a plain text, the longest at each place. Latin ones begin a word."""
    past = 0
    for place in range(len(text) - 1):
        if place < past:
            continue
        inside = "a" <= text[place - 1 : place] <= "z"
        alike = names.get(text[place : place + 2], ())
        found = next((n for n in alike if text.startswith(n, place) and not (inside and n.isascii())), None)
        if found:
            yield place, found
            past = place + len(found)


def _named(text: str) -> Iterator[tuple[int, str]]:
    return places(text, _table().starts)
