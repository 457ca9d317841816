"""False alarms on real questions, few of which are emergencies."""

import csv
from pathlib import Path

import pytest

from agents.messages import RedFlag
from evaluation.red_flags import Checked, Question, check, main, rows

BAR = 0.05  # of the questions, right alarms included


def question(text: str) -> Question:
    return Question(source="made up", language="en", name="1", text=text)


def test_a_row_counts_the_questions_that_raised_a_flag() -> None:
    asked = [question("What is zinc?"), question("Crushing chest pain with sweating.")]

    (row,) = rows([check(each) for each in asked])

    assert row.startswith("| made up | en | 2 | 1 | 50.0% |")


def test_a_check_keeps_the_question_and_its_flags() -> None:
    asked = question("Crushing chest pain with sweating.")

    checked = check(asked)

    assert isinstance(checked, Checked)
    assert checked.question == asked
    assert [flag.emergency for flag in checked.flags if isinstance(flag, RedFlag)] == ["acute_coronary"]
    assert checked.seconds > 0


def test_few_of_the_shared_questions_raise_a_flag(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fired = tmp_path / "fired.csv"

    main(["--data", str(shared_data), "--fired", str(fired)])

    cells = [line.split("|") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [(c[1].strip(), c[2].strip()) for c in cells] == [
        *(("MultiMed-X", "ja"), ("LiveQA", "ja"), ("LiveQA", "en"), ("LiveQA", "zh"), ("LiveQA", "es")),
        *(("HEAD-QA dev", "es"), ("HEAD-QA dev", "en")),
    ]
    assert all(float(c[5].strip().rstrip("%")) / 100 <= BAR for c in cells)
    with fired.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == sum(int(c[4]) for c in cells)
