"""Vital signs as numbers: what a folded text says of oxygen, pressure, breathing, temperature, sugar, age and time.

A number counts for the name before it, in the units that the name admits, and only where a living patient can have
it. Knows nothing of which values are dangerous.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from agents.folding import Folded

# Per cent, mmHg, mmHg, breaths a minute, degrees Celsius, mg/dL, points, per cent, days, minutes, and two that are
# named only so that their numbers are not taken for another's.
Vital = Literal[
    "spo2", "systolic", "diastolic", "breaths", "temperature", "glucose", "gcs", "percent", "age", "minutes", "pulse"
]
# What a language file has words for: names that stand before a number, and phrases around one (`# days old`).
Label = Literal[
    "spo2", "pressure", "systolic", "diastolic", "other_pressure", "breaths", "temperature", "glucose", "gcs", "pulse"
]
Span = Literal["age_days", "age_weeks", "age_months", "age_years", "minutes", "hours", "breaths_counted", "palpated"]

_LABEL_REACH = 24
_SLASH = re.compile(r" ?(?:mm ?hg ?)?/ ?")
_PALPATED = re.compile(r" ?/ ?p\b")
# A lone pressure is the systolic one only right behind its name: "pressure in the eye 40 mmHg" is another.
_AT_ONCE = re.compile(r"\W*(?:(?:[^\W\d_]{1,2}|was|est|ist|era|war)\W+){0,2}")
_DAYS = {"age_days": 1.0, "age_weeks": 7.0, "age_months": 30.44, "age_years": 365.25}
_MMOL = 18.016  # mg/dL of glucose in a mmol/L, from its molar mass of 180.16 g/mol
_POSSIBLE: dict[str, tuple[float, float]] = {
    "spo2": (30, 100),
    "breaths": (2, 120),
    "temperature": (25, 45),
    "glucose": (5, 3000),
    "gcs": (3, 15),
    "systolic": (30, 320),
    "diastolic": (10, 220),
    "percent": (0, 100),
    "minutes": (0, 100_000),
    "age": (0, 45_000),
}
_UNITS: dict[str, re.Pattern[str]] = {
    "percent": re.compile(r" ?(?:%|percent|por ciento|pour cent|prozent|per cento|เปอร์เซ็นต์|퍼센트|프로)"),
    "mmhg": re.compile(r" ?(?:/ ?\d+(?:[.,]\d+)? ?)?mm ?hg"),
    "celsius": re.compile(r" ?(?:°c|°(?! ?f)|c\b|degrees? c|grad\b|grados?\b|gradi\b|degres?\b|度|도|องศา)"),
    "fahrenheit": re.compile(r" ?(?:°f|f\b|degrees? f|華氏|华氏)"),
    "mmol": re.compile(r" ?mmol"),
    "gram": re.compile(r" ?gr? ?/ ?l"),
    "mg": re.compile(r" ?mg ?/ ?(?:dl|100 ?ml)|mg%"),
    "rate": re.compile(r" ?(?:/|per|x|回/|次/|回|次|회)? ?(?:min|mn\b|分|분)"),
}
_OTHERS = re.compile(
    r" ?(?:kg|cm\b|ml\b|mg\b|歳|岁|세\b|year|jahr|ans\b|anos\b|anni\b|day|dia|tage|giorn|jour|週|周|주\b)"
)
_ADMITTED: dict[str, frozenset[str]] = {
    "spo2": frozenset(("percent",)),
    "breaths": frozenset(("rate",)),
    "temperature": frozenset(("celsius", "fahrenheit")),
    "glucose": frozenset(("mmol", "mg", "gram")),
    "systolic": frozenset(("mmhg",)),
    "diastolic": frozenset(("mmhg",)),
    "gcs": frozenset(),
}


class Reading(NamedTuple):
    """A vital sign where it stands in the folded text. `bound`: -1 where the text says "less than", 1 for more."""

    vital: Vital
    value: float
    start: int
    end: int
    bound: int = 0

    def is_(self, comparison: str, limit: float) -> bool:
        """Whether the reading satisfies `<`, `<=`, `>` or `>=` a limit."""
        less = self.value < limit or (self.value == limit and (comparison == "<=" or self.bound < 0))
        more = self.value > limit or (self.value == limit and (comparison == ">=" or self.bound > 0))
        return less if comparison[0] == "<" else more


class Named(NamedTuple):
    """A name of a vital sign, or a phrase with a number in it."""

    name: str
    start: int
    end: int
    value: float | None


def readings(folded: Folded, named: Sequence[Named]) -> tuple[Reading, ...]:
    """The vital signs of a text, by where they begin."""
    labels = [n for n in named if n.value is None]
    found = [*_labelled(folded, labels), *_phrased(named), *_by_unit(folded)]
    taken = {r.end for r in found if r.vital != "percent"}
    kept = (r for r in found if r.vital != "percent" or r.end not in taken)
    return tuple(sorted({*kept}, key=lambda r: (r.start, r.end, r.vital)))


def _labelled(folded: Folded, labels: Sequence[Named]) -> Iterator[Reading]:
    starts = sorted({label.start for label in labels})
    called = {label.start for label in labels if label.name == "systolic"}
    others = [label for label in labels if label.name in ("diastolic", "other_pressure")]
    # In "BP 120 systolic over 80" the name belongs to the number before it.
    behind = {place for label in labels if label.name == "pressure" for place in _behind(folded, label) & called}
    for label in labels:
        at = folded.number_from(label.end)
        if at is None or at - label.end > _LABEL_REACH or _interrupted(folded.text, label, at, starts):
            continue
        if label.name in ("pressure", "systolic", "diastolic"):
            if label.start not in behind:
                yield from _pressure(folded, label, at)
            if label.name == "pressure" and not any(other.start <= label.start <= other.end + 1 for other in others):
                yield from _lone(folded, label, at, bool(_behind(folded, label) & behind))
        elif reading := _reading(folded, label, at):
            yield reading


def _behind(folded: Folded, label: Named) -> set[int]:
    """The two places behind the number that follows a name, where a second name of it may begin."""
    at = folded.number_from(label.end)
    end = folded.numbers[at].end if at is not None and at - label.end <= _LABEL_REACH else None
    return {end, end + 1} if end is not None else set()


def _interrupted(text: str, label: Named, at: int, starts: Sequence[int]) -> bool:
    """Whether a sentence ends or another name stands between a name and its number."""
    between = text[label.end : at]
    if re.search(r"[\n。;；!?]|\. ", between):
        return True
    return any(label.end <= start < at for start in _slice(starts, label.end, at))


def _slice(positions: Sequence[int], low: int, high: int) -> Sequence[int]:
    return positions[bisect_left(positions, low) : bisect_left(positions, high)]


def _unit(text: str, at: int) -> str:
    for name, pattern in _UNITS.items():
        if pattern.match(text, at):
            return name
    return "other" if _OTHERS.match(text, at) else ""


def _reading(folded: Folded, label: Named, at: int) -> Reading | None:
    number = folded.numbers[at]
    unit = _unit(folded.text, number.end)
    fraction = _SLASH.match(folded.text, number.end)
    if fraction and fraction.end() in folded.numbers and label.name not in ("systolic", "diastolic", "gcs"):
        return None
    if label.name not in _ADMITTED or (unit and unit not in _ADMITTED[label.name]):
        return None
    value = _standard(label.name, number.value, unit)
    low, high = _POSSIBLE[label.name]
    if not low <= value <= high:
        return None
    vital: Vital = label.name  # type: ignore[assignment]  # the names admitted above are vitals
    return Reading(vital, value, label.start, number.end, _bound(folded.text, at))


def _standard(name: str, value: float, unit: str) -> float:
    if name == "temperature" and (unit == "fahrenheit" or (not unit and value > 90)):
        return round((value - 32) / 1.8, 2)
    if name == "glucose" and unit == "gram":
        return value * 100
    # Without a unit nobody lives with 40 mmol/L as a usual value, nor with less than 40 mg/dL.
    if name == "glucose" and (unit == "mmol" or (not unit and value < 40)):
        return value * _MMOL
    return value


def _bound(text: str, at: int) -> int:
    before = text[max(0, at - 2) : at].strip()
    return {"<": -1, ">": 1}.get(before[-1:], 0)


def _pressure(folded: Folded, label: Named, at: int) -> Iterator[Reading]:
    upper = folded.numbers[at]
    slash = _SLASH.match(folded.text, upper.end)
    lower = folded.numbers.get(slash.end()) if slash else None
    if lower and label.name == "pressure":
        yield from _pair(upper.value, lower.value, label.start, lower.end)
    elif label.name != "pressure" and (reading := _reading(folded, label, at)):
        yield reading


def _lone(folded: Folded, label: Named, at: int, called: bool) -> Iterator[Reading]:
    """The systolic pressure that stands alone behind the name: "BP 70 mmHg", "BP 70/P", "BP 70 systolic"."""
    number, text = folded.numbers[at], folded.text
    slash = _SLASH.match(text, number.end)
    if (slash and slash.end() in folded.numbers) or not _AT_ONCE.fullmatch(text, label.end, at):
        return
    if called or _UNITS["mmhg"].match(text, number.end) or _PALPATED.match(text, number.end):
        yield from _systolic(number.value, label.start, number.end, _bound(text, at))


def _systolic(value: float, start: int, end: int, bound: int = 0) -> Iterator[Reading]:
    low, high = _POSSIBLE["systolic"]
    if low <= value <= high:
        yield Reading("systolic", value, start, end, bound)


def _pair(upper: float, lower: float, start: int, end: int) -> Iterator[Reading]:
    if upper <= lower:
        return
    # French, Italian and Spanish speakers also write cmHg: 18/12 for 180/120.
    scale = 10 if 6 <= upper <= 30 and 3 <= lower <= 20 else 1
    readings = (("systolic", upper * scale), ("diastolic", lower * scale))
    if all(_POSSIBLE[name][0] <= value <= _POSSIBLE[name][1] for name, value in readings):
        yield Reading("systolic", upper * scale, start, end)
        yield Reading("diastolic", lower * scale, start, end)


def _phrased(named: Sequence[Named]) -> Iterator[Reading]:
    for phrase in named:
        if phrase.value is None:
            continue
        if phrase.name in _DAYS:
            yield Reading("age", phrase.value * _DAYS[phrase.name], phrase.start, phrase.end)
        elif phrase.name in ("minutes", "hours"):
            minutes = phrase.value * (60 if phrase.name == "hours" else 1)
            yield Reading("minutes", minutes, phrase.start, phrase.end)
        elif phrase.name == "palpated":
            yield from _systolic(phrase.value, phrase.start, phrase.end)
        elif phrase.name == "breaths_counted" and _POSSIBLE["breaths"][0] <= phrase.value <= _POSSIBLE["breaths"][1]:
            yield Reading("breaths", phrase.value, phrase.start, phrase.end)


def _by_unit(folded: Folded) -> Iterator[Reading]:
    """Numbers whose unit alone says what they are."""
    for start, number in folded.numbers.items():
        unit = _unit(folded.text, number.end)
        if unit in ("celsius", "fahrenheit"):
            value = _standard("temperature", number.value, unit)
            if 30 <= value <= 45:
                yield Reading("temperature", value, start, number.end, _bound(folded.text, start))
        elif unit == "percent":
            yield Reading("percent", number.value, start, number.end)
        elif slash := _SLASH.match(folded.text, number.end):
            lower = folded.numbers.get(slash.end())
            if lower and _UNITS["mmhg"].match(folded.text, lower.end):
                yield from _pair(number.value, lower.value, start, lower.end)
