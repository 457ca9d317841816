"""FrenchMedMCQA: French pharmacy exams with one or several right answers (Labrak et al. 2022).

Layout as released (`corpus/test.json`, `corpus/dev.json`): a list with `id`, `question`, `answers` from a to e and
`correct_answers`.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field

from evaluation.benchmark import Benchmark, split_file
from evaluation.item import Item
from evaluation.records import json_array

_FILE = "{}.json"


class _Entry(BaseModel):
    id: str
    question: str = Field(min_length=1)
    answers: dict[str, str]
    correct_answers: tuple[str, ...]


def _languages(root: Path) -> tuple[str, ...]:
    return ("fr",) if _path(root) else ()


def _path(root: Path) -> Path | None:
    return split_file(root, _FILE) or split_file(root / "corpus", _FILE)


def _read(root: Path, language: str) -> Iterator[Item]:
    path = _path(root)
    for entry in json_array(path, _Entry) if path else ():
        letters = tuple(entry.answers)
        yield Item(
            benchmark="frenchmedmcqa",
            id=entry.id,
            language=language,
            task="choices",
            text=entry.question.strip(),
            options=tuple(text.strip() for text in entry.answers.values()),
            right=tuple(sorted(letters.index(letter) for letter in entry.correct_answers if letter in letters)),
        )


BENCHMARK = Benchmark(
    name="frenchmedmcqa",
    title="FrenchMedMCQA",
    source="https://github.com/qanastek/FrenchMedMCQA",
    licence="Apache-2.0",
    tasks=("choices",),
    files="test.json or dev.json",
    folders=("frenchmedmcqa", "FrenchMedMCQA"),
    speaks=_languages,
    read=_read,
)
