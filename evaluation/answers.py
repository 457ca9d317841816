"""The answers of one or several runs, sorted: each system's answers to a benchmark's items, under a name of its own.

Knows nothing of how they are shown.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from evaluation.errors import LibraryMissing
from evaluation.judge import Judgement
from evaluation.metric import Measured, Metric, Row
from evaluation.run_folder import Run
from evaluation.scoring import Answered, Coverage, answered, coverage

BASELINE = "direct"


class Answers(NamedTuple):
    """What one system of a run answered to one benchmark. `name` is unlike all others; `asked` is what was drawn.

    `run` numbers the runs; `judgements` are what judges said of these answers.
    """

    name: str
    system: str
    model: str
    benchmark: str
    asked: int
    pairs: tuple[Answered, ...]
    run: int = 0
    judgements: tuple[Judgement, ...] = ()

    @property
    def coverage(self) -> Coverage:
        """What came of the items."""
        return coverage([pair.item for pair in self.pairs], self.pairs)._replace(
            asked=self.asked, missing=self.asked - len(self.pairs)
        )

    @property
    def languages(self) -> tuple[str, ...]:
        """In which languages there are answers."""
        return tuple(dict.fromkeys(pair.item.language for pair in self.pairs))


def measure(metric: Metric, answers: Answers) -> Measured:
    """What a metric makes of the answers; nothing where its library is not here."""
    try:
        return metric.measure(answers.pairs)
    except LibraryMissing:
        return Measured((), ())


def overall(metric: Metric, answers: Answers) -> Row | None:
    """What a metric says of all answers together."""
    measured = measure(metric, answers)
    return measured.rows[0] if measured.values else None


def baseline(one: Answers, among: Sequence[Answers]) -> Answers | None:
    """What answers are held against: the baseline of their own run, else one of the same model, if there is any."""
    found = [b for b in among if (b.system, b.benchmark, b.model) == (BASELINE, one.benchmark, one.model)]
    return min(found, key=lambda b: b.run != one.run, default=None)


def sorted_answers(runs: Sequence[Run]) -> tuple[Answers, ...]:
    """All answers, benchmark by benchmark, each system as often as it has a run or a model of its own."""
    found = [one._replace(run=number) for number, run in enumerate(runs) for one in _of(run)]
    models, times = {one.model for one in found}, Counter((one.benchmark, one.system, one.model) for one in found)
    named: Counter[tuple[str, str, str]] = Counter()
    listed = []
    for one in found:
        key = (one.benchmark, one.system, one.model)
        named[key] += 1
        name = f"{one.system}, {one.model}" if len(models) > 1 else one.system
        listed.append(one._replace(name=f"{name} ({named[key]})" if times[key] > 1 else name))
    return tuple(sorted(listed, key=lambda one: one.benchmark))


def _of(run: Run) -> Iterator[Answers]:
    said = run.judgements
    for benchmark in dict.fromkeys(item.benchmark for item in run.items):
        items = [item for item in run.items if item.benchmark == benchmark]
        made = [prediction for prediction in run.predictions if prediction.benchmark == benchmark]
        for system in run.plan.choice.systems:
            pairs = answered(items, (prediction for prediction in made if prediction.system == system))
            keys = {pair.item.key for pair in pairs}
            judgements = tuple(one for one in said if one.system == system and one.item in keys)
            found = Answers(system, system, run.plan.model, benchmark, len(items), pairs)
            yield found._replace(judgements=judgements)
