"""Predictions are kept once and for ever."""

from pathlib import Path

import pytest

from evaluation.errors import AnsweredTwice
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
