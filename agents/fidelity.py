"""What an English rendering has lost or added: numbers, units, denials and medicines of the text that it renders.

Decided without a model, by rules that a good translation passes; see docs/languages.md for how often it does not.
Knows nothing of how renderings are made.
"""

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from agents.drugs import drugs
from agents.messages import RenderingFault
from agents.negation import denials
from agents.number_words import worded
from agents.quantities import DOSES, Quantity, quantities

_SENTENCE = re.compile(r"(?<=[.;!?؛؟])\s+|(?<=[。；！？।])|\n+")
_UNWORDED = frozenset(map(str, range(13)))  # may be words in a language without a table of them
_ENUMERATED = re.compile(r"^\s*\(?(?:\d+\.)*\d{1,2}[.)、．]\s*(?=\D)|^\s*\d(?:\.\d+){2,}\s", re.MULTILINE)
_NUMERO = re.compile("[Nn]\\.?[º°]")
_NUMBERED = re.compile(r"\bNO\b|\b[Nn]o\.?\s?(?=\d)")  # nitric oxide, and "no. 8"
_BORDER = "[\\w\u0300-\u036f\u064b-\u065f\u0900-\u0963]"


class _Table(NamedTuple):
    unjudged: frozenset[str]
    scales: dict[str, int]
    scaled: re.Pattern[str]
    months: dict[str, str]
    perhaps: dict[str, re.Pattern[str]]


@cache
def _table() -> _Table:
    content = tomllib.loads(files("agents").joinpath("fidelity.toml").read_text("utf-8"))
    scales: dict[str, int] = content["scales"]
    longest = sorted(scales, key=len, reverse=True)
    ways = "|".join(re.escape(way) + ("\\b" if way.isascii() else "") for way in longest)
    return _Table(
        unjudged=frozenset(content["unjudged"]),
        scales=scales,
        scaled=re.compile(rf"(\d[\d,]*(?:[.,]\d+)?)\s*({ways})", re.IGNORECASE),
        months=content["months"],
        perhaps={code: _pattern(entry) for code, entry in content["perhaps"].items()},
    )


def _pattern(entry: dict[str, list[str]]) -> re.Pattern[str]:
    ways = [f"(?<!{_BORDER}){re.escape(word)}(?!{_BORDER})" for word in entry.get("words", ())]
    ways += [f"(?<!{_BORDER}){re.escape(beginning)}" for beginning in entry.get("beginnings", ())]
    return re.compile("|".join((*ways, *map(re.escape, entry.get("parts", ())))))


def faults(source: str, language: str, english: str) -> tuple[RenderingFault, ...]:
    """Everything that speaks against a rendering, by kind; nothing where it keeps all."""
    here, there = _quantities(source), _quantities(english)
    return (
        *_numbers(here, worded(source, language), there, english),
        *_units(here, there),
        *_denials(source, language.split("-")[0], english),
        *_medicines(source, english),
    )


