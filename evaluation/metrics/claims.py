"""What an answer's sentences rest on: the share that a passage supports, and the share of citations that do support.

An answer without sentences, or without citations, has no value; how many have one stands beside the mean.
"""

from collections.abc import Sequence

from evaluation.metric import Measured, Metric, measured, value
from evaluation.scoring import Answered


def claim_support(pairs: Sequence[Answered]) -> Measured:
    """Supported of all sentences."""
    return measured(value(item, told.supported / told.claims) for item, told in pairs if told.claims)


def citation_precision(pairs: Sequence[Answered]) -> Measured:
    """Supported of the sentences that cite."""
    return measured(value(item, told.supported / told.cited) for item, told in pairs if told.cited)


METRICS = (
    Metric("claim-support", "Claims supported", "higher", "share", claim_support),
    Metric("citation-precision", "Citations that support", "higher", "share", citation_precision),
)
