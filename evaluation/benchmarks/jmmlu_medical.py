"""JMMLU, its nine medical subjects: MMLU questions in Japanese, checked by translators (Yin et al. 2024).

Layout as released (`JMMLU/anatomy.csv` ...): no header, question, four options, letter. There are no ids; one is made
of subject and content, so that no order of rows matters.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from evaluation.benchmark import Benchmark, digest, distinct
from evaluation.item import Item
from evaluation.records import headless

_SUBJECTS = (
    "anatomy",
    "clinical_knowledge",
    "college_biology",
    "college_medicine",
    "human_aging",
    "medical_genetics",
    "nutrition",
    "professional_medicine",
    "virology",
)


class _Row(BaseModel):
    question: str = Field(min_length=1)
    a: str
    b: str
    c: str
    d: str
    answer: Literal["A", "B", "C", "D"]


def _languages(root: Path) -> tuple[str, ...]:
    return ("ja",) if any((root / f"{subject}.csv").exists() for subject in _SUBJECTS) else ()


def _read(root: Path, language: str) -> Iterator[Item]:
    for subject in _SUBJECTS:
        path = root / f"{subject}.csv"
        if path.exists():
            yield from distinct(_item(subject, row, language) for row in headless(path, _Row))


def _item(subject: str, row: _Row, language: str) -> Item:
    options = tuple(option.strip() for option in (row.a, row.b, row.c, row.d))
    return Item(
        benchmark="jmmlu-medical",
        id=f"{subject}-{digest(row.question, *options)}",
        language=language,
        task="choice",
        text=row.question.strip(),
        options=options,
        right=("ABCD".index(row.answer),),
    )


BENCHMARK = Benchmark(
    name="jmmlu-medical",
    title="JMMLU, medical subjects",
    source="https://github.com/nlp-waseda/JMMLU",
    licence="CC BY-SA 4.0",
    tasks=("choice",),
    files="anatomy.csv and the other subjects",
    folders=("jmmlu_med", "JMMLU"),
    speaks=_languages,
    read=_read,
)
