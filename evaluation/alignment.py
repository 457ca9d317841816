"""Does an embedder know a clinical term in two languages for one concept, and other terms for others?

`python -m evaluation.alignment --data FOLDER` embeds the shared term sets with the starter embedder and the English
one and prints Markdown: how often a term's nearest English term is its translation, and how well "the same concept or
not" is decided at the registry's thresholds against the nearest other term and the denied term. `--tune` prints what
the thresholds are chosen from. Knows nothing of language models.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import numpy as np

from agents.concept import describe
from agents.messages import Concept
from agents.synonyms import Synonyms
from evaluation.chains import DENIED, ENGLISH, SEED, neighbours
from evaluation.statistics import Hits, f1, f1_interval, mean_interval
from evaluation.terms import Term, TermSet, term_sets
from evaluation.vectors import TermVectors
from models.embedder import Embedder
from models.registry import Agreement, Registry
from models.weights import WeightStore
from ui.settings import load_settings

_THRESHOLDS = (0.0, 0.8, 0.82, 0.84, 0.86, 0.88, 0.9, 0.92)
_LEADS = (0.0, 0.01, 0.02, 0.03, 0.04)
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


def contests(terms: TermSet, vectors: TermVectors, near: Mapping[str, Term], synonyms: Synonyms) -> list[Contest]:
    """Every term of a set, each among others drawn from a seed, judged by the rule that merges synonyms."""
    rng = np.random.default_rng([SEED, *terms.language.encode()])
    return [_contest(term, terms, vectors, near[term.english], synonyms, rng) for term in terms.terms]


def _contest(
    term: Term, terms: TermSet, vectors: TermVectors, near: Term, synonyms: Synonyms, rng: np.random.Generator
) -> Contest:
    drawn = [terms.terms[i] for i in rng.choice(len(terms.terms), 2 * ENGLISH, replace=False)]
    drawn = [other for other in drawn if other not in (term, near)]
    ours, theirs = [near, *drawn[: ENGLISH - 2]], drawn[ENGLISH - 2 : 2 * ENGLISH - 3]
    denied = DENIED[terms.language].format(term.translation)

    def merged(english: Sequence[Term], name: str) -> str:
        """The English name that the term is merged with, empty without one."""
        scaffold = [describe(t.english, "", "en") for t in english]
        local = [describe(n, "", terms.language) for n in (name, *(t.translation for t in theirs))]
        found = synonyms(scaffold, local, vectors(_compared(scaffold)), vectors(_compared(local)))
        pairs = [scaffold[p.english] for p in found if p.local == 0]
        return "".join(c.name for c in pairs if c.asserted == local[0].asserted)

    same = merged([term, *ours], term.translation)
    return Contest(
        same=Hits(int(same == term.english), int(same not in ("", term.english)), int(same != term.english)),
        neighbour=Hits(0, int(bool(merged(ours, term.translation))), 0),
        denied=Hits(0, int(bool(merged([term, *ours], denied))), 0),
    )


def _compared(concepts: Sequence[Concept]) -> list[str]:
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
        Measured(one, retrieved(one.terms, vectors), contests(one, vectors, neighbours(one.terms, english), synonyms))
        for one in sets
    ]


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
    right, wrong, missed = (sum(counts) for counts in zip(*(c.all for c in contests), strict=True))
    return Agreement(
        precision=round(right / max(1, right + wrong), 2),
        recall=round(right / max(1, right + missed), 2),
        n=len(contests),
    )


def registry_lines(measured: Sequence[Measured]) -> Iterator[str]:
    """What the registry says of the thresholds, a line a language."""
    asked: dict[str, list[Contest]] = {}
    for one in measured:
        asked.setdefault(one.terms.language, []).extend(one.contests)
    for language, contests in sorted(asked.items()):
        found = by_language(contests)
        yield f"{language} = {{ precision = {found.precision}, recall = {found.recall}, n = {found.n} }}"


def tuning(sets: Sequence[TermSet], vectors: TermVectors, english: TermVectors) -> Iterator[str]:
    """F1 for thresholds and leads, the mean over the sets; chosen is the best row whose precision is 0.9 or more."""
    yield "| synonym | lead | precision | recall | F1 |\n|---|---|---|---|---|"
    near = [neighbours(one.terms, english) for one in sets]
    for threshold in _THRESHOLDS:
        for lead in _LEADS:
            synonyms = Synonyms(threshold, lead)
            found = [contests(one, vectors, n, synonyms) for one, n in zip(sets, near, strict=True)]
            figures = [by_language(one) for one in found]
            precision, recall = mean(f.precision for f in figures), mean(f.recall for f in figures)
            score = mean(f1([c.all for c in one]) for one in found)
            yield f"| {threshold} | {lead} | {precision:.3f} | {recall:.3f} | {score:.3f} |"


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print; with --work the vectors stay there and are found again."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.alignment", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of shared benchmark files")
    parser.add_argument("--models-folder", type=Path, default=load_settings().models_folder, help="where weights are")
    parser.add_argument("--work", type=Path, help="keep vectors in this folder")
    parser.add_argument("--terms", type=int, default=1000, help="at most so many a set and language")
    parser.add_argument("--half", choices=("tuning", "held-out", "all"), default="held-out", help="of the terms")
    parser.add_argument("--tune", action="store_true", help="try thresholds for the starter embedder on --half")
    arguments = parser.parse_args(given)
    sets = [one.half(arguments.half) for one in term_sets(arguments.data, arguments.terms)]
    with tempfile.TemporaryDirectory(prefix="coreasoner-alignment-") as temporary:
        work = arguments.work or Path(temporary)
        starter, english = (open_vectors(name, arguments.models_folder, work) for name in (EMBEDDER, ENGLISH_EMBEDDER))
        if arguments.tune:
            for line in tuning(sets, starter, english):
                print(line, flush=True)
            return
        for vectors in (starter, english):
            measured = measure(sets, vectors, english)
            print(
                "\n".join((*table(vectors.embedder.card.name, measured), "", *registry_lines(measured), "")), flush=True
            )


if __name__ == "__main__":
    main()
