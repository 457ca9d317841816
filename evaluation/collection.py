"""Questions whose answer is known: which document of a pack must be found for which question.

Reads the shared benchmark files and the questions on the starter guidelines, and writes answers as packs that the
store can take in. Knows neither how passages are searched nor how a search is scored.
"""

import html
import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import tomlkit

from knowledge.pack import MANIFEST

STARTER_QUESTIONS = Path(__file__).with_name("starter_questions.toml")
_TITLE = "Answer"  # the same for all, so that it neither helps nor harms
_LETTERS = 30

Texts = Mapping[str, str]  # by language


class Question(NamedTuple):
    """A question in some languages, and the names of the documents that answer it (file names without suffix)."""

    id: str
    texts: Texts
    answers: frozenset[str]

    @property
    def key(self) -> str:
        """Its first letters in English: two collections that share a question write its punctuation differently."""
        english = html.unescape(self.texts.get("en", self.id)).lower()
        return "".join(c for c in english if c.isalnum())[:_LETTERS]

    @property
    def held_out(self) -> bool:
        """Whether it belongs to the half on which nothing may be tuned, the same half in every language."""
        return sha256(self.key.encode()).digest()[0] % 2 == 1


class Collection(NamedTuple):
    """Questions and the packs with their answers; `pack` gives that of a language, written below a folder."""

    name: str
    questions: tuple[Question, ...]
    pack: Callable[[Path, str], Path]
    pairs: tuple[tuple[str, str], ...]  # language of the question, language of the answer

    def among(self, languages: Sequence[str]) -> "Collection":
        """Only what is asked and answered in these languages."""
        return self._replace(pairs=tuple(pair for pair in self.pairs if set(pair) <= set(languages)))


def collections(data: Path, starter: Path) -> tuple[Collection, ...]:
    """All collections: `data` is the folder of shared benchmark files, `starter` the packs that ship."""
    return five_languages(data), four_languages(data), starter_guidelines(starter)


def five_languages(data: Path) -> Collection:
    """96 consumer-health questions of LiveQA with their answers in English, Japanese, Chinese, Spanish and Hindi."""
    rows = _json_lines(data / "retrieval/liveqa_5lang/liveqa_en_ja_zh_es_hi.jsonl")
    questions = tuple(Question(row["id"], _present(row["question"]), frozenset({row["id"]})) for row in rows)
    answers = {row["id"]: _present(row["answer"]) for row in rows}
    return _written("liveqa-5", questions, answers, ("en", "ja", "zh", "es", "hi"))


def four_languages(data: Path) -> Collection:
    """245 questions of LiveQA and 244 answers in English, Chinese, Spanish and Hindi, as XLingHealth pairs them."""
    folder = data / "retrieval/xlinghealth_liveqa"
    lines = (folder / "liveqa_qrels.tsv").read_text("utf-8").splitlines()[1:]
    pairs = [line.split("\t")[:2] for line in lines]
    questions = tuple(
        Question(row["qid"], _present(row), frozenset(doc for question, doc in pairs if question == row["qid"]))
        for row in _json_lines(folder / "liveqa_queries.jsonl")
    )
    answers = {row["docid"]: _present(row) for row in _json_lines(folder / "liveqa_corpus.jsonl")}
    return _written("xlinghealth", questions, answers, ("en", "zh", "es", "hi"))


def starter_guidelines(starter: Path) -> Collection:
    """Questions on the topics of the starter packs, each in the languages of the packs."""
    content = tomllib.loads(STARTER_QUESTIONS.read_text("utf-8"))
    questions = tuple(
        Question(f"{topic}-{number}", texts, frozenset({topic}))
        for topic, asked in content.items()
        for number, texts in enumerate(asked, 1)
    )
    languages = tuple(sorted(path.parent.name for path in starter.glob(f"*/{MANIFEST}")))
    return Collection("starter", questions, lambda _, language: starter / language, _with_english(languages))


class Source(NamedTuple):
    """A document to be written: its text, and its title and language where it has its own."""

    text: str
    title: str = _TITLE
    language: str | None = None


def write_pack(folder: Path, name: str, language: str, documents: Mapping[str, Source]) -> Path:
    """Write documents by file name as a pack below the folder; return the pack's folder."""
    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, source in documents.items():
        (folder / file).write_bytes(source.text.encode())
    pack = {"name": name, "title": name, "publisher": "", "jurisdiction": "INT", "edition": "", "licence": ""}
    listed = [
        {"file": file, "title": source.title, "language": source.language or language}
        for file, source in documents.items()
    ]
    manifest = tomlkit.dumps({"pack": {**pack, "language": language}, "documents": listed})
    (folder / MANIFEST).write_text(manifest, "utf-8")
    return folder


def _written(
    name: str, questions: tuple[Question, ...], answers: Mapping[str, Texts], languages: tuple[str, ...]
) -> Collection:
    def pack(folder: Path, language: str) -> Path:
        documents = {f"{key}.txt": Source(texts[language]) for key, texts in answers.items()}
        return write_pack(folder, f"{name}-{language}", language, documents)

    return Collection(name, questions, pack, _with_english(languages))


def _with_english(languages: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Each language in itself, then each asked of English documents."""
    return (*((tag, tag) for tag in languages), *((tag, "en") for tag in languages if tag != "en"))


def _present(row: Mapping[str, Any]) -> dict[str, str]:
    """The texts that a row holds by two-letter language; one question has no English text."""
    return {key: text for key, text in row.items() if len(key) == 2 and isinstance(text, str) and text.strip()}


def _json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
