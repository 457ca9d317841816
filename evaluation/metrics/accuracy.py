"""Accuracy: the share of questions with a right conclusion, by language, and how far each language is behind English.

Abstained and failed answers are wrong; how many they are stands beside it. Open questions have no accuracy.
"""

from collections.abc import Iterator, Sequence

from evaluation.metric import Measured, Metric, Row, Value, mean, measured, value
from evaluation.scoring import Answered, closed, is_right

_ENGLISH = "en"


def measure(pairs: Sequence[Answered]) -> Measured:
    """1 for each right conclusion, 0 for any other."""
    scored = list(closed(pairs))
    values = [value(pair.item, float(is_right(pair))) for pair in scored]
    return measured(values, *gaps(values), *_silent(scored))


def gaps(values: Sequence[Value]) -> Iterator[Row]:
    """For each language its accuracy less that of the same items in English, as far as they were asked in both."""
    english = {one.cluster: one.value for one in values if one.language == _ENGLISH}
    for language in dict.fromkeys(one.language for one in values if one.language != _ENGLISH):
        own = [one for one in values if one.language == language and one.cluster in english]
        if own:
            behind = [one._replace(value=one.value - english[one.cluster]) for one in own]
            yield mean(f"{language}, gap to English", behind)


def _silent(pairs: Sequence[Answered]) -> Iterator[Row]:
    for status in ("abstained", "failed") if pairs else ():
        told = sum(pair.prediction.status == status for pair in pairs)
        yield Row(status, told / len(pairs), len(pairs))


METRICS = (Metric("accuracy", "Accuracy", "higher", "share", measure),)
