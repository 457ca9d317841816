"""How well a claim's support is judged: `python -m evaluation.claims`.

True sentences are lines of the starter guidelines that cite the passage they stand in, or the passage of the English
edition with the same place; with `--data`, also sentences of the shared guidelines that cite the passage they stand
in. Each is made wrong in one thing, or cites an English passage on something else; a wrong one must be refused. Prints
a Markdown table for each of the two.
"""

import argparse
import random
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from agents.drug_classes import classes_spoken_of, drug_classes
from agents.drugs import drugs
from agents.messages import CitedPassage, Claim
from agents.nearness import Nearness
from agents.quantities import DOSES, numbers, quantities
from agents.settings import STARTER_EMBEDDER, load_settings
from agents.support import check
from evaluation.bench import machine
from evaluation.claim_lines import Line, lines, shared_lines
from evaluation.vectors import OnceEmbedder
from knowledge.passage import Passage
from knowledge.shipped import starter_packs
from models.embedder import Embedder
from models.errors import ModelError
from models.registry import Registry
from models.weights import WeightStore

_PIECE = 5  # characters
CHANGES = ("number", "unit", "dose", "per", "owner", "negation", "drug", "class", "passage")
_FOREIGN = "passage, English"  # a sentence that cites one on something else
_FOREIGN_CLASS = "class, English"  # one with another class of medicines that cites its translation
_WRONG = (*CHANGES, _FOREIGN, _FOREIGN_CLASS)


class Trial(NamedTuple):
    """A sentence that cites a passage; `change` is what was made wrong, or how it is true."""

    language: str
    change: str
    text: str
    passage: Passage


class _Ways(NamedTuple):
    units: list[list[str]]
    denied: list[list[str]]
    unlisted: list[str]
    classes: list[str]


@cache
def _known_ways() -> dict[str, _Ways]:
    content = tomllib.loads(files("evaluation").joinpath("claims.toml").read_text("utf-8"))
    return {language: _Ways(**ways) for language, ways in content.items()}


def changed(
    line: Line, others: Sequence[Line], known: frozenset[str], change: str, chance: random.Random, spoken: str = ""
) -> Trial | None:
    """The line made wrong in one thing; None where it has no such thing. `known` are words for medicines, and `spoken`
    is the line's language where that is not its passage's."""
    language = spoken or line.passage.language
    if change == "passage":
        strange = [other.passage for other in others if other.place[0] != line.place[0]]
        drawn = chance.sample(strange, len(strange))
        passage = next((passage for passage in drawn if not _says(passage, line.text)), None)
        return Trial(language, change, line.text, passage) if passage else None
    makers: dict[str, Callable[[], str | None]] = {
        "number": lambda: _other_number(line.text, chance),
        "unit": lambda: _other_unit(line.text, _known_ways()[language], chance),
        "dose": lambda: _other_dose(line, chance),
        "per": lambda: _other_per(line.text, chance),
        "owner": lambda: _other_owner(line.text, chance),
        "negation": lambda: _other_sense(line.text, _known_ways()[language], chance),
        "drug": lambda: _other_drug(line, known, _known_ways()[language], chance),
        "class": lambda: _other_class(line, _known_ways()[language], chance),
    }
    text = makers[change]()
    return Trial(language, change, text, line.passage) if text and text != line.text else None


def _says(passage: Passage, text: str) -> bool:
    """Whether a passage has most of a text letter by letter: leaflets of one publisher say some sentences alike."""
    pieces = [text[i : i + _PIECE] for i in range(0, max(1, len(text) - _PIECE + 1))]
    return sum(piece in passage.text for piece in pieces) > len(pieces) / 2


def _other_number(text: str, chance: random.Random) -> str | None:
    places = list(re.finditer(r"(?<![\d.,])\d+(?![\d]|[.,]\d)", text))
    if not places:
        return None
    at = chance.choice(places)
    number = int(at[0])
    return text_with(text, at, str(chance.choice([number + 1, number * 2 + 1, number * 10])))


def _other_unit(text: str, ways: _Ways, chance: random.Random) -> str | None:
    found = [
        (at, after)
        for before, after in ways.units
        for at in re.finditer(rf"(?<=\d)(\s?){re.escape(before)}(?![^\W\d_]*[a-z])", text)
    ]
    if not found:
        return None
    at, after = chance.choice(found)
    return text_with(text, at, at[1] + after)


_DOSE = re.compile(r"\d+(?:[.,]\d+)?\s?(?:mg|g|mcg|μg|ml|mL|UI|IU)(?![^\W\d_])")


