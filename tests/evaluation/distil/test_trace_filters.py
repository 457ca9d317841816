"""Each rule keeps out what it is there for, and nothing else."""

from typing import Any

import pytest

from evaluation.trace import Trace
from evaluation.trace_filters import Filter, first, in_language, right, supported


def predicted(trace: Trace, **changes: Any) -> Trace:
    return trace._replace(prediction=trace.prediction.model_copy(update=changes))


def answered(trace: Trace, text: str) -> Trace:
    answer = trace.outcome.answer.model_copy(update={"text": text})
    return trace._replace(outcome=trace.outcome.model_copy(update={"answer": answer}))


@pytest.mark.parametrize(("chosen", "reason"), [((0,), ""), ((1,), "wrong answer"), ((0, 1), "wrong answer")])
def test_only_the_right_options_pass(trace: Trace, chosen: tuple[int, ...], reason: str) -> None:
    assert right(predicted(trace, chosen=chosen)) == reason


def test_an_open_question_has_no_wrong_answer(trace: Trace) -> None:
    opened = trace.item.model_copy(update={"task": "open", "options": (), "right": ()})

    assert right(trace._replace(item=opened)) == ""


@pytest.mark.parametrize(
    ("claims", "found", "least", "reason"),
    [
        (4, 4, 1.0, ""),
        (4, 3, 1.0, "unsupported sentences"),
        (4, 3, 0.75, ""),
        (4, 2, 0.75, "unsupported sentences"),
        (0, 0, 0.0, "no sentences"),
    ],
)
def test_enough_sentences_are_supported(trace: Trace, claims: int, found: int, least: float, reason: str) -> None:
    assert supported(least)(predicted(trace, claims=claims, supported=found)) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("La respiración rápida indica neumonía; dé amoxicilina oral durante cinco días.", ""),
        ("Fast breathing means pneumonia; give oral amoxicillin for five days.", "wrong language"),
        ("肺炎と考え、アモキシシリンを五日間投与する。", "wrong language"),
    ],
)
def test_the_answer_is_in_the_language_of_the_question(trace: Trace, text: str, reason: str) -> None:
    assert in_language(answered(trace, text)) == reason


def test_the_first_reason_counts(trace: Trace) -> None:
    wrong = predicted(trace, chosen=(1,), claims=0)
    rules: tuple[Filter, ...] = (right, supported(1.0))

    assert first(rules, wrong) == "wrong answer"
    assert first(rules[::-1], wrong) == "no sentences"
    assert first((), wrong) == ""
