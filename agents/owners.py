"""For which medicine a line gives each of its doses: "Amoxicillin 40 mg/kg; if allergic, azithromycin 10 mg/kg".

A dose is of the medicines named since the last one, or of the one that follows at once ("40 mg prednisolone"); a
statement that has named none yet goes on with those before it and the first of the line. Where that leaves several, all
count. Knows nothing of which dose is right.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from agents.drugs import parted
from agents.quantities import DOSES, Quantity, quantities
from agents.wording import statements

# Between a dose and the medicine that it belongs to: a unit and perhaps an "of".
_AT_ONCE = re.compile(r"[^,;:.()、，；：。\d]{0,12}")
_LAST = re.compile(r".*\d", re.DOTALL)


class Dosed(NamedTuple):
    """A quantity of a line with the medicines that it may belong to; none where the line names none."""

    medicines: frozenset[str]
    dose: Quantity


class _Piece(NamedTuple):
    """A medicine, or none at the beginning, with what stands behind it and the quantities therein."""

    medicine: str
    text: str
    found: Sequence[Quantity]


def dosed(line: str) -> tuple[Dosed, ...]:
    """Every quantity of a line, in order, with its medicines."""
    found: list[Dosed] = []
    carried: frozenset[str] = frozenset()
    first = ""
    for statement in statements(line):
        pieces = _pieces(statement)
        given = list(_owned(pieces, carried))
        found += given
        named = [piece.medicine for piece in pieces if piece.medicine]
        first = first or next(iter(named), "")
        last = next((one.medicines for one in reversed(given) if one.medicines), frozenset(named[-1:]))
        carried = (last or carried) | ({first} - {""})
    return tuple(found)


def _pieces(statement: str) -> list[_Piece]:
    """The statement cut before each medicine; in one piece behind all of them where its numbers come out otherwise."""
    start, behind = parted(statement)
    parts = [("", start), *behind]
    counts = [len(quantities(text)) for _, text in parts]
    whole = quantities(statement)
    if sum(counts) != len(whole):
        return [*(_Piece(name, "", ()) for name, _ in behind), _Piece("", statement, whole)]
    every = iter(whole)
    return [_Piece(name, text, list(islice(every, n))) for (name, text), n in zip(parts, counts, strict=True)]


def _owned(pieces: Sequence[_Piece], carried: frozenset[str]) -> Iterator[Dosed]:
    group: frozenset[str] = frozenset()
    closed = taken = False  # a dose was given of the group; of the medicine that follows at once
    first = frozenset([piece.medicine for piece in pieces if piece.medicine][:1])
    for place, piece in enumerate(pieces):
        if piece.medicine:
            group = frozenset((piece.medicine,)) if closed else group | {piece.medicine}
            closed = taken
        following = pieces[place + 1].medicine if place + 1 < len(pieces) else ""
        at_once = bool(piece.found and following and _AT_ONCE.fullmatch(_LAST.sub("", piece.text)))
        for number, quantity in enumerate(piece.found, 1):
            near = frozenset((following,)) if at_once and number == len(piece.found) else frozenset()
            yield Dosed((group or carried) | near or first, quantity)
        taken = at_once and piece.found[-1].unit in DOSES
        closed = closed or any(quantity.unit in DOSES for quantity in piece.found)