def _other_dose(line: Line, chance: random.Random) -> str | None:
    """A dose of the line replaced by one that the passage gives for another medicine."""
    own = {(q.number, q.unit) for q in quantities(line.text) if q.unit in DOSES}
    named = drugs(line.text)
    strange = [
        dose[0]
        for other in line.passage.text.split("\n")
        if drugs(other) and not drugs(other) & named
        for dose in _DOSE.finditer(other)
        if not {(q.number, q.unit) for q in quantities(dose[0])} & own
    ]
    places = list(_DOSE.finditer(line.text))
    if not places or not strange or not named:
        return None
    at = chance.choice(places)
    return text_with(line.text, at, chance.choice(strange))


_PER = re.compile(r"(?<=\d)(\s?(?:mg|g|mcg|μg|ml|mL))(/kg)?(?![\w/])")


def _other_per(text: str, chance: random.Random) -> str | None:
    """A dose made one for each kilogram, millilitre or hour that was none, or for each millilitre for each kilogram."""
    places = list(_PER.finditer(text))
    if not places or any(q[:2] == ("1", "kg") for q in quantities(text)):
        return None
    at = chance.choice(places)
    return text_with(text, at, at[1] + chance.choice(["/ml", "/kg/h"] if at[2] else ["/kg", "/h"]))


def _other_owner(text: str, chance: random.Random) -> str | None:
    """Two medicines of the line, each with doses of its own, in each other's place."""
    words = [at for at in re.finditer(r"[^\W\d_]+(?:\s?[(（][^\W\d_]+[)）])?", text) if len(drugs(at[0])) == 1]
    ends = [*(at.start() for at in words[1:]), len(text)][: len(words)]
    doses = [tuple(_DOSE.findall(text[at.end() : end])) for at, end in zip(words, ends, strict=True)]
    given = [(at, own) for at, own in zip(words, doses, strict=True) if own]
    pairs = [
        (one, other)
        for i, (one, own) in enumerate(given)
        for other, theirs in given[i + 1 :]
        if drugs(one[0]) != drugs(other[0]) and not set(own) & set(theirs)
    ]
    if not pairs:
        return None
    one, other = chance.choice(pairs)
    return text_with(text_with(text, other, one[0]), one, other[0])


def text_with(text: str, at: re.Match[str], instead: str) -> str:
    """The text with what was matched replaced."""
    return text[: at.start()] + instead + text[at.end() :]


def _other_sense(text: str, ways: _Ways, chance: random.Random) -> str | None:
    pairs = [(a, b) for a, b in ways.denied if b not in text]
    pairs += [(b, a) for a, b in ways.denied]
    found = [(at, instead) for said, instead in pairs for at in re.finditer(rf"(?<![a-zء-ي]){re.escape(said)}", text)]
    return text_with(text, *chance.choice(found)) if found else None


def _medicines(others: Sequence[Line]) -> frozenset[str]:
    """The words of some lines that name a medicine."""
    words = {w for o in others for w in re.findall(r"[^\W\d_]{4,}", o.text)}
    return frozenset(w for w in words if len(w) <= 16 and drugs(w))


def _other_drug(line: Line, known: frozenset[str], ways: _Ways, chance: random.Random) -> str | None:
    words = [at for at in re.finditer(r"[^\W\d_]+(?:[-' ][^\W\d_]+)?", line.text) if drugs(at[0])]
    words = [at for at in words if len(at[0].split()) == 1]
    if not words:
        return None
    at = chance.choice(words)
    strange = sorted(w for w in known if not drugs(w) & drugs(line.passage.in_context)) + ways.unlisted
    return text_with(line.text, at, chance.choice(strange))


def _other_class(line: Line, ways: _Ways, chance: random.Random) -> str | None:
    """A class of medicines of the line replaced by one on which its passage says nothing."""
    places = [at for name in ways.classes for at in re.finditer(rf"(?<![a-z]){re.escape(name)}", line.text, re.I)]
    spoken_of = classes_spoken_of(line.passage.in_context)
    strange = [name for name in ways.classes if spoken_of.isdisjoint(drug_classes(name))]
    return text_with(line.text, chance.choice(places), chance.choice(strange)) if places and strange else None