def _quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities of a text, whatever they are for each of."""
    return tuple(Quantity(quantity.number, quantity.unit) for quantity in quantities(_counted(text)))


def _counted(text: str) -> str:
    """A text without the numbers of its list items, and with "2.24 million" as one number."""
    return _table().scaled.sub(_product, _ENUMERATED.sub("", text))


def _product(found: re.Match[str]) -> str:
    number = quantities(found[1])[0].number
    if number.count(".") > 1:
        return found[0]  # a list: "1,2,3만" is "only 1, 2, 3"
    product = float(number) * _table().scales[found[2].casefold()]
    return f"{product:.0f} " if product.is_integer() else f"{product:g} "


def _numbers(
    here: Sequence[Quantity], said: frozenset[str], there: Sequence[Quantity], english: str
) -> Iterator[RenderingFault]:
    mine, theirs = _values(here) | said, _values(there) | _spelled(english)
    for quantity in dict.fromkeys(here):
        if _tells(quantity) and not _forms(quantity) & theirs:
            yield RenderingFault(kind="number", change="lost", words=_written(quantity))
    yield from _missing_doses(here, there)
    for quantity in dict.fromkeys(there):
        if _tells(quantity) and not _forms(quantity) & mine and not _small(quantity):
            yield RenderingFault(kind="number", change="added", words=_written(quantity))


def _missing_doses(here: Sequence[Quantity], there: Sequence[Quantity]) -> Iterator[RenderingFault]:
    """Doses that stand in the rendering less often than in the text, but stand there."""
    said = Counter(quantity.number for quantity in there)
    for quantity, times in Counter(quantity for quantity in here if quantity.unit in DOSES).items():
        if 0 < said[quantity.number] < times:
            yield RenderingFault(kind="number", change="lost", words=_written(quantity))


def _spelled(english: str) -> set[str]:
    """Numbers that stand in an English text as words, and the numbers of the months that it names."""
    plain = english.casefold()
    found = set(worded(english, "en"))
    tens = [number for number in found if len(number) == 2 and number.endswith("0")]
    found |= {str(int(ten) + int(one)) for ten in tens for one in found if one.isdigit() and 0 < int(one) < 10}
    return found | {number for name, number in _table().months.items() if name in plain}


def _values(found: Sequence[Quantity]) -> set[str]:
    return set().union(*map(_forms, found))


def _forms(quantity: Quantity) -> set[str]:
    """The number, and what it is where its point groups thousands."""
    whole, _, fraction = quantity.number.partition(".")
    return {quantity.number, whole + fraction} if len(fraction) == 3 else {quantity.number}


def _tells(quantity: Quantity) -> bool:
    """ "1" is a word in many languages, and an article in others: only that of a dose is a number everywhere."""
    return quantity.number != "1" or quantity.unit in DOSES


def _small(quantity: Quantity) -> bool:
    """Whether the text may well have had the number as a word."""
    return not quantity.known and quantity.number in _UNWORDED


def _written(quantity: Quantity) -> str:
    return f"{quantity.number} {quantity.unit}" if quantity.known else quantity.number


def _units(here: Sequence[Quantity], there: Sequence[Quantity]) -> Iterator[RenderingFault]:
    units: dict[str, set[str]] = {}
    for quantity in there:
        units.setdefault(quantity.number, set()).add(quantity.unit if quantity.known else "")
    for quantity in dict.fromkeys(here):
        if quantity.known and not units.get(quantity.number, {""}) & {"", quantity.unit}:
            yield RenderingFault(kind="unit", change="lost", words=_written(quantity))


def _denials(source: str, language: str, english: str) -> Iterator[RenderingFault]:
    if language in _table().unjudged:
        return
    here, there = _sentences(_NUMERO.sub(" ", source)), _sentences(_NUMBERED.sub(" ", _NUMERO.sub(" ", english)))
    pairs = list(zip(here, there, strict=True)) if len(here) == len(there) else [(source, " ".join(there))]
    for mine, theirs in pairs:
        if denials(mine, language) and not denials(theirs, "en") and not _perhaps(theirs, "en"):
            yield RenderingFault(kind="negation", change="lost", words=mine.strip())
        if denials(theirs, "en") and denials(mine, language) == 0 and not _perhaps(mine, language):
            yield RenderingFault(kind="negation", change="added", words=theirs.strip())


def _perhaps(text: str, language: str) -> bool:
    pattern = _table().perhaps.get(language)
    return bool(pattern and pattern.search(unicodedata.normalize("NFKC", text).casefold()))


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE.split(text) if any(c.isalpha() for c in sentence)]


def _medicines(source: str, english: str) -> Iterator[RenderingFault]:
    here, there = drugs(source), drugs(english)
    yield from (RenderingFault(kind="drug", change="lost", words=name) for name in sorted(here - there))
    yield from (RenderingFault(kind="drug", change="added", words=name) for name in sorted(there - here))
