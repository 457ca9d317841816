"""How often a rendering into English is found wrong: human translations as they are, and with one thing changed.

`python -m evaluation.renderings --data FOLDER` reads the shared parallel texts and prints two Markdown tables. Knows
nothing of models.
"""

import argparse
import csv
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from html import unescape
from pathlib import Path
from typing import NamedTuple

from agents.drugs import drugs
from agents.fidelity import faults
from evaluation import workbook

_SEED = 7
_CHANGES = ("number", "unit", "negation", "drug")
_UNITS: tuple[tuple[str, str], ...] = (
    ("mg", "g"),
    ("g", "mg"),
    ("ml", "l"),
    ("years", "months"),
    ("year", "month"),
    ("months", "weeks"),
)
_UNITS += (("weeks", "days"), ("days", "weeks"), ("day", "week"), ("hours", "minutes"), ("minutes", "hours"))
_UNITS += (("mmHg", "%"), ("%", "mmHg"))
_DENIED: tuple[tuple[str, str], ...] = (
    ("no ", ""),
    ("not ", ""),
    ("without ", "with "),
    ("is ", "is not "),
    ("are ", "are not "),
)
_DENIED += (("has ", "has no "), ("can ", "cannot "), ("was ", "was not "), ("with ", "without "))


class Pair(NamedTuple):
    """A text and its human translation into English."""

    source: str
    language: str
    text: str
    english: str


