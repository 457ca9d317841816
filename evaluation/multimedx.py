"""The cells of MultiMed-X taken apart: two texts behind markers, with what is wrong with them found and put right.

Layout of the paper's repository: `liveqa_jp_200.xlsx` and `bionli_jp_150.xlsx`, a sheet with the English text in one
column and the translation in another. There are no ids: one is made of the English cell, the same in every language.
"""

import html
import re
import tomllib
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, Field

from evaluation.errors import MalformedFile
from evaluation.records import sheet
from transcripts.errors import RedactionUnknown
from transcripts.private import Private, find

ENGLISH = "EN"
_ENTITY = re.compile(r"&#?\w{2,32};")
_CERTAIN = ("email", "phone")  # what no rule of a language guesses


class Parts(NamedTuple):
    """The two texts of a cell, and what was wrong with it."""

    first: str
    second: str
    faults: tuple[str, ...]


class Row(BaseModel):
    """A row of a sheet: its number from 0, as pandas counts, both cells, and the label where the sheet has one."""

    number: int
    english: str
    local: str
    label: str | None


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(files("evaluation").joinpath("multimedx.toml").read_text("utf-8"))


def column(language: str) -> str:
    """The name that the authors' files have for a language."""
    return str(_table()["columns"].get(language, language))


def languages(root: Path, stem: str) -> tuple[str, ...]:
    """The languages of the workbooks `stem` (`liveqa_{}_200.xlsx`) in a folder, and English, which is in each."""
    found = [code for code in _table()["question"] if code != "en" and workbook_of(root, stem, code)]
    return ("en", *found) if found else ()


def workbook_of(root: Path, stem: str, language: str) -> Path | None:
    """The workbook of a language, in the folder or one below."""
    name = stem.format(column(language))
    return next(iter(sorted((*root.glob(name), *root.glob(f"*/{name}")))), None)


def rows(path: Path, language: str) -> Iterator[Row]:
    """The rows of a workbook. Raises MalformedFile, LibraryMissing."""

    class Cells(BaseModel):
        english: str = Field(alias=ENGLISH, min_length=1)
        local: str = Field(alias=column(language), min_length=1)
        label: str | None = Field(None, alias="gold_label")

    for number, cells in sheet(path, Cells):
        yield Row(number=number, english=cells.english, local=cells.local, label=cells.label)


def taken_apart(path: Path, row: Row, language: str, first: str, second: str) -> Parts:
    """The texts behind the markers `first` and `second` ("question" and "answer") of one cell. Raises MalformedFile."""
    cell = row.english if language == "en" else row.local
    text, told = html.unescape(cell), []
    if entities := sorted(set(_ENTITY.findall(cell))) if text != cell else []:
        told.append(f"HTML entities: {' '.join(entities)} resolved")
    opening, closing = _marker(first, language), _marker(second, language)
    found = _first(closing, text)
    begin, end = found.span() if found else _last_paragraph(text)
    if not found:
        told.append(
            f"no {second} marker: row {row.number} counted from 0 (line {row.number + 2}); the last paragraph is taken"
        )
    before, after = text[:begin], text[end:]
    markers = [m[0] for m in (*opening.finditer(before), *([found] if found else []))]
    if any("：" in marker for marker in markers):
        told.append(f"full-width colon: in the marker {next(m for m in markers if '：' in m).strip()}")
    if len(opening.findall(before)) > 1:
        told.append(f"leaking marker: {opening.findall(before)[-1].strip()} stood in the text and was taken out")
    parts = Parts(opening.sub("", before).strip(), after.strip(), tuple(told))
    if not parts.first or not parts.second:
        raise MalformedFile(f"{path.name}, line {row.number + 2}: no {first} or {second}; fetch it again.")
    return parts


def _marker(kind: str, language: str) -> re.Pattern[str]:
    words = [*_table()[kind].get(language, []), *_table()[kind]["en"]]
    return re.compile(rf"(?:^|(?<=[\s。.]))(?:{'|'.join(map(re.escape, words))})[ \t]*[:：]", re.MULTILINE)


def _first(marker: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The marker at the beginning of a line, or without one the first in running text."""
    found = list(marker.finditer(text))
    return next((m for m in found if text[: m.start()].endswith("\n")), found[0] if found else None)


def _last_paragraph(text: str) -> tuple[int, int]:
    """Where the last paragraph's blank line begins and ends; with none, all is before it."""
    kept = text.rstrip()
    gap = kept.rfind("\n\n")
    return (gap, gap) if gap >= 0 else (len(text), len(text))


def hidden(english: str, local: str, language: str) -> tuple[str, str, tuple[str, ...]]:
    """Both texts without what is personal, and the kinds of what was taken out.

    Rules that guess names are believed only where those of both languages find something of the kind: a text and its
    translation name the same people.
    """
    here, there = _private(english, "en"), _private(local, language)
    kinds = {one.kind for one in here} & {one.kind for one in there}
    kinds |= {one.kind for one in (*here, *there) if one.kind in _CERTAIN}
    return _without(english, here, kinds), _without(local, there, kinds), tuple(sorted(kinds))


def without_contacts(text: str, language: str) -> str:
    """A text without e-mail addresses and phone numbers."""
    return _without(text, _private(text, language), _CERTAIN)


def _private(text: str, language: str) -> tuple[Private, ...]:
    try:
        return tuple(find([text], dict.fromkeys((language, "en")))[0])
    except RedactionUnknown:
        return tuple(find([text], ("en",))[0])


def _without(text: str, places: Sequence[Private], kinds: Iterable[str]) -> str:
    for kind, start, end in sorted(places, key=lambda one: -one.start):
        if kind in kinds:
            text = f"{text[:start]}[{kind}]{text[end:]}"
    return text


def recurring(keys: Iterable[Hashable]) -> tuple[int, int]:
    """How many of the keys stand there more than once, and in how many rows together."""
    counted = [times for times in Counter(keys).values() if times > 1]
    return len(counted), sum(counted)
