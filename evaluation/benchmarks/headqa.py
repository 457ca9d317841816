"""HEAD-QA: Spanish exams of the health professions, and their machine translation into English (Vilares and
Gómez-Rodríguez 2019).

Layout as released (`dev_HEAD.json`, `dev_HEAD_EN.json`): exams, each with its questions; `qid` is unique in an exam
only, so that an id is both. `ra` is the `aid` of the right answer. Questions with an image can't be asked.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from evaluation.benchmark import Benchmark, agreeing, split_file, with_english
from evaluation.item import Item
from evaluation.records import json_document

_FILES = {"es": "{}_HEAD.json", "en": "{}_HEAD_EN.json"}


class _Option(BaseModel):
    aid: int
    atext: str


class _Question(BaseModel):
    qid: str
    qtext: str
    ra: str
    answers: tuple[_Option, ...]
    image: str


class _Exam(BaseModel):
    data: tuple[_Question, ...]


class _Exams(BaseModel):
    exams: dict[str, _Exam]


def _languages(root: Path) -> tuple[str, ...]:
    return tuple(language for language, pattern in _FILES.items() if split_file(root, pattern))


def _read(root: Path, language: str) -> Iterator[Item]:
    versions = {code: _items(root, code) for code in _languages(root)}
    for name, item in versions[language].items():
        english = versions.get("en", {}).get(name)
        others = (items[name] for code, items in versions.items() if code != language and name in items)
        yield agreeing(with_english(item, english), others)


def _items(root: Path, language: str) -> dict[str, Item]:
    path = split_file(root, _FILES[language])
    exams = json_document(path, _Exams).exams if path else {}
    questions = ((exam, question) for exam, entry in exams.items() for question in entry.data)
    return {item.id: item for item in (_item(exam, question, language) for exam, question in questions)}


def _item(exam: str, question: _Question, language: str) -> Item:
    return Item(
        benchmark="headqa",
        id=f"{exam}/{question.qid}",
        language=language,
        task="choice",
        text=question.qtext.strip(),
        options=tuple(option.atext.strip() for option in question.answers),
        right=tuple(place for place, option in enumerate(question.answers) if str(option.aid) == question.ra),
        excluded="it needs an image" if question.image else "",
    )


BENCHMARK = Benchmark(
    name="headqa",
    title="HEAD-QA",
    source="https://github.com/aghie/head-qa",
    licence="MIT; the exams are official and public (Ministerio de Sanidad, Spain)",
    tasks=("choice",),
    files="test_HEAD.json or dev_HEAD.json",
    folders=("headqa", "HEAD"),
    speaks=_languages,
    read=_read,
)
