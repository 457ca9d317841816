"""Whether two concepts give the same dose, however it is written: "40 mg/kg", "40mg per kg"; "1 g", "1000 mg".

Where in doubt they differ ("40 mg/kg" and "40 mg/kg/day"): two doses taken for one would hide what decides a treatment.
Knows nothing of how often a dose is given, nor of which is right.
"""

from decimal import Decimal
from typing import NamedTuple

from agents.messages import Concept
from agents.quantities import DOSES, Quantity, quantities

_SMALLER = {
    "g": ("mg", Decimal("1000")),
    "μg": ("mg", Decimal("0.001")),
    "ng": ("mg", Decimal("0.000001")),
    "l": ("ml", Decimal("1000")),
    "dl": ("ml", Decimal("100")),
}


class _Dose(NamedTuple):
    amount: Decimal | str
    unit: str
    per: frozenset[str]


def doses_differ(one: Concept, other: Concept) -> bool:
    """Whether both give a dose, and not the same; of a range or several, all are compared."""
    ours, theirs = _doses(one.compared), _doses(other.compared)
    return bool(ours) and bool(theirs) and ours != theirs


def _doses(name: str) -> frozenset[_Dose]:
    return frozenset(_dose(quantity) for quantity in quantities(name) if quantity.unit in DOSES)


def _dose(quantity: Quantity) -> _Dose:
    whole, _, fraction = quantity.number.partition(".")
    if whole != "0" and len(fraction) == 3:  # 1.000 is one in English and a thousand in Spanish
        return _Dose(quantity.number, quantity.unit, quantity.per)
    unit, times = _SMALLER.get(quantity.unit, (quantity.unit, Decimal(1)))
    return _Dose(Decimal(quantity.number) * times, unit, quantity.per)
