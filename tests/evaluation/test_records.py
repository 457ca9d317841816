from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from evaluation.errors import MalformedFile
from evaluation.records import headless, json_array, json_document, json_lines, sheet, table
from tests.evaluation.benchmarks.files import parquet, workbook


class Pulse(BaseModel):
    model_config = ConfigDict(frozen=True)
    place: str
    beats: int


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_json_lines_are_read_past_blank_ones(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"place": "wrist", "beats": 72}\n\n{"place": "neck", "beats": 74}\n')

    assert list(json_lines(path, Pulse)) == [Pulse(place="wrist", beats=72), Pulse(place="neck", beats=74)]


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"place": "wrist", "beats": 72}\n{"place": \n')

    with pytest.raises(MalformedFile, match=r"a\.jsonl, line 2: no JSON"):
        list(json_lines(path, Pulse))


def test_a_line_with_a_wrong_field_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"place": "wrist", "beats": "many"}\n')

    with pytest.raises(MalformedFile, match=r"a\.jsonl, line 1: beats: .*integer"):
        list(json_lines(path, Pulse))


def test_a_line_separator_within_a_text_ends_no_line(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"place": "wrist\u2028left", "beats": 72}\n')

    (found,) = json_lines(path, Pulse)

    assert found.place == "wrist\u2028left"


@pytest.mark.parametrize("text", ['{"place": "wrist"}', "[]", "7"])
def test_a_document_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(MalformedFile, match="the document"):
        json_document(written(tmp_path / "a.json", text), Pulse)


def test_a_list_is_read_entry_by_entry(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", '[{"place": "wrist", "beats": 72}, {"place": "neck"}]')

    with pytest.raises(MalformedFile, match=r"entry 2: beats: field required"):
        list(json_array(path, Pulse))


def test_what_is_no_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile, match="holds no list"):
        list(json_array(written(tmp_path / "a.json", '{"place": "wrist", "beats": 72}'), Pulse))


def test_a_table_is_read_by_the_names_of_its_columns(tmp_path: Path) -> None:
    rows = [{"beats": 72, "place": "wrist"}]
    commas = written(tmp_path / "a.csv", 'beats,place\n72,"wrist"\n')

    assert [*table(parquet(tmp_path / "a.parquet", rows), Pulse)] == [*table(commas, Pulse)]


def test_a_parquet_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile, match=r"a\.parquet is no Parquet file"):
        list(table(written(tmp_path / "a.parquet", "version https://git-lfs.github.com/spec/v1"), Pulse))


def test_a_quoted_line_break_stays_in_its_cell(tmp_path: Path) -> None:
    (found,) = headless(written(tmp_path / "a.csv", '\ufeff"left\nwrist",72\n'), Pulse)

    assert found == Pulse(place="left\nwrist", beats=72)


def test_a_row_with_too_few_cells_is_named(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile, match=r"a\.csv, line 2: 1 cells instead of 2"):
        list(headless(written(tmp_path / "a.csv", "wrist,72\nneck\n"), Pulse))


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"place": "\xe9"}')

    with pytest.raises(MalformedFile, match="not UTF-8"):
        list(json_lines(path, Pulse))


def test_a_sheet_is_read_with_the_numbers_of_its_rows(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ("place", "beats"), [("wrist", "72"), ("neck", "74")])

    assert [(number, row.beats) for number, row in sheet(path, Pulse)] == [(0, 72), (1, 74)]


def test_a_workbook_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile, match=r"a\.xlsx is no workbook"):
        list(sheet(written(tmp_path / "a.xlsx", "no"), Pulse))
