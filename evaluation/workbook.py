"""The rows of a spreadsheet file. Knows nothing of what stands in them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any


def rows(path: Path) -> Iterator[tuple[Any, ...]]:
    """The cells' values of the first sheet, row by row."""
    from openpyxl import load_workbook  # development only

    with closing(load_workbook(path, read_only=True)) as book:
        sheet = book.active
        assert sheet is not None
        yield from sheet.iter_rows(values_only=True)
