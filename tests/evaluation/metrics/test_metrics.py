"""Each metric on made-up answers, and that they are found by listing."""

from typing import Any

import pytest

from evaluation.errors import UnknownMetric
from evaluation.metric import Measured, Row
from evaluation.metrics import metric, metrics
from evaluation.scoring import Answered
from tests.evaluation.answers import item, open_item, pair

NAMES = (
    *("accuracy", "brier", "chrf", "citation-precision", "claim-support", "hamming"),
    *("language-consistency", "seconds", "tokens-read", "tokens-written"),
)


def of(name: str, *pairs: Answered) -> Measured:
    return metric(name).measure(pairs)


def row(found: Measured, name: str) -> Row:
    return next(one for one in found.rows if one.name == name)


def test_the_metrics_are_found_by_listing_the_package() -> None:
    assert set(NAMES) <= set(metrics())


def test_an_unknown_metric_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownMetric, match="choose one of accuracy"):
        metric("bleu")


@pytest.mark.parametrize("name", NAMES)
def test_of_no_answers_there_is_nothing_to_say(name: str) -> None:
    assert of(name) == ((), ())


def test_accuracy_counts_what_was_not_answered_as_wrong_and_tells_it() -> None:
    given: tuple[dict[str, Any], ...] = (
        {"chosen": (1,)},
        {"chosen": (0,)},
        {"status": "abstained"},
        {"status": "failed"},
    )

    found = of("accuracy", *(pair(item(str(n)), **told) for n, told in enumerate(given)))

    assert [one.value for one in found.values] == [1, 0, 0, 0]
    assert (row(found, "en").value, row(found, "abstained").value, row(found, "failed").value) == (0.25, 0.25, 0.25)


def test_the_gap_to_english_is_taken_of_the_same_items() -> None:
    english = [pair(item(str(n)), chosen=(1,)) for n in range(4)]
    japanese = [pair(item(str(n), language="ja"), chosen=(n % 2,)) for n in range(6)]

    found = of("accuracy", *english, *japanese)

    gap = row(found, "ja, gap to English")
    assert (gap.value, gap.n) == (-0.5, 4)
    assert row(found, "all").n == 10


def test_an_open_question_has_no_accuracy() -> None:
    assert of("accuracy", pair(open_item("1", "yes"), text="yes")).values == ()


def test_hamming_is_for_several_right_answers() -> None:
    found = of("hamming", pair(item("1", task="choices", right=(0, 1)), chosen=(1, 2)), pair(item("2"), chosen=(1,)))

    assert [one.value for one in found.values] == [pytest.approx(1 / 3)]


def test_chrf_of_a_reference_is_100_and_of_silence_0() -> None:
    asked = [open_item(name, "Drink water.", "ビタミンを摂る。") for name in "123"]
    told = ({"text": "ビタミンを摂る。"}, {"text": "Drink wine."}, {"status": "failed"})

    found = [one.value for one in of("chrf", *(pair(a, **t) for a, t in zip(asked, told, strict=True))).values]

    assert found[0] == pytest.approx(100)
    assert 20 < found[1] < 80
    assert found[2] == 0


def test_chrf_is_that_of_the_nearest_reference() -> None:
    near, far = "Drink water and rest.", "See a doctor about zinc tablets."
    alone = of("chrf", pair(open_item("1", near), text="Drink water.")).values[0].value

    both = of("chrf", pair(open_item("1", far, near), text="Drink water.")).values[0].value

    assert both == pytest.approx(alone)


def test_support_is_of_all_claims_and_precision_of_those_that_cite() -> None:
    told = pair(open_item(), claims=8, cited=4, supported=3)

    assert of("claim-support", told).values[0].value == 3 / 8
    assert of("citation-precision", told).values[0].value == 3 / 4


def test_an_answer_without_citations_has_no_precision() -> None:
    assert of("citation-precision", pair(open_item(), claims=3)).values == ()


@pytest.mark.parametrize(
    ("language", "text", "same"),
    [
        ("ja", "ビタミンCの不足が原因です。", 1),
        ("ja", "It is caused by a lack of vitamin C.", 0),
        ("es", "Se debe a la falta de vitamina C en la dieta.", 1),
        ("en", "Se debe a la falta de vitamina C en la dieta.", 0),
        ("sw", "Mpe mtoto maji ya chumvi na sukari kila baada ya kuhara.", 1),
        ("th", "ให้ดื่มน้ำเกลือแร่", 1),
    ],
)
def test_an_answer_is_in_the_asked_language_or_not(language: str, text: str, same: int) -> None:
    assert [one.value for one in of("language-consistency", pair(open_item(language=language), text=text)).values] == [
        same
    ]


@pytest.mark.parametrize("text", ["", "B", "42 %", "(C)"])
def test_an_answer_without_words_is_in_no_language(text: str) -> None:
    assert of("language-consistency", pair(open_item(language="ja"), text=text)).values == ()


def test_calibration_tells_its_error_and_the_accuracy_of_the_surest() -> None:
    pairs = [pair(item(str(n)), chosen=(1,) if n < 4 else (0,), confidence=0.95 - n / 10) for n in range(8)]

    found = of("brier", *pairs, pair(item("silent"), status="abstained"))

    assert row(found, "en").n == 8
    assert row(found, "accuracy of the surest 50% or more") == Row("accuracy of the surest 50% or more", 0.8, 5)
    assert row(found, "expected calibration error, 10 bins").n == 8


def test_cost_counts_failed_answers_too() -> None:
    usage = {"prompt_tokens": 100, "cached_tokens": 60, "completion_tokens": 20}
    told = pair(item(), status="failed", usage=usage, seconds=2.5)

    assert [of(name, told).values[0].value for name in ("tokens-read", "tokens-written", "seconds")] == [100, 20, 2.5]


def test_two_values_have_an_interval_and_one_has_none() -> None:
    assert row(of("seconds", pair(item("1"), seconds=1), pair(item("2"), seconds=3)), "en").interval
    assert row(of("seconds", pair(item("1"), seconds=1)), "en").interval is None
