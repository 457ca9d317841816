"""Does an embedder know a clinical term in two languages for one concept, and other terms for others?

`python -m evaluation.alignment --data FOLDER` embeds the shared term sets with the starter embedder and the English
one and prints Markdown: how often a term's nearest English term is its translation, and how well "the same concept or
not" is decided at the registry's thresholds against the nearest other term and the denied term. What they are chosen
from is `evaluation.tuning`. Knows nothing of language models.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from agents.concept import describe
from agents.messages import Concept
from agents.settings import load_settings
from agents.synonyms import Synonyms
from evaluation.chains import DENIED, ENGLISH, SEED, neighbours
from evaluation.statistics import Hits, f1_interval, mean_interval
from evaluation.terms import Term, TermSet, distinct, term_sets
from evaluation.vectors import TermVectors
from models.embedder import Embedder
from models.registry import Agreement, Registry
from models.weights import WeightStore

_COMMON = 3  # concepts that both chains of a question have beside the one that is asked for
EMBEDDER, ENGLISH_EMBEDDER = "multilingual-e5-small", "all-minilm-l6-v2"


def open_vectors(name: str, models_folder: Path, work: Path) -> TermVectors:
    """The vectors of an embedder of the registry. Raises ModelError."""
    registry = Registry.load()
    folder = WeightStore(models_folder, registry).checked_path(name)
    return TermVectors(Embedder(folder, registry.card(name)), work)


def retrieved(terms: Sequence[Term], vectors: TermVectors) -> list[float]:
    """For each translation 1 where the nearest of all English terms is its own, else 0."""
    cosines = vectors([t.translation for t in terms]) @ vectors([t.english for t in terms]).T
    return [float(nearest == i) for i, nearest in enumerate(cosines.argmax(axis=1))]


class Contest(NamedTuple):
    """A term against a chain that has its translation, against one that has only the neighbour, and denied."""

    same: Hits
    neighbour: Hits
    denied: Hits

    @property
    def all(self) -> Hits:
        """Of three questions, of which one is to be answered with "the same"."""
        return Hits(*(sum(counts) for counts in zip(self.same, self.neighbour, self.denied, strict=True)))


class Asked(NamedTuple):
    """The three questions on a term as chains: `same` and `denied` have `english`, of which the first is the term.

    The rule is to say of the first local concept whether it is one of the English ones.
    """

    term: Term
    english: tuple[Concept, ...]
    local: tuple[Concept, ...]
    denied: Concept


def asked(terms: TermSet, near: Mapping[str, Term]) -> list[Asked]:
    """Every term of a set in chains of ENGLISH concepts, _COMMON of the others in both, drawn from a seed."""
    rng = np.random.default_rng([SEED, *terms.language.encode()])
    return [_asked(term, terms, near[term.english], rng) for term in terms.terms]


def _asked(term: Term, terms: TermSet, near: Term, rng: np.random.Generator) -> Asked:
    drawn = [terms.terms[i] for i in rng.permutation(len(terms.terms))[: 2 * ENGLISH]]
    drawn = [other for other in drawn if other not in (term, near)]
    ours, others = [term, near, *drawn[: ENGLISH - 2]], [*drawn[:_COMMON], *drawn[ENGLISH - 2 :]][: ENGLISH - 1]
    return Asked(
        term=term,
        english=tuple(_described(t.english, "en") for t in ours),
        local=tuple(_described(t.translation, terms.language) for t in (term, *others)),
        denied=_described(DENIED[terms.language].format(term.translation), terms.language),
    )


@cache
def _described(name: str, language: str) -> Concept:
    return describe(name, "", language)


def contest(question: Asked, vectors: TermVectors, synonyms: Synonyms) -> Contest:
    """What the rule that merges synonyms says to the three questions."""

    def merged(english: Sequence[Concept], local: Sequence[Concept]) -> str:
        """The English name that the first local concept is merged with, empty without one."""
        found = synonyms(english, local, vectors(compared(english)), vectors(compared(local)))
        ours = [english[pair.english] for pair in found if pair.local == 0]
        return "".join(concept.name for concept in ours if concept.asserted == local[0].asserted)

    term, english, local, denied = question
    same = merged(english, local)
    return Contest(
        same=Hits(int(same == term.english), int(same not in ("", term.english)), int(same != term.english)),
        neighbour=Hits(0, int(bool(merged(english[1:], local))), 0),
        denied=Hits(0, int(bool(merged(english, (denied, *local[1:])))), 0),
    )


def compared(concepts: Sequence[Concept]) -> list[str]:
    """What is embedded of concepts."""
    return [concept.compared for concept in concepts]


class Measured(NamedTuple):
    """One embedder on one set: top-1 hits and contests."""

    terms: TermSet
    top: list[float]
    contests: list[Contest]


def measure(sets: Sequence[TermSet], vectors: TermVectors, english: TermVectors) -> list[Measured]:
    """Every set; neighbours are those that the English embedder finds."""
    synonyms = Synonyms.of(vectors.embedder.thresholds)
    return [
        Measured(one, retrieved(one.terms, vectors), [contest(question, vectors, synonyms) for question in questions])
        for one, questions in ((one, asked(one, neighbours(one.terms, english))) for one in sets)
    ]


def once(terms: TermSet, data: Path) -> TermSet:
    """The set with each concept once: another name of the same one is no hard negative."""
    return terms._replace(terms=distinct(terms.terms, data)) if terms.source == "tico19" else terms


def table(name: str, measured: Sequence[Measured]) -> Iterator[str]:
    """Markdown: a row a set."""
    yield (
        f"| {name} | language | n | translation nearest of all | F1 | precision | recall | neighbour refused "
        "| denied refused |"
    )
    yield f"|{'---|' * 9}"
    yield from (_row(m.terms.source, m.terms.language, m.top, m.contests) for m in measured)
    yield _row("all", "", [t for m in measured for t in m.top], [c for m in measured for c in m.contests])


def _row(source: str, language: str, top: Sequence[float], contests: Sequence[Contest]) -> str:
    figures = by_language(contests)
    refused = [mean_interval([1.0 - hits.wrong for hits in asked]) for asked in zip(*contests, strict=True)]
    cells = (
        source,
        language,
        str(len(top)),
        str(mean_interval(top)),
        str(f1_interval([c.all for c in contests])),
        f"{figures.precision:.2f}",
        f"{figures.recall:.2f}",
        str(refused[1]),
        str(refused[2]),
    )
    return f"| {' | '.join(cells)} |"


def by_language(contests: Sequence[Contest]) -> Agreement:
    """Precision and recall of contests taken together, as the registry holds them."""
    return agreement([c.all for c in contests])


def agreement(hits: Sequence[Hits]) -> Agreement:
    """Precision and recall of hits taken together."""
    right, wrong, missed = (sum(counts) for counts in zip(*hits, strict=True))
    return Agreement(
        precision=round(right / max(1, right + wrong), 2),
        recall=round(right / max(1, right + missed), 2),
        n=len(hits),
    )


def registry_lines(measured: Sequence[Measured]) -> Iterator[str]:
    """What the registry says of the thresholds, a line a language."""
    asked: dict[str, list[Contest]] = {}
    for one in measured:
        asked.setdefault(one.terms.language, []).extend(one.contests)
    for language, contests in sorted(asked.items()):
        found = by_language(contests)
        yield f"{language} = {{ precision = {found.precision}, recall = {found.recall}, n = {found.n} }}"


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print; with --work the vectors stay there and are found again."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.alignment", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of shared benchmark files")
    parser.add_argument("--models-folder", type=Path, default=load_settings().models_folder, help="where weights are")
    parser.add_argument("--work", type=Path, help="keep vectors in this folder")
    parser.add_argument("--terms", type=int, default=1000, help="at most so many a set and language")
    parser.add_argument("--half", choices=("tuning", "held-out", "all"), default="held-out", help="of the terms")
    arguments = parser.parse_args(given)
    sets = [once(one.half(arguments.half), arguments.data) for one in term_sets(arguments.data, arguments.terms)]
    with tempfile.TemporaryDirectory(prefix="coreasoner-alignment-") as temporary:
        work = arguments.work or Path(temporary)
        starter, english = (open_vectors(name, arguments.models_folder, work) for name in (EMBEDDER, ENGLISH_EMBEDDER))
        for vectors in (starter, english):
            measured = measure(sets, vectors, english)
            print(
                "\n".join((*table(vectors.embedder.card.name, measured), "", *registry_lines(measured), "")), flush=True
            )


if __name__ == "__main__":
    main()
