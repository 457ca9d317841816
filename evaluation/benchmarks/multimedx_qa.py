"""MultiMed-X, questions and answers: 200 consumer questions of LiveQA, translated (Gao et al. 2026).

Some questions recur with other answers: they are a family, and an answer is scored against all of the family's. What
isn't an answer ("Find a Doctor") is no reference. Names and addresses of the people who asked are taken out.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from evaluation.benchmark import Benchmark, digest, distinct, fold
from evaluation.item import Item
from evaluation.multimedx import Parts, Row, hidden, languages, rows, taken_apart, without_contacts, workbook_of

_STEM = "liveqa_{}_200.xlsx"
_SENTENCE = 60  # characters from which on an answer that ends without a full stop is still believed to say something


class _Asked(NamedTuple):
    row: Row
    english: Parts
    local: Parts
    english_question: str
    question: str
    private: tuple[str, ...]

    @property
    def family(self) -> str:
        return digest(self.english_question)

    @property
    def answered(self) -> bool:
        """Whether the reference says something: it is long, or a sentence that is no question."""
        return len(self.english.second) >= _SENTENCE or self.english.second.endswith(".")


def _languages(root: Path) -> tuple[str, ...]:
    return languages(root, _STEM)


def _read(root: Path, language: str) -> Iterator[Item]:
    # English is in the workbook of every language.
    code = next(one for one in _languages(root)[1:] if language in ("en", one))
    path = workbook_of(root, _STEM, code)
    asked = [_asked(path, row, code) for row in rows(path, code)] if path else []
    references, sizes = _references(asked, language), Counter(one.family for one in asked)
    return distinct(_item(one, language, references.get(one.family, ()), sizes[one.family]) for one in asked)


def _asked(path: Path, row: Row, language: str) -> _Asked:
    english = taken_apart(path, row, "en", "question", "answer")
    local = taken_apart(path, row, language, "question", "answer")
    return _Asked(row, english, local, *hidden(english.first, local.first, language))


def _references(asked: Iterable[_Asked], language: str) -> dict[str, tuple[str, ...]]:
    """Every answer that a family has in a language, once."""
    found: dict[str, dict[str, str]] = {}
    for one in asked:
        if one.answered:
            answer = (one.english if language == "en" else one.local).second
            found.setdefault(one.family, {}).setdefault(fold(answer), without_contacts(answer, language))
    return {family: tuple(answers.values()) for family, answers in found.items()}


def _item(one: _Asked, language: str, references: tuple[str, ...], size: int) -> Item:
    faults = [*(one.local.faults if language != "en" else ())]
    faults += [f"{fault}, in the English column" for fault in one.english.faults]
    if one.private:
        faults.append(f"personal data: {', '.join(one.private)} taken out of the question")
    if not one.answered:
        faults.append(f"non-answer: {one.english.second!r} is no reference")
    if size > 1:
        faults.append(f"recurring question: {size} rows ask it; scored against {len(references)} references")
    return Item(
        benchmark="multimedx-qa",
        id=digest(one.row.english),
        language=language,
        task="open",
        text=one.english_question if language == "en" else one.question,
        references=references,
        family=one.family,
        english=one.english_question,
        faults=tuple(faults),
        excluded="" if references else "its only reference is a non-answer",
    )


BENCHMARK = Benchmark(
    name="multimedx-qa",
    title="MultiMed-X, questions and answers",
    source="https://github.com/astridesa/Med-CoReasoner",
    licence="CC BY 4.0",
    tasks=("open",),
    files="liveqa_jp_200.xlsx or the same of another language",
    folders=("multimedx_ja", "MultiMed-X", "multimedx"),
    speaks=_languages,
    read=_read,
)
