"""The rows of a benchmark's files as typed values, one after the other, whatever kind of file they stand in.

A row that is not as its authors publish it ends the reading with the file, the line and what is wrong. Knows nothing
of what the rows mean.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import pyarrow
import pyarrow.parquet
from pydantic import BaseModel, ValidationError

from evaluation import workbook
from evaluation.errors import LibraryMissing, MalformedFile

Row = TypeVar("Row", bound=BaseModel)


def json_lines(path: Path, form: type[Row]) -> Iterator[Row]:
    """One value a line. Raises MalformedFile."""
    for number, line in enumerate(_text(path).split("\n"), 1):
        if line.strip():
            yield _valid(path, f"line {number}", _parsed(path, f"line {number}", line), form)


def json_document(path: Path, form: type[Row]) -> Row:
    """The whole file as one value. Raises MalformedFile."""
    return _valid(path, "the document", _parsed(path, "the document", _text(path)), form)


def json_array(path: Path, form: type[Row]) -> Iterator[Row]:
    """One value an entry of the file's list. Raises MalformedFile."""
    entries = _parsed(path, "the document", _text(path))
    if not isinstance(entries, list):
        raise MalformedFile(f"{path.name} holds no list; {_AGAIN}")
    for number, entry in enumerate(entries, 1):
        yield _valid(path, f"entry {number}", entry, form)


def table(path: Path, form: type[Row]) -> Iterator[Row]:
    """One value a row of a Parquet file, or of a CSV file with a header. Raises MalformedFile."""
    rows = _parquet(path) if path.suffix == ".parquet" else _header_csv(path)
    for place, row in rows:
        yield _valid(path, place, row, form)


def headless(path: Path, form: type[Row]) -> Iterator[Row]:
    """One value a row of a CSV file without a header; the fields stand in the order of `form`. Raises MalformedFile."""
    names = tuple(form.model_fields)
    for place, cells in _cells(path):
        if len(cells) != len(names):
            raise MalformedFile(f"{path.name}, {place}: {len(cells)} cells instead of {len(names)}; {_AGAIN}")
        yield _valid(path, place, dict(zip(names, cells, strict=True)), form)


def sheet(path: Path, form: type[Row]) -> Iterator[tuple[int, Row]]:
    """The number, from 0, and the value of each row under the header of a workbook. Raises MalformedFile."""
    try:
        header, *rows = workbook.rows(path)
    except ImportError as error:
        raise LibraryMissing("openpyxl is not installed; run pip install 'med-coreasoner[evaluation]'.") from error
    except (BadZipFile, KeyError, OSError, ValueError) as error:
        raise MalformedFile(f"{path.name} is no workbook ({error}); {_AGAIN}") from error
    for number, row in enumerate(rows):
        named = {str(name): cell for name, cell in zip(header, row, strict=True) if name is not None}
        yield number, _valid(path, f"line {number + 2}", named, form)


_AGAIN = "fetch it again from its source."


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedFile(f"{path.name} is not UTF-8 text (byte {error.start}); {_AGAIN}") from error


def _parsed(path: Path, place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise MalformedFile(f"{path.name}, {place}: no JSON ({error}); {_AGAIN}") from error


def _valid(path: Path, place: str, row: object, form: type[Row]) -> Row:
    try:
        return form.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "row"
        raise MalformedFile(f"{path.name}, {place}: {field}: {first['msg'].lower()}; {_AGAIN}") from error


def _cells(path: Path) -> Iterator[tuple[str, Sequence[str]]]:
    reader = csv.reader(_text(path).splitlines(keepends=True), strict=True)
    try:
        for cells in reader:
            if cells:
                yield f"line {reader.line_num}", cells
    except csv.Error as error:
        raise MalformedFile(f"{path.name}, line {reader.line_num}: {error}; {_AGAIN}") from error


def _header_csv(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    rows = _cells(path)
    header = next(rows, ("", ()))[1]
    for place, cells in rows:
        if len(cells) != len(header):
            raise MalformedFile(f"{path.name}, {place}: {len(cells)} cells instead of {len(header)}; {_AGAIN}")
        yield place, dict(zip(header, cells, strict=True))


def _parquet(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    try:
        rows = pyarrow.parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise MalformedFile(f"{path.name} is no Parquet file ({error}); {_AGAIN}") from error
    for number, row in enumerate(rows, 1):
        yield f"row {number}", row
