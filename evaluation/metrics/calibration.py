"""The Brier score of closed questions, with the calibration error and what the abstention curve says in a few lines.

Only answers with a confidence have a value; a system that gives none has no calibration.
"""

from collections.abc import Iterator, Sequence

from evaluation.calibration import Sure, abstention_curve, brier, expected_calibration_error, sure
from evaluation.metric import Measured, Metric, Row, measured, value
from evaluation.scoring import Answered, closed

_COVERAGES = (0.25, 0.5, 0.75)


def measure(pairs: Sequence[Answered]) -> Measured:
    """The Brier score of each answer that has a confidence."""
    answers = sure(pairs)
    asked = sum(1 for _ in closed(pairs))
    return measured((value(one.item, brier(one)) for one in answers), *_besides(answers, asked))


def _besides(answers: Sequence[Sure], asked: int) -> Iterator[Row]:
    if answers:
        yield Row("expected calibration error, 10 bins", expected_calibration_error(answers), len(answers))
    points = abstention_curve(answers, asked)
    for wanted in _COVERAGES:
        point = next((one for one in points if one.coverage >= wanted), None)
        if point:
            yield Row(f"accuracy of the surest {wanted:.0%} or more", point.accuracy, round(point.coverage * asked))


METRICS = (Metric("brier", "Brier score", "lower", "squared distance", measure),)
