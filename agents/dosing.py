"""What a dose is for each of: a kilogram of body weight, a volume, a minute, an hour, a day.

Read from the text around the dose, by the joints and times of `units.toml`. Knows nothing of the dose itself.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from agents.number_words import several
from agents.phrases import either, joined, phrases

TIMES = frozenset(("minute", "hour", "day"))
_ALONE = "(?![a-z])"
_REST = "[a-zà-ɏ\u0620-\u065f\u0900-\u0963]*"  # of a word that a stem begins
_BEFORE = 24  # characters in front of a dose in which it may be said what it is for
_BETWEEN = 48  # characters between a dose and how often it is given
_TOLD = 12  # characters in which it is said how many times
_AWAY = re.compile(r"\d|[;。\n]|\.\s")
_COMMA = re.compile("[,.;:()、。，；：،؛]")
_JOINED = re.compile(rf"{_REST}\s*")


class _Table(NamedTuple):
    over: re.Pattern[str]
    each: re.Pattern[str]
    each_before: re.Pattern[str]
    once: re.Pattern[str]
    counted: re.Pattern[str]


@cache
def _table() -> _Table:
    content = tomllib.loads(files("agents").joinpath("units.toml").read_text("utf-8"))
    units, joints, each = content["units"], content["joints"], _each(content["each"])
    counters = either(joints["counters"])
    return _Table(
        over=re.compile(rf"{_REST}\s*(?:{joined(joints['per'])})(?:{_named(units, ('kg', 'dl', 'ml', 'l'))})"),
        each=re.compile(each),
        each_before=re.compile(
            rf"(?!/)(?:{each})(?P<once>\s*1?\s*(?:{counters}))?[^\d,.;:()、。，；：،؛]{{0,20}}"
            rf"(?:\d+(?:[.,]\d+)*\s*(?:{either(joints['range'])})\s*)?$"
        ),
        once=re.compile(phrases(content["each"]["once"])),
        counted=re.compile(rf"\d\s*(?:{counters})"),
    )


def _named(units: Mapping[str, Mapping[str, Sequence[str]]], names: Sequence[str]) -> str:
    """A group for each of some units."""
    return "|".join(
        f"(?P<{name}>(?:{either(units[name]['exact'])}){_ALONE}|{either(units[name]['stems'])})" for name in names
    )


def _each(content: Mapping[str, Sequence[str]]) -> str:
    """A group for each time that a dose may be for."""
    not_behind = either(content["not_behind"])
    return "|".join(f"(?P<{name}>{phrases(content[name])})(?!{not_behind})" for name in sorted(TIMES))


def per_each(text: str, start: int, end: int) -> tuple[frozenset[str], frozenset[str]]:
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
    return next(name for name in TIMES if found[name])


def _often(text: str) -> int:
    """2 where a text says that something is done several times, 1 where it says once, else 0."""
    table = _table()
    return 2 if several().search(text) or table.counted.search(text) else 1 if table.once.search(text) else 0


def _times(text: str) -> int:
    """How many times a text begins with: "2 times", "1 回"; 0 where it begins with none."""
    number = re.match(r"\s*(\d{1,3})", text)
    return int(number[1]) if number else 2 if several().match(text.lstrip()) else 0
