"""Accuracy with abstentions forced: what a team leaned to counts where it concluded nothing."""

import pytest

from evaluation.item import Prediction
from evaluation.metrics.forced import measure
from evaluation.scoring import Answered
from tests.evaluation.runs.values import item, prediction


@pytest.mark.parametrize(
    ("told", "worth"),
    [
        (prediction(chosen=(0,), leaning=(1,)), 1.0),
        (prediction(status="abstained", chosen=(), leaning=(0,)), 1.0),
        (prediction(status="abstained", chosen=(), leaning=(1,)), 0.0),
        (prediction(status="abstained", chosen=()), 0.0),
        (prediction(status="failed", chosen=(), leaning=(0,)), 0.0),
    ],
)
def test_only_an_abstention_counts_as_what_it_leaned_to(told: Prediction, worth: float) -> None:
    assert [one.value for one in measure([Answered(item(), told)]).values] == [worth]


def test_a_label_is_forced_too() -> None:
    asked = item(task="entailment", options=(), right=(), hypothesis="Respira deprisa.", label="entailment")
    told = prediction(status="abstained", chosen=(), leaning_label="entailment")

    assert measure([Answered(asked, told)]).rows[0].value == 1.0
