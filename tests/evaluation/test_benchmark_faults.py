from pathlib import Path

import pytest

from evaluation.benchmark_faults import main
from tests.evaluation.benchmarks.files import json_lines

ROW = {"question": "Q\x1b[2J", "options": {"A": "a", "B": "a"}, "answer_idx": "A"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    json_lines(tmp_path / "MMedBench/Test/English.jsonl", [ROW, ROW | {"options": {"A": "a", "B": "b"}}])
    return tmp_path


def test_what_lies_in_the_folder_is_told_with_its_faults(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--data", str(folder)])

    (row,) = capsys.readouterr().out.splitlines()[2:]
    assert row == "| `mmedbench` | en | 2 | 1 | twin options 1, excluded 1 |"


def test_every_fault_is_listed_with_its_item(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--data", str(folder), "--list"])

    told = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[2] for line in told] == [
        "twin options: 'the same text stands twice'",
        "excluded: 'its options cannot be asked: The answer options A and B are the same'",
    ]
