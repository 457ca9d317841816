import numpy as np
import pytest

from evaluation.statistics import Interval, mean_interval


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution_for_many_values() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.1, 2000)

    found = mean_interval(list(values))

    error = 1.96 * values.std() / np.sqrt(len(values))
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - error, values.mean() + error), abs=3e-4)


def test_the_same_values_give_the_same_interval() -> None:
    values = [0.0, 1.0, 1.0, 0.5]

    assert mean_interval(values) == mean_interval(values)


def test_values_that_agree_leave_no_doubt() -> None:
    assert mean_interval([0.25, 0.25, 0.25]) == Interval(0.25, 0.25, 0.25)


def test_more_confidence_needs_a_wider_interval() -> None:
    values = [0.0, 1.0, 1.0, 0.5, 0.2, 0.9]

    assert mean_interval(values, 0.99).low < mean_interval(values, 0.8).low


def test_an_interval_is_written_with_three_digits() -> None:
    assert str(Interval(0.5, 0.25, 0.75)) == "0.500 [0.250, 0.750]"


@pytest.mark.parametrize("values", [[], [1.0]])
def test_one_value_has_no_interval(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least two"):
        mean_interval(values)
