"""Numbers with their units, as people write them: in every script's digits, with commas and points of every custom.

Units are those of `units.toml`, under one name in every language. Knows nothing of what is measured.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
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
_PER_TIME = frozenset(("minute", "hour", "day"))
_UNSPACED = "\u0e00"  # the first letter of the scripts that put no border between words, and of Korean
_REST = "[a-zà-ɏ\u0620-\u065f\u0900-\u0963]*"  # of a word that a stem begins
_BETWEEN = 48  # characters between a dose and how often it is given
_TOLD = 12  # characters in which it is said how many times
_SEVERAL = 6  # times a day, or an hour, at most
_AWAY = re.compile(r"\d|[;。\n]|\.\s")
_COMMA = re.compile("[,.;:()、。，；：،؛]")
_JOINED = re.compile(rf"{_REST}\s*")
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
        if self[:2] != other[:2] or alike - _PER_TIME - ({"kg"} if weighed else set()):
            return False
        return not (self.per & _PER_TIME) - other.per - other.perhaps and not (
            (other.per & _PER_TIME) - self.per - self.perhaps
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
    over: re.Pattern[str]
    each: re.Pattern[str]
    each_before: re.Pattern[str]
    once: re.Pattern[str]
    counted: re.Pattern[str]
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
    each = _each(content["each"])
    span = rf"(?:\s*(?:{_either(joints['range'])})\s*\d+(?:[.,]\d+)*)?"
    return _Table(
        units=tuple(name for _, _, name in written),
        behind=re.compile(rf"{span}[\s\-\u200c]*(?:{groups})"),
        before=re.compile(rf"(?<!\w)(?<!\d\s)({_either(times)})[a-z]*\s+$"),
        over=re.compile(rf"{_REST}\s*(?:{_joined(joints['per'])})(?:{_named(units, ('kg', 'dl', 'ml', 'l'))})"),
        each=re.compile(each),
        each_before=re.compile(
            rf"(?!/)(?:{each})(?P<once>\s*1?\s*(?:{_either(joints['counters'])}))?[^\d,.;:()、。，；：،؛]{{0,20}}"
            rf"(?:\d+(?:[.,]\d+)*\s*(?:{_either(joints['range'])})\s*)?$"
        ),
        once=re.compile(_phrases(content["each"]["once"])),
        counted=re.compile(rf"\d\s*(?:{_either(joints['counters'])})"),
        times=times,
        counters=tuple({unicodedata.normalize("NFKC", text).casefold()[:3] for text in joints["counters"]}),
    )


def _joined(texts: Sequence[str]) -> str:
    """One of some joints with the space behind it, which only scripts without spaces may leave out."""
    return "|".join(
        re.escape(text) + (r"\s+" if text[-1].isalpha() and text[-1] < _UNSPACED else r"\s*")
        for text in sorted(texts, key=len, reverse=True)
    )


def _named(units: Mapping[str, Mapping[str, Sequence[str]]], names: Sequence[str]) -> str:
    """A group for each of some units."""
    return "|".join(
        f"(?P<{name}>(?:{_either(units[name]['exact'])}){_ALONE}|{_either(units[name]['stems'])})" for name in names
    )


def _each(content: Mapping[str, Sequence[str]]) -> str:
    """A group for each time that a dose may be for."""
    not_behind = _either(content["not_behind"])
    return "|".join(f"(?P<{name}>{_phrases(content[name])})(?!{not_behind})" for name in sorted(_PER_TIME))


def _phrases(texts: Sequence[str]) -> str:
    plain = {unicodedata.normalize("NFKC", text).casefold() for text in texts}
    ways = (
        ("(?<!\\d)" if text[0].isdigit() else "(?<![^\\W\\d_])" if text[0] < _UNSPACED and text[0] != "/" else "")
        + re.escape(text).replace("\\ ", "\\s*")
        + ("(?![^\\W\\d_])" if text[-1] < _UNSPACED else "")
        for text in sorted(plain, key=len, reverse=True)
    )
    return "|".join(ways)


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
        unit = table.unit(behind)
        return (
            Quantity(number, unit, *_per(text, found.start(), behind.end()))
            if unit in DOSES
            else Quantity(number, unit)
        )
    if before := table.before.search(text, max(0, found.start() - _BEFORE), found.start()):
        return Quantity(number, table.times[before[1]])
    word = _WORD.match(text, found.end())
    return Quantity(number, word[1] if word else "")


def _per(text: str, start: int, end: int) -> tuple[frozenset[str], frozenset[str]]:
    """What a dose from `start` to `end` is for each of, and the times that it may be for."""
    table = _table()
    per: set[str] = set()
    perhaps: set[str] = set()
    while over := table.over.match(text, end):
        per.add(str(over.lastgroup))
        end = over.end()
    if before := table.each_before.search(text, max(0, start - _BEFORE), start):
        often = _often(_COMMA.split(text[max(0, before.start() - _TOLD) : before.start()])[-1])
        if often < 2:
            (perhaps if often or before["once"] else per).add(_time(before))
    if behind := table.each.search(text, end, end + _BETWEEN):
        between, after = text[end : behind.start()], text[behind.end() : behind.end() + _TOLD]
        often = max(_often(between), _times(after))
        if often < 2 and not _AWAY.search(between):
            (per if not often and _JOINED.fullmatch(between) else perhaps).add(_time(behind))
    return frozenset(per), frozenset(perhaps)


def _time(found: re.Match[str]) -> str:
    return next(name for name in _PER_TIME if found[name])


def _often(text: str) -> int:
    """2 where a text says that something is done several times, 1 where it says once, else 0."""
    table = _table()
    return 2 if _several().search(text) or table.counted.search(text) else 1 if table.once.search(text) else 0


def _times(text: str) -> int:
    """How many times a text begins with: "2 times", "1 回"; 0 where it begins with none."""
    number = re.match(r"\s*(\d{1,3})", text)
    return int(number[1]) if number else 2 if _several().match(text.lstrip()) else 0


@cache
def _several() -> re.Pattern[str]:
    """The words of all languages for small numbers above one."""
    languages = tomllib.loads(files("agents").joinpath("number_words.toml").read_text("utf-8"))
    words = [(int(number), pattern.pattern) for code in languages for number, pattern in _number_words(code)]
    return re.compile("|".join(pattern for number, pattern in words if 1 < number <= _SEVERAL))


def _canonical(number: str) -> str:
    if grouped := _GROUPED.match(number):
        number = re.sub("[.,]", "", grouped[0]) + number[grouped.end() :]
    whole, _, fraction = number.replace(",", ".").partition(".")
    whole = whole.lstrip("0") or "0"
    # 1.000 is one in English and a thousand in Spanish: its zeros stay, so that it equals neither.
    if whole == "0" or len(fraction) != 3:
        fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole
