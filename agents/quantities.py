"""Numbers with their units, as people write them: in every script's digits, with commas and points of every custom.

Units are those of `units.toml`, under one name in every language. Knows nothing of what is measured.
"""

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from agents.dosing import TIMES, per_each
from agents.phrases import either

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

    `per` is what a dose is for each of: a kilogram of body weight, a volume, a minute, an hour, a day. `perhaps` are
    times that it may be for: 10 mg "once daily" are 10 mg a day too. Of a range, both ends have the unit of the second.
    """

    number: str
    unit: str
    per: frozenset[str] = frozenset()
    perhaps: frozenset[str] = frozenset()

    @property
    def per_kg(self) -> bool:
        """Whether it is for each kilogram of body weight."""
        return "kg" in self.per

    def agrees(self, other: "Quantity", weighed: bool = False) -> bool:
        """Whether both are the same number of the same unit for each of the same.

        With `weighed` one of them may be per kilogram without saying so.
        """
        alike = self.per ^ other.per
        if self[:2] != other[:2] or alike - TIMES - ({"kg"} if weighed else set()):
            return False
        return not (self.per & TIMES) - other.per - other.perhaps and not (
            (other.per & TIMES) - self.per - self.perhaps
        )

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
    span = rf"(?:\s*(?:{either(joints['range'])})\s*\d+(?:[.,]\d+)*)?"
    return _Table(
        units=tuple(name for _, _, name in written),
        behind=re.compile(rf"{span}[\s\-\u200c]*(?:{groups})"),
        before=re.compile(rf"(?<!\w)(?<!\d\s)({either(times)})[a-z]*\s+$"),
        times=times,
        counters=tuple({unicodedata.normalize("NFKC", text).casefold()[:3] for text in joints["counters"]}),
    )


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


def _quantity(text: str, found: re.Match[str]) -> Quantity:
    number, table = _canonical(found[0]), _table()
    if behind := table.behind.match(text, found.end()):
        unit = table.unit(behind)
        return (
            Quantity(number, unit, *per_each(text, found.start(), behind.end()))
            if unit in DOSES
            else Quantity(number, unit)
        )
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
