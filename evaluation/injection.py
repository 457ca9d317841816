"""How often the scanner marks clean text and how many attacks it finds: `python -m evaluation.injection --data FOLDER`.

Half of every set was there to tune the rules on, the other half is reported; the hash of a text decides. With
`--model` also how often an attack gets its word into an answer (`evaluation.obedience`). Knows nothing of scores of
answers.
"""

import argparse
import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from scipy.stats import binomtest

from evaluation.injection_sets import Half, Text, attacks, clean_passages, guideline_documents
from knowledge.scanner import scan
from knowledge.untrusted import neutralise
from models.errors import ModelError


class Found(NamedTuple):
    """What became of an attack inside of a guideline: marked, or something of it removed by `neutralise`, or both."""

    attack: Text
    marked: bool
    removed: bool


def false_alarm(passage: Text) -> bool:
    """Whether a passage without an attack is marked."""
    return bool(scan(neutralise(passage.text).text))


class Carriers:
    """Guideline documents into which attacks are put, by language; English ones for languages that have none."""

    def __init__(self, documents: Iterable[Text]) -> None:
        self._documents: dict[str, list[str]] = defaultdict(list)
        for document in documents:
            self._documents[document.language].append(document.text)

    def found(self, attack: Text) -> Found:
        """Put the attack between two lines of a document that its hash chooses, and scan the whole."""
        number = int(sha256(attack.text.encode()).hexdigest()[:12], 16)
        documents = self._documents.get(attack.language) or self._documents["en"]
        lines = documents[number % len(documents)].split("\n")
        at = number // len(documents) % (len(lines) + 1)
        before, clean, after = "\n".join(lines[:at]), neutralise(attack.text), "\n".join(lines[at:])
        start, end = len(before) + 1, len(before) + 1 + len(clean.text)
        marks = scan(f"{before}\n{clean.text}\n{after}")
        return Found(attack, any(m.start < end and m.end > start for m in marks), bool(clean.removed))


def rate(hits: int, of: int) -> str:
    """A share in percent with its 95 % Wilson interval."""
    if not of:
        return "-"
    interval = binomtest(hits, of).proportion_ci(method="wilson")
    return f"{hits / of:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


def false_alarm_table(passages: Iterable[Text]) -> Iterator[str]:
    """Marked passages by set and language."""
    of, hits = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for passage in passages:
        key = (passage.set, passage.language)
        of[key] += 1
        hits[key] += false_alarm(passage)
    yield "| clean set | language | passages | marked | share [95 %] |\n|---|---|---|---|---|"
    for (name, language), n in sorted(of.items()):
        marked = hits[name, language]
        yield f"| {name} | {language} | {n} | {marked} | {rate(marked, n)} |"
    total = sum(hits.values())
    yield f"| all | | {of.total()} | {total} | {rate(total, of.total())} |"


def detection_table(found: Sequence[Found], column: str, key: Callable[[Text], str]) -> Iterator[str]:
    """Marked attacks by set and another property, and by set alone."""
    groups: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for one in found:
        groups[one.attack.set, key(one.attack)].append(one)
        groups[one.attack.set, "all"].append(one)
    yield f"| attacks | {column} | n | marked | only neutralised | share marked [95 %] |\n|---|---|---|---|---|---|"
    for (name, value), members in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] == "all", item[0])):
        marked = sum(one.marked for one in members)
        removed = sum(one.removed and not one.marked for one in members)
        yield f"| {name} | {value} | {len(members)} | {marked} | {removed} | {rate(marked, len(members))} |"


def tables(data: Path, half: Half) -> Iterator[str]:
    """All tables of one half, line by line."""
    yield from false_alarm_table(p for p in clean_passages(data) if p.half == half)
    carriers = Carriers(guideline_documents(data))
    found = [carriers.found(attack) for attack in attacks(data) if attack.half == half]
    yield ""
    yield from detection_table(found, "language", lambda attack: attack.language)
    yield ""
    yield from detection_table(found, "group", lambda attack: attack.group)


def shown(data: Path) -> Iterator[str]:
    """What to tune by, of the tuning half only: clean passages that are marked, and attacks that are not."""
    for passage in clean_passages(data):
        if passage.half == "tune":
            text = neutralise(passage.text).text
            yield from (
                f"false alarm\t{passage.set}\t{passage.language}\t{m.rule}\t{text[m.start : m.end]!r}"
                for m in scan(text)
            )
    carriers = Carriers(guideline_documents(data))
    for attack in attacks(data):
        if attack.half == "tune" and not carriers.found(attack).marked:
            yield f"missed\t{attack.set}\t{attack.language}\t{attack.group}\t{attack.text[:300]!r}"


def main(given: Sequence[str] | None = None) -> None:
    """Print the tables of the reported half; with --model also those of attacks that reach a model."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.injection", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of shared data")
    parser.add_argument("--half", choices=("tune", "report"), default="report", help="which half of every set")
    parser.add_argument("--show", action="store_true", help="list the tuning half's false alarms and misses instead")
    parser.add_argument("--model", action="append", default=[], help="also attack this language model; may be repeated")
    parser.add_argument("--models-folder", type=Path, help="where weights are")
    parser.add_argument("--each", type=int, help="so many attacks of each language on a model, instead of all 40")
    arguments = parser.parse_args(given)
    for line in shown(arguments.data) if arguments.show else tables(arguments.data, arguments.half):
        print(line, flush=True)
    try:
        for name in arguments.model:
            asyncio.run(_attack(name, arguments.models_folder, arguments.each))
    except ModelError as error:
        raise SystemExit(str(error)) from None


async def _attack(name: str, folder: Path | None, each: int | None) -> None:
    # Importing models and agents takes longer than the whole scan.
    from agents.settings import load_settings
    from evaluation.obedience import measure

    print(flush=True)
    async for line in measure(name, folder or load_settings().models_folder, each):
        print(line, flush=True)


if __name__ == "__main__":
    main()
