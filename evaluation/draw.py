"""Which items are asked, and in which order their options are shown: by a seed, the same for every system.

What is drawn hangs on the ids alone: not on where an item stands in its file, what else stands there, or the language.
Knows nothing of who is asked.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from typing import NamedTuple

from evaluation.item import Item


def draw(items: Iterable[Item], limit: int | None = None, seed: int = 0) -> tuple[Item, ...]:
    """At most `limit` items of each language, none twice and one of a family, in an order that the seed gives.

    Items that can't be asked in one of the given languages are not drawn in any; give all languages at once. A larger
    limit adds items and changes none.
    """
    listed = list(items)
    barred = {(item.benchmark, item.id) for item in listed if item.excluded}
    askable = [item for item in listed if (item.benchmark, item.id) not in barred]
    ordered = sorted(askable, key=lambda item: (item.language, _rank(seed, item.benchmark, item.id)))
    groups = groupby(ordered, key=lambda item: item.language)
    return tuple(item for _, group in groups for item in list(_one_a_family(group))[:limit])


def _one_a_family(ordered: Iterable[Item]) -> Iterator[Item]:
    known: set[tuple[str, str]] = set()
    for item in ordered:
        family = (item.benchmark, item.family or item.id)
        if family not in known:
            known.add(family)
            yield item


class Shown(NamedTuple):
    """An item as it is put to a system: `order` has, place for place, the item's own position of what is shown."""

    item: Item
    order: tuple[int, ...]

    @property
    def options(self) -> tuple[str, ...]:
        """The options as they are shown."""
        return tuple(self.item.options[own] for own in self.order)

    @property
    def english_options(self) -> tuple[str, ...]:
        """The benchmark's own English options in the same order, empty where it has none."""
        return tuple(self.item.english_options[own] for own in self.order) if self.item.english_options else ()

    @property
    def right(self) -> tuple[int, ...]:
        """Where the right options are shown, in that order."""
        return tuple(place for place, own in enumerate(self.order) if own in self.item.right)

    def own(self, chosen: Iterable[int]) -> tuple[int, ...]:
        """The item's own positions, in order, of what was chosen among those shown."""
        return tuple(sorted(self.order[place] for place in chosen))


def shuffled(items: Sequence[Item], seed: int = 0) -> tuple[Shown, ...]:
    """The items with their options in an order that the seed gives.

    Over items of a language with as many options each and one right one, this one stands in every place equally often,
    up to one. Give them as they were drawn: then a larger draw changes no order.
    """
    counted: dict[tuple[str, str, int], int] = {}
    return tuple(Shown(item, _order(item, seed, counted)) for item in items)


def _order(item: Item, seed: int, counted: dict[tuple[str, str, int], int]) -> tuple[int, ...]:
    order = _permutation(len(item.options), seed, "options", item.benchmark, item.id)
    if len(item.right) != 1:
        return order
    group = (item.benchmark, item.language, len(order))
    number = counted.get(group, 0)
    counted[group] = number + 1
    others = [own for own in order if own not in item.right]
    place = _place(number, len(order), seed)
    return (*others[:place], item.right[0], *others[place:])


def _place(number: int, options: int, seed: int) -> int:
    """Where the right option of the `number`th item goes: each round of `options` items takes every place once."""
    round_, step = divmod(number, options)
    return _permutation(options, seed, "places", str(round_))[step]


def _permutation(length: int, seed: int, *names: str) -> tuple[int, ...]:
    return tuple(sorted(range(length), key=lambda own: _rank(seed, *names, str(own))))


def _rank(seed: int, *names: str) -> bytes:
    """What orders by chance, the same on every machine and in every version of Python."""
    return sha256("\x1f".join((str(seed), *names)).encode()).digest()
