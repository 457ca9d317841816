from collections import Counter
from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest

from evaluation.comparison import (
    Discordance,
    difference,
    discordance,
    enough,
    holm,
    mcnemar,
    needed,
    paired,
    power,
    smallest,
)
from evaluation.errors import NotPaired
from evaluation.metric import Value


def values(worths: list[float], language: str = "en") -> list[Value]:
    return [Value(f"made-up/{language}/{n}", f"made-up/{n}", language, worth) for n, worth in enumerate(worths)]


def test_values_are_paired_by_item_not_by_place() -> None:
    first, second = values([0.0, 1.0, 1.0]), values([1.0, 0.0, 1.0])

    pairs = paired(first, reversed(second))

    assert [(one.first, one.second) for one in pairs] == [(0.0, 1.0), (1.0, 0.0), (1.0, 1.0)]


def test_what_only_one_was_asked_is_left_out() -> None:
    assert len(paired(values([0.0] * 5), values([1.0] * 3))) == 3


def test_two_without_a_common_item_are_not_compared() -> None:
    with pytest.raises(NotPaired, match="no item in common"):
        paired(values([1.0]), values([1.0], "ja"))


def test_one_with_an_item_twice_is_not_compared() -> None:
    with pytest.raises(NotPaired, match="has two values"):
        paired(values([1.0]), values([1.0]) * 2)


def test_a_difference_that_all_pairs_have_leaves_no_doubt() -> None:
    found = difference(paired(values([0.2, 0.5, 0.9]), values([0.3, 0.6, 1.0])))

    assert (found.mean, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_pairing_makes_a_difference_surer_than_its_spread() -> None:
    rng = np.random.default_rng(3)
    base = rng.uniform(0, 1, 100)
    better = base + 0.05 + rng.normal(0, 0.01, 100)

    found = difference(paired(values(list(base)), values(list(better))))

    assert 0.04 < found.low < found.mean < found.high < 0.06


def test_the_same_question_in_five_languages_makes_nothing_surer() -> None:
    rng = np.random.default_rng(4)
    worths = [float(worth) for worth in rng.integers(0, 2, 40)]
    languages = ("en", "ja", "es", "fr", "it")
    once = difference(paired(values([0.0] * 40), values(worths)))

    first = [one for language in languages for one in values([0.0] * 40, language)]
    second = [one for language in languages for one in values(worths, language)]

    assert difference(paired(first, second)) == pytest.approx(once)


def test_discordance_counts_what_only_one_has_right() -> None:
    found = discordance(paired(values([1.0, 1.0, 0.0, 0.0]), values([1.0, 0.0, 1.0, 1.0])))

    assert found == Discordance(4, 2, 1)
    assert (found.difference, found.rate) == (0.25, 0.75)


def test_shares_are_not_put_to_mcnemars_test() -> None:
    with pytest.raises(NotPaired, match="right and wrong"):
        discordance(paired(values([0.5, 1.0]), values([1.0, 1.0])))


def test_several_languages_are_not_put_to_mcnemars_test() -> None:
    both = [*values([1.0, 0.0]), *values([0.0, 1.0], "ja")]

    with pytest.raises(NotPaired, match="one language at a time"):
        discordance(paired(both, both))


@pytest.mark.parametrize(("gained", "lost"), list(product((0, 1, 5, 9), (0, 3, 5, 12))))
def test_mcnemars_test_is_the_exact_one(gained: int, lost: int) -> None:
    expected = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0

    assert mcnemar(Discordance(40, gained, lost)) == pytest.approx(expected)


def test_holm_raises_the_smallest_most() -> None:
    # Holm 1979: 0.01 * 4, then the larger of that and 0.02 * 3, ...
    assert holm([0.01, 0.04, 0.02, 0.5]) == pytest.approx((0.04, 0.08, 0.06, 0.5))


def test_holm_of_no_test_is_nothing() -> None:
    assert holm([]) == ()


def test_power_is_the_share_of_drawn_samples_in_which_the_test_rejects() -> None:
    n, rate, shown = 80, 0.4, 0.2
    rng = np.random.default_rng(5)
    drawn = rng.multinomial(n, [(rate + shown) / 2, (rate - shown) / 2, 1 - rate], 4000)

    times = Counter((int(gained), int(lost)) for gained, lost, _ in drawn)
    rejected = sum(n for (g, b), n in times.items() if g > b and binomtest(g, g + b).pvalue <= 0.05)

    assert power(n, rate, shown) == pytest.approx(rejected / 4000, abs=0.03)


def test_five_differing_items_never_show_anything() -> None:
    assert power(5, 1.0, 1.0) == 0


def test_six_differing_items_can() -> None:
    assert power(6, 1.0, 1.0) == 1


@pytest.mark.parametrize("shown", [0.0, 0.5])
def test_a_difference_beyond_what_differs_has_no_power(shown: float) -> None:
    with pytest.raises(ValueError, match="at most the share"):
        power(50, 0.3, shown)


def test_as_many_as_are_needed_are_enough_and_half_are_not() -> None:
    count = needed(0.3, 0.15)

    assert count is not None
    assert power(count, 0.3, 0.15) >= 0.8
    assert power(count // 2, 0.3, 0.15) < 0.8


def test_a_tiny_difference_needs_more_than_anyone_asks() -> None:
    assert needed(0.5, 0.001) is None


def test_the_smallest_difference_is_just_shown() -> None:
    least = smallest(100, 0.3)

    assert least is not None
    assert power(100, 0.3, least) >= 0.8
    assert power(100, 0.3, least - 0.01) < 0.8


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Discordance(30, 5, 3), "30 items, 8 answered differently: not enough for the difference of +6.7%"),
        (Discordance(300, 60, 10), "300 items, 70 answered differently: enough for the difference of +16.7%"),
        (Discordance(30, 0, 0), "nothing can be said"),
        (Discordance(30, 4, 4), "as often for the better as for the worse"),
        (Discordance(20, 2, 1), "no difference at all"),
        (Discordance(3000, 701, 700), "needs more than 20000 items"),
    ],
)
def test_a_sentence_says_whether_the_items_are_enough(found: Discordance, said: str) -> None:
    assert said in enough(found)
