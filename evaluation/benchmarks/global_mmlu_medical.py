"""Global-MMLU, medical subjects: MMLU in 42 languages with the same `sample_id` in each (Singh et al. 2024).

Layout read on the dataset card of CohereForAI/Global-MMLU (`ja/test-00000-of-00001.parquet`; `option_a` ... `option_d`,
`answer` a letter) and in the loader of the paper's released code, which takes `subject_category` "Medical".
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from evaluation.benchmark import Benchmark
from evaluation.item import Item
from evaluation.parallel import parallel, speaks
from evaluation.records import table


class _Row(BaseModel):
    sample_id: str
    subject_category: str
    question: str = Field(min_length=1)
    option_a: str
    option_b: str
    option_c: str
    option_d: str
    answer: Literal["A", "B", "C", "D"]


def _items(path: Path, language: str) -> Iterator[Item]:
    for row in table(path, _Row):
        if row.subject_category == "Medical":
            yield Item(
                benchmark="global-mmlu-medical",
                id=row.sample_id,
                language=language,
                task="choice",
                text=row.question.strip(),
                options=tuple(option.strip() for option in (row.option_a, row.option_b, row.option_c, row.option_d)),
                right=("ABCD".index(row.answer),),
            )


def _read(root: Path, language: str) -> Iterator[Item]:
    return parallel(root, language, _items)


BENCHMARK = Benchmark(
    name="global-mmlu-medical",
    title="Global-MMLU, medical subjects",
    source="https://huggingface.co/datasets/CohereForAI/Global-MMLU",
    licence="Apache-2.0",
    tasks=("choice",),
    files="en/test-00000-of-00001.parquet and the same of other languages",
    folders=("Global-MMLU", "Global-MMLU-Lite", "global_mmlu"),
    speaks=speaks,
    read=_read,
)
