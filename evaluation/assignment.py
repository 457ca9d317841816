"""Who rates which pairs of answers, in which order, and which answer stands on which side: drawn by a seed.

What a rater is given names no system; what joins the two stays in the review's folder. Knows nothing of ratings.
"""

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256

from pydantic import BaseModel, ConfigDict

from evaluation.errors import NothingToReview
from evaluation.item import Prediction
from evaluation.run_folder import Run


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rater(_Value):
    """`code` is what only this rater was given."""

    name: str
    code: str


class Voice(_Value):
    """A system's answer to an item, on its record."""

    system: str
    transcript: str


class Task(_Value):
    """An item for one rater with the two answers as they are shown."""

    rater: str
    item: str
    left: Voice
    right: Voice


class Assignments(_Value):
    """A review as it was drawn: tasks in the order in which each rater is given them. `items` is the run's hash over
    its items, `left_out` counts items without two answers, by reason."""

    systems: tuple[str, str]
    seed: int
    items: str
    raters: tuple[Rater, ...]
    tasks: tuple[Task, ...]
    left_out: dict[str, int]

    def of(self, rater: str) -> tuple[Task, ...]:
        """The tasks of one rater, in order."""
        return tuple(task for task in self.tasks if task.rater == rater)


def assigned(
    run: Run, systems: tuple[str, str], raters: int, seed: int, per_pair: int | None = None, limit: int | None = None
) -> Assignments:
    """At most `limit` pairs of the run, each for `per_pair` of so many raters; all of them where nothing is said.

    Raises NothingToReview.
    """
    left_out: Counter[str] = Counter()
    pairs = sorted(_pairs(run, systems, left_out), key=lambda pair: _rank(seed, "pair", pair[0]))[:limit]
    if not pairs:
        raise NothingToReview(f"No item was answered by both {systems[0]} and {systems[1]}; go on with the run first.")
    people = tuple(Rater(name=f"rater-{n}", code=secrets.token_urlsafe(9)) for n in range(1, raters + 1))
    share = min(per_pair or raters, raters)
    tasks = [
        task for n, person in enumerate(people) for task in _tasks(person.name, _dealt(pairs, n, raters, share), seed)
    ]
    return Assignments(
        systems=systems, seed=seed, items=run.plan.items, raters=people, tasks=tuple(tasks), left_out=dict(left_out)
    )


_Pair = tuple[str, Voice, Voice]


def _pairs(run: Run, systems: tuple[str, str], left_out: Counter[str]) -> Iterator[_Pair]:
    made = {(one.system, f"{one.benchmark}/{one.language}/{one.id}"): one for one in run.predictions}
    for item in run.items:
        both = [made.get((system, item.key)) for system in systems]
        reason = next(filter(None, map(_unusable, both)), "")
        if reason:
            left_out[reason] += 1
            continue
        first, second = (Voice(system=one.system, transcript=one.transcript_id) for one in both if one)
        yield item.key, first, second


def _unusable(prediction: Prediction | None) -> str:
    """Why an answer can't be shown; an abstention can: it is what a clinician would have seen."""
    if prediction is None:
        return "not answered yet"
    if prediction.status == "failed":
        return "failed"
    return "" if prediction.transcript_id else "no record"


def _dealt(pairs: Sequence[_Pair], rater: int, raters: int, share: int) -> list[_Pair]:
    """Every pair goes to `share` raters, one after the other around the table."""
    return [pair for n, pair in enumerate(pairs) if (rater - n) % raters < share]


def _tasks(rater: str, pairs: Sequence[_Pair], seed: int) -> list[Task]:
    """In an order of the rater's own, each system as often on the left as on the right, up to one."""
    turned = {
        pair[0]: bool(n % 2)
        for n, pair in enumerate(sorted(pairs, key=lambda pair: _rank(seed, "side", rater, pair[0])))
    }
    ordered = sorted(pairs, key=lambda pair: _rank(seed, "order", rater, pair[0]))
    return [
        Task(rater=rater, item=item, left=second if turned[item] else first, right=first if turned[item] else second)
        for item, first, second in ordered
    ]


def _rank(seed: int, *names: str) -> bytes:
    return sha256("\x1f".join((str(seed), *names)).encode()).digest()
