"""Numbers with their units, as people write them: in every script's digits, with commas and points of every custom.

Units are those of `units.toml`, under one name in every language. Knows nothing of what is measured.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
# Thousands: by commas (in India of two digits), by points before a decimal comma, by at least two points.
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:(?:,\d{2,3})*,\d{3}(?![\d,])|(?:\.\d{3})+(?=,)|(?:\.\d{3}){2,}$)")
_WORD = re.compile(r"\s*([^\s\d.,;:()]{1,3})")
_ARABIC_SEPARATORS = str.maketrans("٫٬", ".,")
_ALONE = "(?![a-z])"
_BEFORE = 24  # characters in front of a number in which its unit may stand
_TIMES = ("minute", "hour", "day", "week", "month", "year")
DOSES = frozenset(("g", "mg", "μg", "ng", "l", "dl", "ml", "IU", "mmol"))


class Quantity(NamedTuple):
    """A number in western digits, decimal comma as point; and its unit, or the first three letters behind it.

    `per_kg` is for each kilogram of body weight. Of a range, both ends have the unit of the second.
    """

    number: str
    unit: str
    per_kg: bool = False

    @property
    def known(self) -> bool:
        """Whether the unit is one of the table."""
        return self.unit in _table().units

    @property
    def counted(self) -> bool:
        """Whether it counts times, tablets or the like: no unit, and certainly no other one."""
        return self.unit.startswith(_table().counters)


class _Table(NamedTuple):
    units: tuple[str, ...]
    behind: re.Pattern[str]
    before: re.Pattern[str]
    kilogram: re.Pattern[str]
    times: dict[str, str]
    counters: tuple[str, ...]  # their first three letters

    def unit(self, found: re.Match[str]) -> str:
        """The name of the unit whose group has matched."""
        return self.units[int(str(found.lastgroup).removeprefix("u"))]


@cache
def _table() -> _Table:
    content = tomllib.loads(files("agents").joinpath("units.toml").read_text("utf-8"))
    units, joints = content["units"], content["joints"]
    written = [(text, True, name) for name, unit in units.items() for text in unit["exact"]]
    written += [(text, False, name) for name, unit in units.items() for text in unit["stems"]]
    written.sort(key=lambda entry: -len(entry[0]))
    groups = "|".join(
        f"(?P<u{i}>{re.escape(unicodedata.normalize('NFKC', text).casefold())}{_ALONE if exact else ''})"
        for i, (text, exact, _) in enumerate(written)
    )
    # A unit stands in front of its number in Swahili, and in "day 3"; there only units of time are meant.
    times = {unicodedata.normalize("NFKC", text).casefold(): name for name in _TIMES for text in units[name]["stems"]}
    span = rf"(?:\s*(?:{_either(joints['range'])})\s*\d+(?:[.,]\d+)*)?"
    return _Table(
        units=tuple(name for _, _, name in written),
        behind=re.compile(rf"{span}[\s\-\u200c]*(?:{groups})"),
        before=re.compile(rf"(?<!\w)(?<!\d\s)({_either(times)})[a-z]*\s+$"),
        kilogram=re.compile(
            rf"[^\W\d_]*\s*(?:{_either(joints['per'])})\s*"
            rf"(?:{_either((*units['kg']['exact'], *units['kg']['stems']))})"
        ),
        times=times,
        counters=tuple({unicodedata.normalize("NFKC", text).casefold()[:3] for text in joints["counters"]}),
    )


def _either(texts: Iterable[str]) -> str:
    return "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True))


def numbers(text: str) -> tuple[str, ...]:
    """The numbers of a text in western digits, decimal commas as points; of a thousands group, the bare digits."""
    return tuple(quantity.number for quantity in quantities(text))


@lru_cache(maxsize=4096)
def quantities(text: str) -> tuple[Quantity, ...]:
    """Every number of a text with its unit, in order."""
    plain = unicodedata.normalize("NFKC", text).translate(_ARABIC_SEPARATORS).casefold()
    western = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in plain)
    joined = re.sub(r"(?<=\d)[\s'](?=\d{3}(?!\d))", "", western)
    return tuple(_quantity(joined, found) for found in _NUMBER.finditer(joined))


@lru_cache(maxsize=4096)
def worded(text: str, language: str) -> frozenset[str]:
    """The small numbers that a text has as words; none in a language without a table."""
    words = _number_words(language.split("-")[0])
    plain = unicodedata.normalize("NFKC", text).casefold()
    return frozenset(number for number, pattern in words if pattern.search(plain))


@cache
def _number_words(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    table = tomllib.loads(files("agents").joinpath("number_words.toml").read_text("utf-8")).get(language, {})
    border = ("", "") if table.pop("parts", False) else (r"(?<!\w)(?:", r")(?!\w)")
    return tuple((number, re.compile(_either(words).join(border))) for number, words in table.items())


def _quantity(text: str, found: re.Match[str]) -> Quantity:
    number, table = _canonical(found[0]), _table()
    if behind := table.behind.match(text, found.end()):
        per_kg = bool(table.kilogram.match(text, behind.end()))
        return Quantity(number, table.unit(behind), per_kg)
    if before := table.before.search(text, max(0, found.start() - _BEFORE), found.start()):
        return Quantity(number, table.times[before[1]])
    word = _WORD.match(text, found.end())
    return Quantity(number, word[1] if word else "")


def _canonical(number: str) -> str:
    if grouped := _GROUPED.match(number):
        number = re.sub("[.,]", "", grouped[0]) + number[grouped.end() :]
    whole, _, fraction = number.replace(",", ".").partition(".")
    whole = whole.lstrip("0") or "0"
    # 1.000 is one in English and a thousand in Spanish: its zeros stay, so that it equals neither.
    if whole == "0" or len(fraction) != 3:
        fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole
