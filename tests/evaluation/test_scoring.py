import random
from statistics import mean

import pytest

from evaluation.draw import shuffled
from evaluation.errors import AnsweredTwice, NotAsked
from evaluation.item import Item
from evaluation.scoring import Answered, answered, coverage, hamming, is_right
from evaluation.statistics import mean_interval
from tests.evaluation.answers import gold, item, open_item, pair, prediction

LABELS = ("entailment", "neutral", "contradiction")
ITEMS = [
    *(item(f"choice {n}", right=(n % 4,)) for n in range(80)),
    *(item(f"choices {n}", task="choices", right=(n % 4, (n + 1) % 4)) for n in range(40)),
    *(item(f"label {n}", task="entailment", options=(), right=(), label=LABELS[n % 3]) for n in range(60)),
]


def accuracy(pairs: tuple[Answered, ...]) -> float:
    return mean(is_right(one) for one in pairs)


def test_gold_answers_score_100_percent() -> None:
    pairs = answered(ITEMS, [gold(one) for one in ITEMS])

    assert len(pairs) == len(ITEMS)
    assert accuracy(pairs) == 1.0


def test_gold_answers_through_the_shuffle_and_back_score_100_percent() -> None:
    choices = [one for one in ITEMS if one.options]

    chosen = [prediction(shown.item, chosen=shown.own(shown.right)) for shown in shuffled(choices, 3)]

    assert accuracy(answered(choices, chosen)) == 1.0


def scrambled(items: list[Item], seed: int) -> float:
    """The accuracy of the gold answers of the items, dealt out among them at random."""
    chance = random.Random(seed)
    dealt = [gold(one) for one in items]
    chance.shuffle(dealt)
    given = [gold(one).model_copy(update=answer(other)) for one, other in zip(items, dealt, strict=True)]
    return accuracy(answered(items, given))


def answer(of: object) -> dict[str, object]:
    return {"chosen": getattr(of, "chosen"), "label": getattr(of, "label")}  # noqa: B009


@pytest.mark.parametrize(
    ("task", "chance"),
    [("choice", 1 / 4), ("choices", 1 / 4), ("entailment", 1 / 3)],  # `choices` here has four kinds of right answers
)
def test_shuffled_gold_answers_score_chance(task: str, chance: float) -> None:
    items = [one for one in ITEMS if one.task == task]

    found = mean_interval([scrambled(items, seed) for seed in range(300)], 0.999)

    assert found.low <= chance <= found.high
    assert found.high - found.low < 0.05


def test_who_always_says_the_first_shown_option_scores_chance() -> None:
    choices = [one for one in ITEMS if one.task == "choice"]

    given = [prediction(shown.item, chosen=shown.own([0])) for shown in shuffled(choices, 9)]

    assert accuracy(answered(choices, given)) == 1 / 4


def test_an_answer_is_counted_once() -> None:
    one = item()

    with pytest.raises(AnsweredTwice, match="direct/made-up/made-up/en/1 is answered twice"):
        answered([one], [prediction(one, chosen=(0,)), prediction(one, chosen=(1,))])


def test_an_answer_to_what_was_not_asked_is_refused() -> None:
    with pytest.raises(NotAsked, match="was not asked"):
        answered([item("1")], [prediction(item("2"))])


def test_answers_stand_in_the_order_of_the_items() -> None:
    items = [item("1"), item("2"), item("3")]

    assert [one.item.id for one in answered(items, [gold(one) for one in reversed(items)])] == ["1", "2", "3"]


@pytest.mark.parametrize("status", ["abstained", "failed"])
def test_what_was_not_answered_is_wrong(status: str) -> None:
    assert not is_right(pair(item(), status=status, chosen=(1,)))


def test_what_was_not_answered_is_told_apart() -> None:
    items = [item(str(n)) for n in range(5)]
    told = ("answered", "answered", "abstained", "failed")

    pairs = answered(items, [prediction(one, status=status) for one, status in zip(items, told, strict=False)])

    assert coverage(items, pairs) == (5, 2, 1, 1, 1)


@pytest.mark.parametrize(
    ("chosen", "exact", "score"),
    [((0, 2), True, 1.0), ((2, 0), True, 1.0), ((0,), False, 1 / 2), ((0, 1), False, 1 / 3), ((1,), False, 0.0)],
)
def test_several_right_answers_are_scored_exactly_and_by_hamming(
    chosen: tuple[int, ...], exact: bool, score: float
) -> None:
    found = pair(item(task="choices", right=(0, 2)), chosen=chosen)

    assert (is_right(found), hamming(found)) == (exact, score)


def test_two_options_are_no_right_answer_where_one_is() -> None:
    assert not is_right(pair(item(), chosen=(1, 2)))


def test_no_option_is_no_right_answer() -> None:
    assert not is_right(pair(item(), chosen=()))


def test_an_item_without_a_label_has_no_right_one() -> None:
    assert not is_right(pair(item(task="entailment", options=(), right=()), label=None))


def test_an_open_answer_is_neither_right_nor_wrong() -> None:
    with pytest.raises(ValueError, match="open question"):
        is_right(pair(open_item("1", "yes"), text="yes"))
