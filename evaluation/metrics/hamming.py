"""The Hamming score of questions with several right answers, beside which accuracy is their exact match."""

from collections.abc import Sequence

from evaluation.metric import Measured, Metric, measured, value
from evaluation.scoring import Answered, hamming


def measure(pairs: Sequence[Answered]) -> Measured:
    """The share of right options among those chosen or right; 0 for what was not answered."""
    return measured(value(pair.item, hamming(pair)) for pair in pairs if pair.item.task == "choices")


METRICS = (Metric("hamming", "Hamming score", "higher", "share", measure),)
