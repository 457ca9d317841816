"""Accuracy when nobody may abstain: an answer without a conclusion counts as what its voices concluded before it.

Beside accuracy it tells what a team knew from what it dared to say. Failed answers are wrong.
"""

from collections.abc import Sequence

from evaluation.metric import Measured, Metric, measured, value
from evaluation.scoring import Answered, closed, is_right


def measure(pairs: Sequence[Answered]) -> Measured:
    """1 for each right conclusion, forced or not, 0 for any other."""
    return measured(value(pair.item, float(is_right(forced(pair)))) for pair in closed(pairs))


def forced(pair: Answered) -> Answered:
    """The answer, or in place of an abstention what it leaned to."""
    told = pair.prediction
    if told.status != "abstained" or not (told.leaning or told.leaning_label):
        return pair
    spoken = {"status": "answered", "chosen": told.leaning, "label": told.leaning_label}
    return pair._replace(prediction=told.model_copy(update=spoken))


METRICS = (Metric("forced-accuracy", "Accuracy, abstentions forced", "higher", "share", measure),)
