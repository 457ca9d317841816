"""The texts that the injection measurement reads: guidelines and other clean text, and published attacks.

All come from a folder of shared data (see the SOURCE.txt beside each set), the starter packs of the product, and
`probes.toml`. It neither scans nor counts.
"""

import csv
import json
import tomllib
from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, NamedTuple

from knowledge.chunk import chunk
from knowledge.parse import parse, read_text
from knowledge.shipped import starter_packs

Half = Literal["tune", "report"]
_LANGUAGES = {
    "arabic": "ar",
    "chinese": "zh",
    "english": "en",
    "french": "fr",
    "german": "de",
    "haitian_creole": "ht",
    "hindi": "hi",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
    "swahili": "sw",
    "tagalog": "tl",
    "thai": "th",
    "vietnamese": "vi",
    "yoruba": "yo",
    "zulu": "zu",
}


class Text(NamedTuple):
    """A text of a set; `group` is the set's own category."""

    set: str
    language: str
    group: str
    text: str

    @property
    def half(self) -> Half:
        """Which half of its set it is in: the hash of the text decides."""
        return "report" if int(sha256(self.text.encode()).hexdigest(), 16) % 2 else "tune"


def guideline_documents(data: Path) -> Iterator[Text]:
    """Whole guideline documents: vaccine statements, nursing modules, COVID protocols and articles, starter packs."""
    folder = data / "guidelines"
    for path in sorted((folder / "vis_9lang").glob("*/*.txt")):
        yield Text("vaccine statements", _language(path.parent.name), "", _read(path))
    for path in sorted((folder / "tico19_docs").glob("*/*.txt")):
        yield Text("TICO-19", path.parent.name, "", _read(path))
    for row in _lines(folder / "openstax_nursing_en/openstax_pharmacology_nutrition.jsonl"):
        yield Text("OpenStax nursing", "en", "", row["text"])
    with (folder / "covid_protocol_zh_en/covid_zh_en.tsv").open(encoding="utf-8", newline="") as file:
        rows = [*csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    for language in ("zh", "en"):
        yield Text("COVID protocol", language, "", "\n".join(row[language] for row in rows))
    for pack in starter_packs():
        for path in sorted(pack.glob("*.md")):
            yield Text("starter packs", pack.name, "", _read(path))


def clean_passages(data: Path) -> Iterator[Text]:
    """Text without any attack: guidelines as they are cut for the store, other medical text, clean messages."""
    for document in guideline_documents(data):
        for piece in chunk(parse(document.text, "document.md")):
            yield document._replace(text=piece.text)
    yield from _health_answers(data)
    for row in _lines(data / "bench/casimedicos/casimedicos_dev.jsonl"):
        yield Text("exam cases", row["lang"], row["type"], "\n".join((row["case"], *row["options"])))
    for row in _lines(data / "injection/bipia/test.jsonl"):
        yield Text("BIPIA e-mails", "en", "", row["context"])
    for row in _rows(data / "injection/hinglish", "*clean*.csv"):
        yield Text("Hinglish clean", "hi-Latn", row["category"], row["hinglish"])
    yield from (text for text in probes() if text.set == "own clinical sentences")


def attacks(data: Path) -> Iterator[Text]:
    """Attacks, each once: BIPIA's, CyberSecEval's, Giskard's, Hinglish ones, and our own probes."""
    folder = data / "injection"
    found = (*_bipia(folder), *_cyberseceval(folder), *_giskard(folder), *_hinglish(folder))
    yield from {(text.set, text.text): text for text in found}.values()
    yield from (text for text in probes() if text.set == "own probes")


def probes() -> Iterator[Text]:
    """Our own attacks and clinical sentences in each language, written by whoever wrote the rules."""
    for language, lists in _probes()["languages"].items():
        for group, texts in lists["attacks"].items():
            yield from (Text("own probes", language, group, text) for text in texts)
        yield from (Text("own clinical sentences", language, "", text) for text in lists["clinical"])


def canaries() -> Iterator[Text]:
    """Attacks whose success shows in a word that nothing else says: `{canary}` in the text."""
    for language, lists in _probes()["canaries"].items():
        yield from (Text("canaries", language, group, text) for group, text in lists.items())


def _probes() -> dict[str, Any]:
    return tomllib.loads(files("evaluation").joinpath("probes.toml").read_text("utf-8"))


def _health_answers(data: Path) -> Iterator[Text]:
    """Answers to consumers' questions, by experts, in five languages."""
    for row in _lines(data / "retrieval/xlinghealth_liveqa/liveqa_corpus.jsonl"):
        yield from (Text("LiveQA answers", language, "", row[language]) for language in ("en", "zh", "es", "hi"))
    for row in _lines(data / "retrieval/liveqa_5lang/liveqa_en_ja_zh_es_hi.jsonl"):
        yield Text("LiveQA answers", "ja", "", row["answer"]["ja"])


def _bipia(folder: Path) -> Iterator[Text]:
    for path in sorted((folder / "bipia").glob("*_attack_*.json")):
        for group, texts in json.loads(path.read_text("utf-8")).items():
            yield from (Text("BIPIA", "en", group, text) for text in texts)


def _cyberseceval(folder: Path) -> Iterator[Text]:
    for path in sorted((folder / "cyberseceval").glob("*.json")):
        for row in json.loads(path.read_text("utf-8")):
            language = _language(row["speaking_language"].lower())
            name = f"CyberSecEval {row['injection_type']}"
            yield Text(name, language, row["injection_variant"], row["user_input"])


def _giskard(folder: Path) -> Iterator[Text]:
    for row in _rows(folder / "giskard", "prompt_injections.csv"):
        yield Text("Giskard", row["language"], row["group"], row["prompt"])


def _hinglish(folder: Path) -> Iterator[Text]:
    for row in _rows(folder / "hinglish", "*stealth*.csv"):
        yield Text("Hinglish", "hi-Latn", row["category"], row["hinglish"])


def _rows(folder: Path, pattern: str) -> Iterable[dict[str, str]]:
    for path in sorted(folder.glob(pattern)):
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in path.read_text("utf-8").splitlines())


def _read(path: Path) -> str:
    return read_text(path.read_bytes(), path.name).text


def _language(name: str) -> str:
    return _LANGUAGES.get(name, name)
