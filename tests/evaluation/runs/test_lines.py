"""Lines survive being cut off, and nothing that was acknowledged is lost."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from evaluation.errors import RunDamaged
from evaluation.lines import Lines


class Value(BaseModel):
    number: int


@pytest.fixture
def lines(tmp_path: Path) -> Lines[Value]:
    return Lines(tmp_path / "values.jsonl", Value)


def numbers(lines: Lines[Value]) -> list[int]:
    return [value.number for value in lines.read()]


def test_what_was_appended_is_read_in_order(lines: Lines[Value]) -> None:
    lines.append(Value(number=1))
    lines.extend([Value(number=2), Value(number=3)])

    assert numbers(lines) == [1, 2, 3]


def test_without_a_file_there_is_nothing(lines: Lines[Value]) -> None:
    lines.repair()

    assert (numbers(lines), lines.path.exists()) == ([], False)


@pytest.mark.parametrize("kept", range(len(b'{"number":2}')))
def test_a_last_line_that_was_cut_anywhere_is_passed_over_and_then_taken_away(lines: Lines[Value], kept: int) -> None:
    lines.append(Value(number=1))
    with lines.path.open("ab") as file:
        file.write(b'{"number":2}'[:kept])

    assert numbers(lines) == [1]
    lines.repair()
    lines.append(Value(number=3))
    assert numbers(lines) == [1, 3]


def test_a_whole_last_line_without_its_end_counts_as_cut(lines: Lines[Value]) -> None:
    lines.path.write_bytes(b'{"number":1}\n{"number":2}')

    lines.repair()

    assert lines.path.read_bytes() == b'{"number":1}\n'


def test_a_line_in_the_middle_that_is_no_value_is_named(lines: Lines[Value]) -> None:
    lines.path.write_bytes(b'{"number":1}\n{"number"\n{"number":3}\n')

    with pytest.raises(RunDamaged, match=r"Line 2 of values\.jsonl"):
        lines.read()
