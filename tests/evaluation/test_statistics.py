import numpy as np
import pytest

from evaluation.statistics import Hits, Interval, cluster_interval, f1, f1_interval, mean_interval


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


def test_f1_is_taken_over_all_questions_together() -> None:
    # 3 right of 4 found and of 6 that were to be found: precision 3/4, recall 1/2.
    assert f1([Hits(2, 0, 2), Hits(1, 1, 1)]) == pytest.approx(0.6)


def test_f1_of_nothing_right_is_zero() -> None:
    assert f1([Hits(0, 0, 0), Hits(0, 2, 1)]) == 0


def test_the_interval_of_f1_holds_it() -> None:
    found = f1_interval([Hits(2, 0, 2), Hits(1, 1, 1), Hits(4, 0, 0), Hits(0, 1, 1)])

    assert found.low < found.mean < found.high


def test_questions_that_agree_leave_no_doubt_of_f1() -> None:
    assert f1_interval([Hits(1, 1, 0)] * 3) == pytest.approx((2 / 3, 2 / 3, 2 / 3))


def test_clusters_of_one_value_have_the_interval_of_the_values() -> None:
    values = [0.0, 1.0, 1.0, 0.5, 0.2]

    assert cluster_interval(values, range(5)) == pytest.approx(mean_interval(values))


def test_values_that_repeat_in_their_cluster_make_the_mean_no_surer() -> None:
    values = [0.0, 1.0, 1.0, 0.5, 0.2]

    assert cluster_interval(values * 4, [*range(5)] * 4) == pytest.approx(mean_interval(values))


def test_a_larger_cluster_counts_for_all_its_values() -> None:
    assert cluster_interval([1.0, 0.0, 0.0, 0.0], ["a", "b", "b", "b"]).mean == 0.25


def test_one_cluster_has_no_interval() -> None:
    with pytest.raises(ValueError, match="at least two"):
        cluster_interval([0.0, 1.0], ["a", "a"])
