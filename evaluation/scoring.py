"""Whether what a system answered is right, item by item, and that every answer is counted once.

An abstention and a failure are wrong in accuracy and are told apart beside it. A second prediction for an item is an
error: which of the two would count is not for the scorer to choose. Knows nothing of texts: open answers have metrics.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from evaluation.errors import AnsweredTwice, NotAsked
from evaluation.item import Item, Prediction


class Answered(NamedTuple):
    """An item and what one system made of it."""

    item: Item
    prediction: Prediction


class Coverage(NamedTuple):
    """How many items were asked, and what came of them; `missing` have no prediction yet."""

    asked: int
    answered: int
    abstained: int
    failed: int
    missing: int


def answered(items: Iterable[Item], predictions: Iterable[Prediction]) -> tuple[Answered, ...]:
    """Each prediction of one system with its item, in the order of the items.

    Raises AnsweredTwice where two predictions are for one item, NotAsked where one is for none of them.
    """
    known = {item.key: item for item in items}
    found: dict[str, Prediction] = {}
    for prediction in predictions:
        key = f"{prediction.benchmark}/{prediction.language}/{prediction.id}"
        if key in found:
            raise AnsweredTwice(
                f"{prediction.key} is answered twice; give the predictions of one system, run and seed."
            )
        if key not in known:
            raise NotAsked(f"{prediction.key} answers an item that was not asked; give the items that the run drew.")
        found[key] = prediction
    return tuple(Answered(item, found[key]) for key, item in known.items() if key in found)


def coverage(items: Sequence[Item], pairs: Iterable[Answered]) -> Coverage:
    """What came of the items that were asked."""
    told = [pair.prediction.status for pair in pairs]
    counts = (told.count("answered"), told.count("abstained"), told.count("failed"))
    return Coverage(len(items), *counts, missing=len(items) - len(told))


def closed(pairs: Iterable[Answered]) -> Iterator[Answered]:
    """Those that are right or wrong: all but the open ones."""
    return (pair for pair in pairs if pair.item.task != "open")


def is_right(pair: Answered) -> bool:
    """Whether the conclusion is the right one: the right options and no other, or the right label.

    Raises ValueError for an open item.
    """
    item, prediction = pair
    if item.task == "open":
        raise ValueError(f"{item.key} is an open question; it has metrics, but no right answer")
    if prediction.status != "answered":
        return False
    if item.task == "entailment":
        return prediction.label is not None and prediction.label == item.label
    return bool(prediction.chosen) and set(prediction.chosen) == set(item.right)


def hamming(pair: Answered) -> float:
    """The share that was both chosen and right of all options that were chosen or right, 0 to 1.

    As FrenchMedMCQA's authors score several right answers (Labrak et al. 2022, the code beside their paper).
    """
    chosen = set(pair.prediction.chosen) if pair.prediction.status == "answered" else set()
    right = set(pair.item.right)
    return len(chosen & right) / len(chosen | right) if chosen | right else 0.0