def pairs(data: Path) -> Iterator[Pair]:
    """Every parallel text of the shared data that has English on one side."""
    yield from _headqa(data / "bench/headqa")
    yield from _casimedicos(data / "bench/casimedicos/casimedicos_dev.jsonl")
    yield from _liveqa(data / "retrieval")
    yield from _bionli(data / "bench/multimedx_ja/bionli_jp_150.xlsx")
    yield from _tico(data / "guidelines/tico19_docs")
    with (data / "guidelines/covid_protocol_zh_en/covid_zh_en.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        yield from (Pair("COVID protocol", "zh", row["zh"], row["en"]) for row in rows)


def _headqa(folder: Path) -> Iterator[Pair]:
    exams = [json.loads((folder / name).read_text("utf-8"))["exams"] for name in ("dev_HEAD.json", "dev_HEAD_EN.json")]
    for name, exam in exams[0].items():
        english = {item["qid"]: item["qtext"] for item in exams[1].get(name, {"data": []})["data"]}
        for item in exam["data"]:
            if item["qid"] in english:
                yield Pair("HEAD-QA", "es", item["qtext"], english[item["qid"]])


def _casimedicos(path: Path) -> Iterator[Pair]:
    items = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    english = {item["id"]: item["case"] for item in items if item["lang"] == "en"}
    for item in items:
        if item["lang"] != "en":
            yield Pair("CasiMedicos", item["lang"], item["case"], english[item["id"]])


def _liveqa(folder: Path) -> Iterator[Pair]:
    for line in (folder / "liveqa_5lang/liveqa_en_ja_zh_es_hi.jsonl").read_text("utf-8").splitlines():
        asked = json.loads(line)["question"]
        yield from (
            Pair("LiveQA", code, unescape(asked[code]), unescape(asked["en"])) for code in ("ja", "zh", "es", "hi")
        )


def _bionli(path: Path) -> Iterator[Pair]:
    for row in list(workbook.rows(path))[1:]:
        if isinstance(row[0], str) and isinstance(row[1], str):
            yield Pair("BioNLI", "ja", row[1], row[0])


def _tico(folder: Path) -> Iterator[Pair]:
    english = (folder / "en/covid19_disease.txt").read_text("utf-8").splitlines()
    # What lies under `ko` is another language, in Latin letters.
    for code in ("ar", "es", "fr", "hi", "pt", "sw", "zh", "zu"):
        lines = (folder / code / "covid19_disease.txt").read_text("utf-8").splitlines()
        both = zip(lines, english, strict=True)
        yield from (Pair("TICO-19", code, own, other) for own, other in both if own.strip() and other.strip())


def changed(english: str, change: str, chance: random.Random) -> str | None:
    """The translation with one number, unit, denial or medicine made another; None where it has none."""
    makers: dict[str, Callable[[], list[str]]] = {
        "number": lambda: _numbers(english, chance),
        "unit": lambda: [_replaced(english, found) for found in _found(english, _UNITS, r"(?<=\d)([ -]?)", r"\b")],
        "negation": lambda: [_replaced(english, found) for found in _found(english, _DENIED, r"\b()", "")],
        "drug": lambda: _medicines(english),
    }
    made = [text for text in makers[change]() if text != english]
    return chance.choice(made) if made else None


def _numbers(english: str, chance: random.Random) -> list[str]:
    places = re.finditer(r"(?<![\w.,-])\d+(?![\w]|[.,]\d)", english)
    return [
        f"{english[: at.start()]}{int(at[0]) + chance.choice((1, 2, 9, 30))}{english[at.end() :]}"
        for at in places
        if int(at[0]) > 1
    ]


def _found(
    english: str, ways: Sequence[tuple[str, str]], before: str, after: str
) -> Iterator[tuple[re.Match[str], str]]:
    for old, new in ways:
        yield from ((at, new) for at in re.finditer(f"{before}{re.escape(old)}{after}", english))


def _replaced(english: str, found: tuple[re.Match[str], str]) -> str:
    at, new = found
    return f"{english[: at.start()]}{at[1]}{new}{english[at.end() :]}"


def _medicines(english: str) -> list[str]:
    made = []
    for name in sorted(drugs(english)):
        other = "metformin" if name != "metformin" else "warfarin"
        made.append(re.sub(rf"\b{re.escape(name[:5])}\w*", other, english, flags=re.IGNORECASE))
    return made


def rows(found: Sequence[Pair], shown: Path | None = None) -> Iterator[str]:
    """A row for each source and language: faults found in true translations, and in changed ones."""
    groups: dict[tuple[str, str], list[Pair]] = {}
    for pair in found:
        groups.setdefault((pair.source, pair.language), []).append(pair)
    listed_alarms: list[str] = []
    for (source, code), listed in groups.items():
        chance = random.Random(_SEED)
        kinds: list[str] = []
        alarms = 0
        kept: list[Pair] = []
        for pair in listed:
            wrong = faults(pair.text, code, pair.english)
            alarms += bool(wrong)
            kinds += sorted({fault.kind for fault in wrong})
            if not wrong:
                kept.append(pair)
            else:
                said = [fault.model_dump() for fault in wrong]
                listed_alarms.append(json.dumps([source, code, said, pair.text, pair.english], ensure_ascii=False))
        cells = [f"{alarms / len(listed):.1%}", *(f"{kinds.count(kind)}" for kind in _CHANGES)]
        for change in _CHANGES:
            made = [(pair, text) for pair in kept if (text := changed(pair.english, change, chance))]
            seen = sum(bool(faults(pair.text, code, text)) for pair, text in made)
            cells.append(f"{seen / len(made):.0%} of {len(made)}" if made else "")
        yield f"| {source} | {code} | {len(listed)} | {' | '.join(cells)} |"
    if shown:
        shown.write_text("\n".join(listed_alarms) + "\n", "utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of shared benchmark files")
    parser.add_argument("--alarms", type=Path, help="a file for the true translations that were found wrong")
    given = parser.parse_args(arguments)
    head = (
        "source",
        "language",
        "pairs",
        "false alarms",
        *(f"by {c}" for c in _CHANGES),
        *(f"{c} seen" for c in _CHANGES),
    )
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    for row in rows(list(pairs(given.data)), given.alarms):
        print(row, flush=True)


if __name__ == "__main__":
    main()
