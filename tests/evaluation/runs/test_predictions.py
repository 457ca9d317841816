"""Predictions are kept once; those that failed may be tried again."""

from pathlib import Path

import pytest

from evaluation.errors import AnsweredTwice
from evaluation.item import Prediction
from evaluation.lines import Lines
from evaluation.predictions import FILE, Predictions
from tests.evaluation.runs.values import prediction


def test_predictions_are_there_again_when_the_run_is_opened(tmp_path: Path) -> None:
    Predictions(tmp_path).add(prediction("1"))

    opened = Predictions(tmp_path)

    assert list(opened) == [prediction("1")]
    assert prediction("1").key in opened
    assert prediction("2").key not in opened


def test_a_second_answer_of_the_same_key_is_refused_and_the_first_kept(tmp_path: Path) -> None:
    made = Predictions(tmp_path)
    made.add(prediction("1", text="first"))

    with pytest.raises(AnsweredTwice):
        made.add(prediction("1", text="second"))

    assert [one.text for one in Predictions(tmp_path)] == ["first"]


def test_what_was_being_written_is_answered_again(tmp_path: Path) -> None:
    made = Predictions(tmp_path)
    made.add(prediction("1"))
    made.add(prediction("2"))
    content = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(content[:-20])

    opened = Predictions(tmp_path)
    opened.repair()
    opened.add(prediction("2"))

    assert (tmp_path / FILE).read_bytes() == content


def test_what_failed_is_put_aside_and_answered_again(tmp_path: Path) -> None:
    made = Predictions(tmp_path)
    lost = prediction("2", status="failed", chosen=(), reason="the server did not answer")
    for one in (prediction("1"), lost, prediction("3")):
        made.add(one)

    assert (made.put_failed_aside(), made.put_failed_aside()) == (1, 0)
    made.add(prediction("2"))

    assert [(one.id, one.status) for one in Predictions(tmp_path)] == [(id, "answered") for id in "132"]
    assert Lines(tmp_path / "failed.jsonl", Prediction).read() == (lost,)
