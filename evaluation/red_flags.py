"""How often red flags are raised on questions, most of which are no emergency.

`python -m evaluation.red_flags --data FOLDER` reads the shared benchmark questions, checks each with the fixed tables,
and prints one Markdown table; `--fired` also prints every question that raised a flag, to be judged by hand. Knows
nothing of models, and not which questions are emergencies: that is for a reader.
"""

import argparse
import csv
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agents.messages import RedFlag
from agents.red_flags import red_flags
from evaluation import workbook

_HEAD = "| questions | language | asked | raised a flag | share | slowest, ms |"


class Question(BaseModel):
    """A question of a benchmark."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    source: str
    language: str
    name: str
    text: str


class Checked(BaseModel):
    """A question and its flags. `seconds` is the time of the check alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    question: Question
    flags: tuple[RedFlag, ...]
    seconds: float


def questions(data: Path) -> Iterator[Question]:
    """The questions of MultiMed-X ja, LiveQA in four languages, and HEAD-QA's development set, without answers."""
    yield from _multimedx(data / "bench/multimedx_ja/liveqa_jp_200.xlsx")
    yield from _liveqa(data / "retrieval/liveqa_5lang/liveqa_en_ja_zh_es_hi.jsonl")
    yield from _xling(data / "retrieval/xlinghealth_liveqa/liveqa_queries.jsonl")
    yield from _headqa(data / "bench/headqa/dev_HEAD.json", "es")
    yield from _headqa(data / "bench/headqa/dev_HEAD_EN.json", "en")


def _multimedx(path: Path) -> Iterator[Question]:
    for number, row in enumerate(workbook.rows(path)):
        texts = [cell for cell in row if isinstance(cell, str) and any("\u3040" <= c <= "\u30ff" for c in cell)]
        if texts:
            text = texts[0].split("回答")[0].removeprefix("質問:").strip()
            yield Question(source="MultiMed-X", language="ja", name=str(number), text=text)


def _liveqa(path: Path) -> Iterator[Question]:
    """LiveQA in Japanese; the file's other languages are also, for more questions, in XLingHealth's."""
    for item in map(json.loads, path.read_text("utf-8").splitlines()):
        yield Question(source="LiveQA", language="ja", name=item["id"], text=item["question"]["ja"])


def _xling(path: Path) -> Iterator[Question]:
    for item in map(json.loads, path.read_text("utf-8").splitlines()):
        for language in ("en", "zh", "es"):
            if text := item[language]:
                yield Question(source="LiveQA", language=language, name=item["qid"], text=text)


def _headqa(path: Path, language: str) -> Iterator[Question]:
    for exam, entry in json.loads(path.read_text("utf-8"))["exams"].items():
        for item in entry["data"]:
            yield Question(source="HEAD-QA dev", language=language, name=f"{exam} {item['qid']}", text=item["qtext"])


def check(question: Question) -> Checked:
    """The flags of one question, timed."""
    start = time.perf_counter()
    flags = red_flags(question.text, question.language)
    return Checked(question=question, flags=flags, seconds=time.perf_counter() - start)


def rows(checked: Sequence[Checked]) -> Iterator[str]:
    """A row of the table for each source and language."""
    groups: dict[tuple[str, str], list[Checked]] = {}
    for one in checked:
        groups.setdefault((one.question.source, one.question.language), []).append(one)
    for (source, language), members in groups.items():
        fired = sum(bool(one.flags) for one in members)
        slowest = max(one.seconds for one in members) * 1000
        yield f"| {source} | {language} | {len(members)} | {fired} | {fired / len(members):.1%} | {slowest:.1f} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Check all questions and print the table, with `--fired FILE` also every question that raised a flag."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of shared benchmark files")
    parser.add_argument("--fired", type=Path, help="a CSV file for the questions that raised a flag")
    given = parser.parse_args(arguments)
    for language in ("en", "ja", "zh", "es"):
        red_flags("-", language)  # reading the tables is not part of the check
    checked = [check(question) for question in questions(given.data)]
    print(f"{_HEAD}\n|{'---|' * 6}")
    for row in rows(checked):
        print(row)
    if given.fired:
        with given.fired.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(("source", "language", "name", "emergencies", "words", "text"))
            for one in filter(lambda c: c.flags, checked):
                asked = one.question
                names, words = (" / ".join(getattr(f, field) for f in one.flags) for field in ("emergency", "words"))
                table.writerow((asked.source, asked.language, asked.name, names, words, asked.text))


if __name__ == "__main__":
    main()
