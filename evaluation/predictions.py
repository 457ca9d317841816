"""The predictions of a run: each written once, for ever, and never a second one of the same key.

Knows nothing of how they come about.
"""

from collections.abc import Iterator
from pathlib import Path

from evaluation.errors import AnsweredTwice
from evaluation.item import Prediction
from evaluation.lines import Lines

FILE = "predictions.jsonl"


class Predictions:
    """The predictions in a run's folder, in the order in which they were made."""

    def __init__(self, folder: Path) -> None:
        self._lines = Lines(folder / FILE, Prediction)
        self._made = {prediction.key: prediction for prediction in self._lines.read()}

    def __iter__(self) -> Iterator[Prediction]:
        return iter(self._made.values())

    def __len__(self) -> int:
        return len(self._made)

    def __contains__(self, key: object) -> bool:
        return key in self._made

    def repair(self) -> None:
        """Make ready for writing: what was being written when the program was killed is taken away."""
        self._lines.repair()

    def add(self, prediction: Prediction) -> None:
        """Keep one; it is on the disk when this returns. Raises AnsweredTwice."""
        if prediction.key in self._made:
            raise AnsweredTwice(f"{prediction.key} has been answered; a run keeps its first answer.")
        self._lines.append(prediction)
        self._made[prediction.key] = prediction
