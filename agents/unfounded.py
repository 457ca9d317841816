"""The numbers, doses and thresholds of a sentence that neither the case nor a cited passage has.

A dose is the passage's only in its unit, for each of the same, and for the same medicine. Knows nothing of nearness or
of denials.
"""

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple

from agents.drug_classes import classes_spoken_of, drug_classes
from agents.drugs import drugs, unlisted_drugs
from agents.messages import CitedPassage
from agents.number_words import worded
from agents.owners import Dosed, dosed
from agents.quantities import DOSES, Quantity, quantities
from agents.wording import alike, statements, stems
from knowledge.table import primary_subtag


class Judged(NamedTuple):
    """A sentence with what it is held against."""

    text: str
    spoken: str
    case: str
    cited: Sequence[CitedPassage]
    asked: Sequence[str] = ()

    @property
    def own(self) -> list[CitedPassage]:
        """The cited passages in the language of the sentence."""
        return [p for p in self.cited if primary_subtag(p.passage.language) == self.spoken]


def unfounded(judged: Judged) -> list[str]:
    """The numbers, doses and thresholds of a sentence that neither the case nor a cited passage has."""
    told = quantities(judged.case)
    stated = [quantity for quantity in quantities(judged.text) if not _among(quantity, told)]
    if len(judged.own) < len(judged.cited):
        # "1日1回" is "once daily" in English: only the one of a dose is a number there too.
        stated = [quantity for quantity in stated if quantity.number != "1" or quantity.unit in DOSES]
    found = [q for p in judged.cited for q in quantities(p.passage.in_context)]
    if any(quantity.per_kg for quantity in found):
        stated = [quantity for quantity in stated if quantity[:2] != ("1", "kg")]  # "40 mg for 1 kg" is 40 mg/kg
    return (
        _absent(stated, found, judged)
        or _other_units(stated, found, judged)
        or _strange_doses(judged, stated, found)
        or _strangers_doses(judged, stated)
        or _others_doses(judged)
        or _others_numbers(judged)
    )


def _absent(stated: Sequence[Quantity], found: Sequence[Quantity], judged: Judged) -> list[str]:
    """Numbers that stand in no cited passage, neither as digits nor as words; words are no doses."""
    digits = {q.number for q in found}
    words = digits.union(*(worded(p.passage.in_context, p.passage.language) for p in judged.cited))
    return sorted({q.number for q in stated if q.number not in (digits if q.unit in DOSES else words)})


def _other_units(stated: Sequence[Quantity], found: Sequence[Quantity], judged: Judged) -> list[str]:
    """Quantities whose number the passages give in other units only.

    What follows a number and is not in the table may be its unit in another language; in the same language it would
    follow it in the sentence too.
    """
    units: dict[str, set[str]] = {}
    for quantity in found:
        units.setdefault(quantity.number, set()).add(quantity.unit if quantity.known or quantity.counted else "")
    if len(judged.own) == len(judged.cited):
        units = {number: (named - {""}) or named for number, named in units.items()}
    return sorted(f"{q.number} {q.unit}" for q in stated if q.known and not units.get(q.number, {""}) & {"", q.unit})


def _strange_doses(judged: Judged, stated: Sequence[Quantity], found: Sequence[Quantity]) -> list[str]:
    """Doses that the passages do not give in this unit, or for each of something else: a kilogram, a day, a ml."""
    weighed = _weighed(judged.text) or any(_weighed(p.passage.in_context) for p in judged.cited)
    return sorted(f"{q.number} {q.unit}" for q in stated if q.unit in DOSES and not _among(q, found, weighed))


def _among(quantity: Quantity, others: Sequence[Quantity], weighed: bool = False) -> bool:
    return any(quantity.agrees(other, weighed) for other in others)


def _weighed(text: str) -> bool:
    """Whether a dose may be per kilogram without saying so: "40 mg for 1 kg of body weight"."""
    return any(q[:2] == ("1", "kg") for q in quantities(text))


def strange_drugs(judged: Judged) -> list[str]:
    """Medicines that neither the case nor a cited passage names."""
    source = " ".join((judged.case, *(p.passage.in_context for p in judged.cited)))
    strange = drugs(judged.text) - drugs(source)
    if judged.own and len(judged.own) == len(judged.cited):
        strange |= unlisted_drugs(judged.text) - unlisted_drugs(source)
    return sorted(strange)


def strange_classes(judged: Judged) -> list[str]:
    """Classes of medicines on which no cited passage says anything, whether or not the case names them."""
    spoken_of = (classes_spoken_of(p.passage.in_context) for p in judged.cited)
    return sorted(name.replace("_", " ") for name in drug_classes(judged.text).difference(*spoken_of))


def _strangers_doses(judged: Judged, stated: Sequence[Quantity]) -> list[str]:
    """Doses of medicines that neither the case nor a cited passage names."""
    doses = [f"{q.number} {q.unit}" for q in stated if q.unit in DOSES]
    return [f"{', '.join(doses)} of {', '.join(strange)}"] if doses and (strange := strange_drugs(judged)) else []


def _others_doses(judged: Judged) -> list[str]:
    """Doses that the passages, or the case, give for other medicines than the sentence does."""
    given = [one for one in dosed(judged.text) if one.dose.unit in DOSES]
    named = drugs(judged.text)
    if not named or not given:
        return []
    lines = [line for p in judged.cited for line in p.passage.text.split("\n")]
    theirs = [line for line in lines if not (own := drugs(line)) or own & named]
    told = [said for said in statements(judged.case) if drugs(said) & named]
    weighed = any(map(_weighed, (judged.text, *theirs, *told)))
    found = [one for text in (*theirs, *told) for one in dosed(text)]
    return sorted(
        f"{one.dose.number} {one.dose.unit} of {', '.join(sorted(one.medicines or named))}"
        for one in given
        if not any(_same(one, other, weighed) for other in found)
    )


def _same(one: Dosed, other: Dosed, weighed: bool) -> bool:
    """Whether two doses agree and may be of one medicine; where none is named, any is meant."""
    shared = not one.medicines or not other.medicines or one.medicines & other.medicines
    return bool(shared) and one.dose.agrees(other.dose, weighed)


def _others_numbers(judged: Judged) -> list[str]:
    """Numbers that are not those of the passage's line or statement that says the same in the same words, or not in
    its units, or more often than there; where there is such a line."""
    words = stems(judged.text)
    said = (text for p in judged.own for text in (*p.passage.text.split("\n"), *statements(p.passage.text)))
    alike_there = [text for text in said if alike(words, stems(text))]
    if not alike_there or not words:
        return []
    in_words = frozenset[str]().union(*(worded(text, judged.spoken) for text in alike_there))
    often = reduce(or_, map(_counted, alike_there)) + _counted(judged.case)
    strange = {number for number in _counted(judged.text) - often if number not in in_words}
    found = [q for text in (judged.case, *alike_there) for q in quantities(text)]
    return sorted(strange.union(one.split()[0] for one in _other_units(quantities(judged.text), found, judged)))


def _counted(text: str) -> Counter[str]:
    """How often a text has each number."""
    return Counter(q.number for q in quantities(text))
