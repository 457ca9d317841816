"""How much of what is private the redaction finds, and how much that is not private it takes.

`python -m evaluation.redaction` prints tables for the marked sentences of `private_texts.toml`, in fifteen languages;
`--data FOLDER` adds the real consumer questions of MultiMed-X. Those are not kept here: `private_labels.json` says
where in which cell something private stands, with the hash of the cell's question.
"""

import argparse
import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from itertools import islice
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from evaluation import workbook
from transcripts.private import Places, Private, find

_KINDS = {"n": "name", "p": "phone", "e": "email", "i": "id", "b": "birth", "a": "address"}
_MARK = re.compile(r"\{([npeiba])\|([^}]*)\}")
_QUESTIONS = ("Answer:", "回答:")  # what ends the question in each column of the sheet
_COLUMNS = ("en", "ja")
_TOLD = (*_KINDS.values(), "all")


class Labelled(BaseModel):
    """A text and everything private in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    language: str
    text: str
    private: tuple[Private, ...]


class Cell(BaseModel):
    """Where the private things of one cell stand: (kind, start, end) in the question whose SHA-256 this is."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    row: int
    column: int
    sha256: str
    private: tuple[Private, ...]


class Score(BaseModel):
    """`covered` of `labelled` private things are found to the last character; `right` of `found` places are private."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    labelled: int = 0
    covered: int = 0
    found: int = 0
    right: int = 0

    def __add__(self, other: "Score") -> "Score":
        sums = {name: getattr(self, name) + getattr(other, name) for name in type(self).model_fields}
        return Score.model_validate(sums)

    def cells(self) -> str:
        return f"{self.covered}/{self.labelled} | {self.right}/{self.found}"


Scores = dict[str, Score]


def marked(language: str, text: str) -> Labelled:
    """A sentence whose private things stand in {kind|text}."""
    plain, private, end = "", [], 0
    for match in _MARK.finditer(text):
        plain += text[end : match.start()]
        private.append(Private(_KINDS[match[1]], len(plain), len(plain) + len(match[2])))
        plain, end = plain + match[2], match.end()
    return Labelled(language=language, text=plain + text[end:], private=tuple(private))


def made(half: int | None = None) -> Iterator[Labelled]:
    """The made sentences; `half` 0 is the one that the rules were tuned on, 1 the other, drawn by their hash."""
    table = tomllib.loads(files("evaluation").joinpath("private_texts.toml").read_text("utf-8"))
    for language, texts in table.items():
        yield from (marked(language, text) for text in texts if half in (None, sha256(text.encode()).digest()[0] % 2))


def real(data: Path, half: int | None = None) -> Iterator[Labelled]:
    """The questions of the shared sheet with their labels; `half` 0 is the even rows, which the rules were tuned on.

    Raises ValueError for a question that is not as it was labelled.
    """
    labels = {(cell.row, cell.column): cell for cell in _labels()}
    for row, column, text in questions(data):
        if half not in (None, row % 2):
            continue
        cell = labels.get((row, column))
        if cell and cell.sha256 != sha256(text.encode()).hexdigest():
            raise ValueError(f"the question in row {row} is another one than was labelled")
        yield Labelled(language=_COLUMNS[column], text=text, private=cell.private if cell else ())


def questions(data: Path) -> Iterator[tuple[int, int, str]]:
    """Row, column and text of each consumer question."""
    for number, row in enumerate(islice(workbook.rows(data / "bench/multimedx_ja/liveqa_jp_200.xlsx"), 1, None), 1):
        for column, ending in enumerate(_QUESTIONS):
            yield number, column, str(row[column] or "").split(ending)[0]


def _labels() -> Iterator[Cell]:
    for cell in json.loads(files("evaluation").joinpath("private_labels.json").read_text("utf-8")):
        yield Cell.model_validate(cell)


def found_in(labelled: Labelled) -> Places:
    """What the rules of the text's language and of English find, as in a consultation, where both are spoken."""
    return find([labelled.text], (labelled.language, "en"))[0]


def score(labelled: Labelled) -> Scores:
    """The scores of one text, by kind; a place counts as right when at least half of it is private."""
    found = found_in(labelled)
    hidden = _characters(found)
    private = _characters(labelled.private)
    scores: Counter[tuple[str, str]] = Counter()
    for one in labelled.private:
        scores[one.kind, "labelled"] += 1
        scores[one.kind, "covered"] += hidden >= _characters([one])
    for one in found:
        scores[one.kind, "found"] += 1
        scores[one.kind, "right"] += 2 * len(private & _characters([one])) >= one.end - one.start
    by_kind = {
        kind: Score.model_validate({name: scores[kind, name] for name in Score.model_fields})
        for kind in _KINDS.values()
    }
    return by_kind | {"all": sum(by_kind.values(), Score())}


def _characters(private: Iterable[Private]) -> set[int]:
    return {place for one in private for place in range(one.start, one.end)}


def table(texts: Iterable[Labelled]) -> Iterator[str]:
    """Rows of Markdown: for each language and kind what was found of what is private, and was private of what was
    found."""
    by_language: dict[str, Scores] = {}
    for text in texts:
        for language in (text.language, "all"):
            sums = by_language.setdefault(language, dict.fromkeys(_TOLD, Score()))
            for kind, one in score(text).items():
                sums[kind] += one
    yield f"| language | {' | '.join(f'{kind}, recall | precision' for kind in _TOLD)} |"
    yield f"|{'---|' * (1 + 2 * len(_TOLD))}"
    for language in (*(name for name in by_language if name != "all"), "all"):
        yield f"| {language} | {' | '.join(by_language[language][kind].cells() for kind in _TOLD)} |"


def _mistakes(texts: Iterable[Labelled]) -> Iterator[str]:
    for text in texts:
        found = found_in(text)
        hidden, private = _characters(found), _characters(text.private)
        missed = [text.text[one.start : one.end] for one in text.private if not hidden >= _characters([one])]
        taken = [
            (one.kind, text.text[one.start : one.end])
            for one in found
            if 2 * len(private & _characters([one])) < one.end - one.start
        ]
        if missed or taken:
            yield f"{text.language}: missed {missed}, taken {taken}: {text.text!r}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, and with `--mistakes` what went wrong in the half that the rules may be tuned on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder of shared benchmark files")
    parser.add_argument("--mistakes", action="store_true", help="what was missed or taken wrongly in the tuned half")
    given = parser.parse_args(arguments)
    if given.mistakes:
        print("\n".join((*_mistakes(made(0)), *(_mistakes(real(given.data, 0)) if given.data else ()))))
        return
    for half, title in ((1, "not tuned on"), (0, "tuned on")):
        print(f"\nMade sentences, {title}\n")
        print("\n".join(table(made(half))))
        if given.data:
            print(f"\nReal consumer questions (MultiMed-X, LiveQA), {title}\n")
            print("\n".join(table(real(given.data, half))))


if __name__ == "__main__":
    main()
