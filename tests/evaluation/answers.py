"""Items and predictions for the tests of the evaluation, made up."""

from typing import Any

from evaluation.item import Item, Prediction
from evaluation.scoring import Answered


def item(name: str = "1", **given: Any) -> Item:
    """A question with four options, of which the second is right."""
    made: dict[str, Any] = {
        "benchmark": "made-up",
        "id": name,
        "language": "en",
        "task": "choice",
        "text": f"Question {name}?",
        "options": ("a", "b", "c", "d"),
        "right": (1,),
    }
    return Item.model_validate(made | given)


def open_item(name: str = "1", *references: str, **given: Any) -> Item:
    """A question that is answered in free text."""
    return item(name, task="open", options=(), right=(), references=references, **given)


def prediction(to: Item, **given: Any) -> Prediction:
    """What the system `direct` answered to it."""
    made: dict[str, Any] = {
        "benchmark": to.benchmark,
        "id": to.id,
        "language": to.language,
        "system": "direct",
        "model": "made-up",
        "seed": 0,
        "status": "answered",
        "seconds": 1.0,
    }
    return Prediction.model_validate(made | given)


def pair(to: Item, **given: Any) -> Answered:
    """The item with such a prediction."""
    return Answered(to, prediction(to, **given))


def gold(to: Item) -> Prediction:
    """The right answer to an item."""
    return prediction(to, chosen=to.right, label=to.label)
