"""Two systems on the items that both answered: by how much one is better, how sure that is, and what changed.

Knows nothing of how it is shown.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from evaluation.answers import Answers
from evaluation.comparison import Pair, difference, discordance, enough, holm, mcnemar, paired
from evaluation.errors import NotPaired
from evaluation.metric import Metric
from evaluation.metrics import metric
from evaluation.statistics import Interval


class Versus(NamedTuple):
    """The second against the first in one language, or in all of them. `pairs` are their values, item by item.

    McNemar's `p`, and `adjusted` for all tests of the same table, are there for right and wrong in one language.
    """

    first: str
    second: str
    language: str
    pairs: tuple[Pair, ...]
    interval: Interval | None
    p: float | None = None
    adjusted: float | None = None
    told: str = ""

    @property
    def difference(self) -> float:
        """The second's mean less the first's."""
        return sum(pair.second - pair.first for pair in self.pairs) / len(self.pairs)

    @property
    def changed(self) -> tuple[Pair, ...]:
        """The items on which the two differ."""
        return tuple(pair for pair in self.pairs if pair.first != pair.second)


def main_metric(answers: Answers) -> Metric:
    """What decides: accuracy, and chrF where all questions are open."""
    closed = any(pair.item.task != "open" for pair in answers.pairs)
    return metric("accuracy" if closed else "chrf")


def coupled(couples: Sequence[tuple[Answers, Answers]]) -> tuple[Versus, ...]:
    """The second of each couple against its first, by language, all tests adjusted together. Raises LibraryMissing."""
    found = [one for first, second in couples for one in _compared(first, second)]
    tested = [one for one in found if one.p is not None]
    adjusted = dict(zip(map(id, tested), holm([one.p for one in tested if one.p is not None]), strict=True))
    return tuple(one._replace(adjusted=adjusted.get(id(one))) for one in found)


def _compared(first: Answers, second: Answers) -> Iterator[Versus]:
    decides = main_metric(first)
    try:
        pairs = paired(decides.measure(first.pairs).values, decides.measure(second.pairs).values)
    except NotPaired:
        return
    spoken = {pair.item.key: pair.item.language for pair in first.pairs}
    languages = tuple(dict.fromkeys(spoken[pair.item] for pair in pairs))
    if len(languages) > 1:
        yield Versus(first.name, second.name, "all", pairs, _interval(pairs))
    for language in languages:
        own = tuple(pair for pair in pairs if spoken[pair.item] == language)
        one = Versus(first.name, second.name, language, own, _interval(own))
        yield _tested(one) if decides.name == "accuracy" else one


def _tested(one: Versus) -> Versus:
    found = discordance(one.pairs)
    return one._replace(p=mcnemar(found), told=enough(found))


def _interval(pairs: Sequence[Pair]) -> Interval | None:
    return difference(pairs) if len({pair.cluster for pair in pairs}) > 1 else None
