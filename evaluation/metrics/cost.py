"""What an answer costs: tokens read and written, and seconds.

Failed answers cost too. Prompt tokens that were cached count as read: that is what the model has seen.
"""

from collections.abc import Sequence

from evaluation.metric import Measured, Metric, measured, value
from evaluation.scoring import Answered


def tokens_written(pairs: Sequence[Answered]) -> Measured:
    """Completion tokens of each item."""
    return measured(value(item, told.usage.completion_tokens) for item, told in pairs)


def tokens_read(pairs: Sequence[Answered]) -> Measured:
    """Prompt tokens of each item."""
    return measured(value(item, told.usage.prompt_tokens) for item, told in pairs)


def seconds(pairs: Sequence[Answered]) -> Measured:
    """Seconds of each item, from question to answer."""
    return measured(value(item, told.seconds) for item, told in pairs)


METRICS = (
    Metric("tokens-written", "Tokens written", "lower", "tokens", tokens_written),
    Metric("tokens-read", "Tokens read", "lower", "tokens", tokens_read),
    Metric("seconds", "Seconds", "lower", "seconds", seconds),
)
