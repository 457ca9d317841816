"""MMedBench: exams of six countries, each in its own language; the questions are no translations (Qiu et al. 2024).

Layout read on the dataset card of Henrychur/MMedBench: `Test/Japanese.jsonl` ..., with `question`, `options` by letter
and `answer_idx`, letters parted by commas (or a list of them, as the authors' own code allows). There are no ids; one
is made of the content. Where one question of a file has several right answers, all of its are asked that way.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field

from evaluation.benchmark import Benchmark, digest, distinct
from evaluation.item import Item, Task
from evaluation.records import json_lines

_NAMES = {"en": "English", "zh": "Chinese", "ja": "Japanese", "fr": "French", "es": "Spanish", "ru": "Russian"}


class _Line(BaseModel):
    question: str = Field(min_length=1)
    options: dict[str, str]
    answer_idx: str | tuple[str, ...]

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters of the right answers."""
        given = self.answer_idx.split(",") if isinstance(self.answer_idx, str) else self.answer_idx
        return tuple(letter.strip() for letter in given if letter.strip())


def _languages(root: Path) -> tuple[str, ...]:
    return tuple(code for code in _NAMES if _path(root, code).exists())


def _path(root: Path, language: str) -> Path:
    return root / "Test" / f"{_NAMES[language]}.jsonl"


def _read(root: Path, language: str) -> Iterator[Item]:
    lines = list(json_lines(_path(root, language), _Line))
    task: Task = "choices" if any(len(line.letters) > 1 for line in lines) else "choice"
    return distinct(_item(line, language, task) for line in lines)


def _item(line: _Line, language: str, task: Task) -> Item:
    letters, options = tuple(line.options), tuple(text.strip() for text in line.options.values())
    known = all(letter in letters for letter in line.letters)
    return Item(
        benchmark="mmedbench",
        id=digest(line.question, *options),
        language=language,
        task=task,
        text=line.question.strip(),
        options=options,
        right=tuple(sorted(letters.index(letter) for letter in line.letters)) if known else (),
    )


BENCHMARK = Benchmark(
    name="mmedbench",
    title="MMedBench",
    source="https://huggingface.co/datasets/Henrychur/MMedBench",
    licence="CC BY-NC 4.0",
    tasks=("choice", "choices"),
    files="Test/English.jsonl and the same of other languages",
    folders=("MMedBench", "mmedbench"),
    speaks=_languages,
    read=_read,
)
