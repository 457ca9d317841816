"""How often the language of a short clinical text is recognised, by lingua alone and by the product.

`python -m evaluation.languages --data FOLDER` cuts the shared multilingual texts to 5, 10 and 20 words and prints
Markdown tables. Where a script puts no spaces between words, two characters of Chinese or Japanese and five of Thai
count as one word. Knows nothing of how a language is found.
"""

import argparse
import csv
import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from agents.errors import LanguageUnclear
from agents.identification import identification
from agents.languages import identify, languages
from agents.red_flags import table

LENGTHS = (5, 10, 20)
_MOST = 300  # texts of one source and language
_CHARACTERS = {"zh": 2, "ja": 2, "th": 5}
_TERMS = {"ar": "g_en_ar", "de": "g_en_de", "th": "f_en-th_TH", "yo": "f_en-yo_NG"}
_OTHERS = ("id", "tl", "vi", "so", "ha", "ru", "fa", "ur", "bn")


class Text(NamedTuple):
    """A text of a source, whose language is known."""

    source: str
    language: str
    text: str


class Count(NamedTuple):
    """How many texts there were, how many were recognised by lingua alone and by the product, how many left open."""

    texts: int
    alone: int
    product: int
    open: int


def texts(data: Path) -> Iterator[Text]:
    """The shared questions and documents, and for th yo de, of which there are none, the product's own sentences."""
    yield from _exams(data / "bench")
    yield from _questions(data)
    for folder in sorted((data / "guidelines/tico19_docs").iterdir()):
        # What lies under `ko` is another language, in Latin letters.
        if folder.name in languages() and folder.name != "ko":
            lines = (folder / "covid19_disease.txt").read_text("utf-8").splitlines()
            yield from (Text("TICO-19", folder.name, line) for line in lines if line.strip())
    for file in sorted((data / "guidelines/vis_9lang/korean").iterdir()):
        lines = file.read_text("utf-8").splitlines()
        yield from (Text("vaccine statements", "ko", line) for line in lines if any("가" <= c <= "힣" for c in line))
    for code in ("th", "yo", "de"):
        own = table(code)
        assert own is not None
        yield from (Text("red flag tables", code, words.action) for words in own.emergencies.values())


def _exams(bench: Path) -> Iterator[Text]:
    for code, name in (("es", "dev_HEAD.json"), ("en", "dev_HEAD_EN.json")):
        exams = json.loads((bench / "headqa" / name).read_text("utf-8"))["exams"].values()
        yield from (Text("HEAD-QA", code, item["qtext"]) for exam in exams for item in exam["data"])
    for line in (bench / "casimedicos/casimedicos_dev.jsonl").read_text("utf-8").splitlines():
        item = json.loads(line)
        yield Text("CasiMedicos", item["lang"], item["case"])
    for item in json.loads((bench / "frenchmedmcqa/dev.json").read_text("utf-8")):
        yield Text("FrenchMedMCQA", "fr", item["question"])
    with (bench / "jmmlu_med/professional_medicine.csv").open(encoding="utf-8-sig", newline="") as file:
        yield from (Text("JMMLU", "ja", row[0]) for row in csv.reader(file) if row)


def _questions(data: Path) -> Iterator[Text]:
    for line in (data / "retrieval/liveqa_5lang/liveqa_en_ja_zh_es_hi.jsonl").read_text("utf-8").splitlines():
        yield Text("LiveQA", "ja", json.loads(line)["question"]["ja"])
    for line in (data / "retrieval/xlinghealth_liveqa/liveqa_queries.jsonl").read_text("utf-8").splitlines():
        item = json.loads(line)
        yield from (Text("LiveQA", code, item[code]) for code in ("en", "zh", "es", "hi") if item[code])


def others(data: Path) -> Iterator[Text]:
    """Texts in languages that the product does not know."""
    for code in _OTHERS:
        folder = data / "guidelines/tico19_docs" / code
        if folder.is_dir():
            lines = (folder / "covid19_disease.txt").read_text("utf-8").splitlines()
            yield from (Text("TICO-19", code, line) for line in lines if line.strip())


