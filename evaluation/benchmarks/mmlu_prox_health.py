"""MMLU-ProX, category health: MMLU-Pro in 29 languages, up to ten options (Xuan et al. 2025).

Layout read on the dataset page of li-lab/MMLU-ProX (`ja/test-00000-of-00001.parquet`), in EleutherAI's harness and in
the loader of the paper's released code: `question_id`, `option_0` ... `option_9` (empty ones are not options), `answer`
a letter, `answer_index` from 0, `category`.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, Field

from evaluation.benchmark import Benchmark
from evaluation.item import Item
from evaluation.parallel import parallel, speaks
from evaluation.records import table

_LETTERS = "ABCDEFGHIJ"


class _Row(BaseModel):
    question_id: int | str
    question: str = Field(min_length=1)
    option_0: str | None
    option_1: str | None
    option_2: str | None
    option_3: str | None
    option_4: str | None
    option_5: str | None
    option_6: str | None
    option_7: str | None
    option_8: str | None
    option_9: str | None
    answer: str
    answer_index: int
    category: str

    @property
    def options(self) -> dict[int, str]:
        """The options that are there, by their number."""
        texts = {number: getattr(self, f"option_{number}") or "" for number in range(len(_LETTERS))}
        return {number: text.strip() for number, text in texts.items() if text.strip() not in ("", "N/A")}


def _items(path: Path, language: str) -> Iterator[Item]:
    for row in table(path, _Row):
        if row.category == "health":
            yield _item(row, language)


def _item(row: _Row, language: str) -> Item:
    letter = _LETTERS.find(row.answer.strip()) if row.answer.strip() else -1
    return Item(
        benchmark="mmlu-prox-health",
        id=str(row.question_id),
        language=language,
        task="choice",
        text=row.question.strip(),
        options=tuple(row.options.values()),
        right=tuple(place for place, number in enumerate(row.options) if number == row.answer_index),
        excluded="" if letter == row.answer_index else "letter and number of the right answer differ",
    )


def _read(root: Path, language: str) -> Iterator[Item]:
    return parallel(root, language, _items)


BENCHMARK = Benchmark(
    name="mmlu-prox-health",
    title="MMLU-ProX, category health",
    source="https://huggingface.co/datasets/li-lab/MMLU-ProX",
    licence="MIT",
    tasks=("choice",),
    files="en/test-00000-of-00001.parquet and the same of other languages",
    folders=("MMLU-ProX", "MMLU-ProX-Lite", "mmlu_prox"),
    speaks=speaks,
    read=_read,
)
