from collections import Counter
from itertools import pairwise

import pytest

from evaluation.draw import draw, shuffled
from evaluation.item import Item
from tests.evaluation.answers import item

MANY = [item(str(number), right=(number % 4,)) for number in range(200)]


def ids(drawn: tuple[Item, ...]) -> list[str]:
    return [one.id for one in drawn]


def test_the_same_seed_draws_the_same_items_wherever_they_stand() -> None:
    assert ids(draw(MANY, 30, 7)) == ids(draw(reversed(MANY), 30, 7))


def test_another_seed_draws_other_items() -> None:
    assert ids(draw(MANY, 30, 7)) != ids(draw(MANY, 30, 8))


def test_a_larger_limit_adds_items_and_changes_none() -> None:
    assert ids(draw(MANY, 50, 7))[:30] == ids(draw(MANY, 30, 7))


def test_what_else_is_in_the_file_changes_no_order() -> None:
    drawn = ids(draw(MANY, None, 7))

    half = ids(draw(MANY[::2], None, 7))

    assert [name for name in drawn if name in half] == half


def test_every_language_is_asked_the_same_items_in_the_same_order() -> None:
    both = [one.model_copy(update={"language": language}) for language in ("ja", "en") for one in MANY]

    drawn = draw(both, 30, 7)

    assert [one.id for one in drawn if one.language == "en"] == [one.id for one in drawn if one.language == "ja"]


def test_what_can_not_be_asked_in_one_language_is_not_drawn_in_any() -> None:
    barred = [one.model_copy(update={"language": "ja", "excluded": "no answer"}) for one in MANY[:150]]

    assert set(ids(draw([*MANY, *barred], None, 7))) == {one.id for one in MANY[150:]}


def test_one_of_a_family_is_drawn() -> None:
    families = [one.model_copy(update={"family": str(int(one.id) // 10)}) for one in MANY]

    assert len({one.family for one in draw(families)}) == len(draw(families)) == 20


def test_a_row_that_stands_again_is_in_the_family_of_the_first() -> None:
    assert len(draw([item("x"), item("x-2", family="x")])) == 1


@pytest.mark.parametrize("count", [1, 7, 30, 41])
@pytest.mark.parametrize("seed", range(5))
def test_each_place_has_the_right_option_equally_often_up_to_one(count: int, seed: int) -> None:
    shown = shuffled(draw(MANY, count, seed), seed)

    counted = Counter(one.right[0] for one in shown)
    times = [counted[place] for place in range(4)]
    assert sum(times) == count
    assert max(times) - min(times) <= 1


def test_places_are_balanced_among_questions_with_as_many_options() -> None:
    five = [item(f"five {number}", options=tuple("abcde"), right=(0,)) for number in range(40)]

    shown = shuffled(draw([*MANY[:40], *five]), 3)

    assert set(Counter((len(one.options), one.right[0]) for one in shown).values()) == {10, 8}


def test_the_place_of_the_right_option_can_not_be_told_from_the_one_before() -> None:
    places = [one.right[0] for one in shuffled(draw(MANY, 200, 1), 1)]

    followers = Counter(pairwise(places))
    assert len(followers) > 12


def test_what_was_chosen_is_told_in_the_items_own_places() -> None:
    (shown,) = shuffled([item(options=("a", "b", "c", "d"))], 5)

    own = shown.own([0, 2])

    assert {shown.item.options[place] for place in own} == {shown.options[0], shown.options[2]}


def test_the_right_option_is_the_same_text_wherever_it_is_shown() -> None:
    for shown in shuffled(MANY, 11):
        assert shown.own(shown.right) == shown.item.right


def test_every_option_is_shown_once() -> None:
    assert all(sorted(shown.order) == [0, 1, 2, 3] for shown in shuffled(MANY, 2))


def test_english_options_are_shown_in_the_same_order() -> None:
    (shown,) = shuffled([item(language="es", english_options=("A", "B", "C", "D"))], 4)

    assert [text.lower() for text in shown.english_options] == list(shown.options)


def test_options_of_several_right_answers_are_shuffled_too() -> None:
    several = [item(str(n), task="choices", right=(0, 1)) for n in range(50)]

    shown = shuffled(several, 1)

    assert len({one.order for one in shown}) > 10
    assert all(one.own(one.right) == (0, 1) for one in shown)


def test_a_larger_draw_shows_the_first_items_as_before() -> None:
    orders = [one.order for one in shuffled(draw(MANY, 30, 1), 1)]

    assert [one.order for one in shuffled(draw(MANY, 60, 1), 1)][:30] == orders