def terms(data: Path) -> Iterator[Text]:
    """Single terms, uncut: the hardest texts there are."""
    with (data / "terms/hpo/hpo_labels_aligned.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            yield from (Text("HPO", code, row[code]) for code in ("en", "ja", "zh", "es", "fr", "pt") if row[code])
    for code, name in _TERMS.items():
        with (data / f"terms/tico19/{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            yield from (Text("TICO-19 terms", code, row["targetString"]) for row in rows if row.get("targetString"))


def cut(text: str, language: str, words: int) -> str | None:
    """The beginning of a text of so many words; None where it is shorter."""
    if size := _CHARACTERS.get(language):
        plain = " ".join(text.split())
        return plain[: size * words] if len(plain) >= size * words else None
    listed = text.split()
    return " ".join(listed[:words]) if len(listed) >= words else None


def thinned(found: Sequence[Text]) -> list[Text]:
    """At most 300 texts of each source and language, evenly taken."""
    groups: dict[tuple[str, str], list[Text]] = {}
    for text in found:
        groups.setdefault((text.source, text.language), []).append(text)
    return [text for group in groups.values() for text in group[:: max(1, -(-len(group) // _MOST))]]


def found_by_product(text: str, local: str | None = None) -> str | None:
    """The language that the product takes a text to be in; None where it asks the clinician."""
    try:
        return identification(text, tuple(languages()), local).language
    except LanguageUnclear:
        return None


def count(found: Sequence[Text], words: int | None) -> Count:
    """Recognised texts among those that are long enough."""
    tally: Counter[str] = Counter()
    for _, code, whole in found:
        text = cut(whole, code, words) if words else whole
        if text and any(c.isalpha() for c in text):
            mine = found_by_product(text)
            tally.update(texts=1, alone=identify(text, tuple(languages())) == code, product=mine == code)
            tally.update(open=mine is None)
    return Count(tally["texts"], tally["alone"], tally["product"], tally["open"])


def rows(found: Sequence[Text], lengths: Sequence[int | None]) -> Iterator[str]:
    """A row for each language, with a group of cells for each length."""
    for code in languages():
        own = [text for text in found if text.language == code]
        if own:
            cells = " | ".join(_cells(count(own, words)) for words in lengths)
            yield f"| {code} | {', '.join(dict.fromkeys(text.source for text in own))} | {cells} |"


def _cells(counted: Count) -> str:
    if not counted.texts:
        return "0 | | | "
    shares = (counted.alone, counted.product, counted.open)
    return f"{counted.texts} | " + " | ".join(f"{share / counted.texts:.1%}" for share in shares)


def phrases() -> Iterator[Text]:
    """The phrases of `languages.toml`, written for this table, by what is hard in them."""
    content = tomllib.loads(files("evaluation").joinpath("languages.toml").read_text("utf-8"))
    for kind, entries in content.items():
        yield from (Text(kind, code, text) for code, listed in entries.items() for text in listed)


def phrase_rows(found: Sequence[Text]) -> Iterator[str]:
    """A row for each kind and language: recognised by lingua alone, by the product, left open; `?` should be open."""
    groups: dict[tuple[str, str], list[str]] = {}
    for kind, code, text in found:
        groups.setdefault((kind, code), []).append(text)
    for (kind, code), listed in groups.items():
        mine = [found_by_product(text) for text in listed]
        alone = [identify(text, tuple(languages())) for text in listed]
        right = [sum(code == (one or "?") for one in side) for side in (alone, mine)]
        yield f"| {kind} | {code} | {len(listed)} | {right[0]} | {right[1]} | {mine.count(None)} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of shared benchmark files")
    given = parser.parse_args(arguments)
    group = " | ".join(f"{words} words | lingua | product | asked" for words in LENGTHS)
    print(f"| language | sources | {group} |\n|{'---|' * (2 + 4 * len(LENGTHS))}", flush=True)
    for row in rows(thinned(list(texts(given.data))), LENGTHS):
        print(row, flush=True)
    print(f"\n| language | sources | terms | lingua | product | asked |\n|{'---|' * 6}")
    for row in rows(thinned(list(terms(given.data))), (None,)):
        print(row, flush=True)
    print(f"\n| another language | texts of 10 words | asked |\n|{'---|' * 3}")
    strange = thinned(list(others(given.data)))
    for code in dict.fromkeys(text.language for text in strange):
        counted = count([text for text in strange if text.language == code], 10)
        print(f"| {code} | {counted.texts} | {counted.open / max(1, counted.texts):.1%} |", flush=True)
    print(f"\n| phrases written for this | language | phrases | lingua | product | asked |\n|{'---|' * 6}")
    for row in phrase_rows(list(phrases())):
        print(row)


if __name__ == "__main__":
    main()