def trials(read: Mapping[str, Sequence[Line]], each: int, most: int, seed: int) -> Iterator[Trial]:
    """Of every language up to `most` true lines, either way, and up to `each` wrong ones of every kind."""
    chance = random.Random(seed)
    english = {line.place: line for line in read.get("en", ())}
    for code, every in read.items():
        found, known = chance.sample(every, len(every)), _medicines(every)
        # Local practice stands in the same place with doses of its own: only what says the same is a translation.
        pairs = [(line, english[line.place]) for line in found if code != "en" and line.place in english]
        translated = [(line, same) for line, same in pairs if _figures(line.text) == _figures(same.text)]
        chosen = chance.sample(found, min(most, len(found)))
        yield from (Trial(code, "true", line.text, line.passage) for line in chosen)
        chosen_pairs = chance.sample(translated, min(most, len(translated)))
        yield from (Trial(code, "true, English", line.text, same.passage) for line, same in chosen_pairs)
        for change in CHANGES:
            made = (trial for line in found if (trial := changed(line, found, known, change, chance)))
            yield from islice(made, each)
        for line, _ in pairs[:each]:
            if others := [other.passage for place, other in english.items() if place[0] != line.place[0]]:
                yield Trial(code, _FOREIGN, line.text, chance.choice(others))
        citing = (line._replace(passage=same.passage) for line, same in translated)
        other = (trial for line in citing if (trial := changed(line, found, known, "class", chance, code)))
        yield from (trial._replace(change=_FOREIGN_CLASS) for trial in islice(other, each))


def _figures(text: str) -> set[str]:
    """The numbers of a text but one, two and three, which some languages write as words."""
    return {number for number in numbers(text) if number not in ("1", "2", "3")}


def judged(trial: Trial, nearness: Nearness) -> Claim:
    """What the product says of it.

    An embedder adds an objection and takes none away where sentence and passage have one language: only what stands
    without one has to be embedded.
    """
    cited = CitedPassage(number=1, passage=trial.passage, similarity=None, score=0.0, relevant=True, expired=False)
    said, foreign = [(trial.text, (1,))], trial.passage.language != trial.language
    claim = check(said, [cited], None, "", trial.language)[0]
    return check(said, [cited], nearness, "", trial.language)[0] if claim.supported or foreign else claim


def table(results: dict[tuple[str, str], list[bool]]) -> Iterator[str]:
    """A row a language: the share of true ones kept, and of wrong ones refused."""
    kinds = ("true", "true, English", *_WRONG)
    yield f"| language | {' | '.join(kinds)} | wrong, all |"
    yield f"|{'---|' * (len(kinds) + 2)}"
    for code in sorted({code for code, _ in results}):
        cells = [_share(results.get((code, kind), [])) for kind in kinds]
        wrong = [right for kind in _WRONG for right in results.get((code, kind), [])]
        yield f"| {code} | {' | '.join(cells)} | {_share(wrong)} |"


def _share(right: Sequence[bool]) -> str:
    return f"{100 * sum(right) / len(right):.1f} % of {len(right)}" if right else "-"


def main(given: Sequence[str] | None = None) -> None:
    """Judge them all and print the table."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.claims", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--models-folder", type=Path, default=load_settings().models_folder)
    parser.add_argument("--each", type=int, default=60, help="wrong sentences of a kind and language")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, help="folder of the shared data, for its guidelines")
    parser.add_argument("--most", type=int, default=120, help="true sentences of a language")
    parser.add_argument("--show", action="store_true", help="print every sentence that was judged wrongly")
    arguments = parser.parse_args(given)
    store = WeightStore(arguments.models_folder, Registry.load())
    try:
        opened = Embedder(store.checked_path(STARTER_EMBEDDER), store.registry.card(STARTER_EMBEDDER))
    except ModelError as error:
        raise SystemExit(str(error)) from None
    print(f"{machine()}\n")
    sets = {"starter guidelines": {pack.name: lines(pack) for pack in starter_packs()}}
    if arguments.data:
        sets["shared guidelines"] = dict(shared_lines(arguments.data, tuple(_known_ways())))
    for name, read in sets.items():
        results: dict[tuple[str, str], list[bool]] = {}
        limits = opened.thresholds
        nearness = Nearness(OnceEmbedder(opened), limits.support, limits.across, limits.across_in)
        for trial in trials(read, arguments.each, arguments.most, arguments.seed):
            claim = judged(trial, nearness)
            right = claim.supported == trial.change.startswith("true")
            results.setdefault((trial.language, trial.change), []).append(right)
            if arguments.show and not right:
                print(f"{trial.language} {trial.change}: {trial.text} ({claim.why})")
        print(f"{name}, {sum(map(len, results.values()))} sentences\n\n" + "\n".join(table(results)) + "\n", flush=True)


if __name__ == "__main__":
    main()
