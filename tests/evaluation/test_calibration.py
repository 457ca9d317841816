import random

import pytest

from evaluation.calibration import Sure, abstention_curve, brier, expected_calibration_error, sure
from tests.evaluation.answers import item, open_item, pair


def answers(*told: tuple[float, bool]) -> list[Sure]:
    return [Sure(item(str(n)), confidence, right) for n, (confidence, right) in enumerate(told)]


def test_only_answered_closed_items_with_a_confidence_count() -> None:
    pairs = [
        pair(item("1"), chosen=(1,), confidence=0.7),
        pair(item("2"), chosen=(1,)),
        pair(item("3"), status="abstained", confidence=0.2),
        pair(open_item("4", "yes"), text="yes", confidence=0.9),
    ]

    assert [(one.item.id, one.confidence, one.right) for one in sure(pairs)] == [("1", 0.7, True)]


@pytest.mark.parametrize(("confidence", "right", "score"), [(1.0, True, 0.0), (1.0, False, 1.0), (0.6, True, 0.16)])
def test_the_brier_score_is_the_squared_distance(confidence: float, right: bool, score: float) -> None:
    assert brier(answers((confidence, right))[0]) == pytest.approx(score)


def test_who_is_as_sure_as_right_has_no_calibration_error() -> None:
    told = [(0.75, True)] * 3 + [(0.75, False)] + [(0.25, True)] + [(0.25, False)] * 3

    assert expected_calibration_error(answers(*told)) == pytest.approx(0)


def test_the_calibration_error_is_weighted_by_bin() -> None:
    # Three of four fall in the bin from 0.9: 0.95 said, 1/3 right. One in the bin from 0.5: 0.55 said, right.
    told = answers((0.95, True), (0.95, False), (0.95, False), (0.55, True))

    assert expected_calibration_error(told) == pytest.approx(0.75 * (0.95 - 1 / 3) + 0.25 * 0.45)


def test_full_confidence_falls_in_the_last_bin() -> None:
    assert expected_calibration_error(answers((1.0, False), (0.95, True))) == pytest.approx(abs(1.95 - 1) / 2)


def test_without_answers_there_is_no_calibration_error() -> None:
    with pytest.raises(ValueError, match="no answers"):
        expected_calibration_error([])


def test_the_curve_goes_from_the_surest_to_all() -> None:
    points = abstention_curve(answers((0.2, False), (0.9, True), (0.5, False), (0.7, True)), asked=8)

    assert points == ((1 / 8, 1.0), (2 / 8, 1.0), (3 / 8, 2 / 3), (4 / 8, 0.5))


def test_answers_that_are_as_sure_come_together_in_any_order() -> None:
    told = answers(*[(0.5, n % 3 == 0) for n in range(9)])
    random.Random(1).shuffle(told)

    assert abstention_curve(told, asked=9) == ((1.0, 1 / 3),)
