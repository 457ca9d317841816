"""The predictions of a run: each written once, and never a second one of the same key.

Only those that failed may be put aside, for another try; they stay in a file of their own.

Knows nothing of how they come about.
"""

from collections.abc import Iterator
from pathlib import Path

from evaluation.errors import AnsweredTwice
from evaluation.item import Prediction
from evaluation.lines import Lines

FILE = "predictions.jsonl"
_FAILED = "failed.jsonl"


class Predictions:
    """The predictions in a run's folder, in the order in which they were made."""

    def __init__(self, folder: Path) -> None:
        self._failed = Lines(folder / _FAILED, Prediction)
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

    def put_failed_aside(self) -> int:
        """Take out those that failed, so that they are answered again; how many they were."""
        kept = [prediction for prediction in self if prediction.status != "failed"]
        failed = [prediction for prediction in self if prediction.status == "failed"]
        if failed:
            self._failed.repair()
            self._failed.extend(failed)
            self._lines.replace(kept)
            self._made = {prediction.key: prediction for prediction in kept}
        return len(failed)

    def add(self, prediction: Prediction) -> None:
        """Keep one; it is on the disk when this returns. Raises AnsweredTwice."""
        if prediction.key in self._made:
            raise AnsweredTwice(f"{prediction.key} has been answered; a run keeps its first answer.")
        self._lines.append(prediction)
        self._made[prediction.key] = prediction
