"""What the thresholds of synonyms are chosen from: both rules at many of them, on terms that no figure is reported of.

`python -m evaluation.tuning --data FOLDER` prints a row of Markdown for each, for the starter embedder. Knows nothing
of language models.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from statistics import mean

from agents.settings import load_settings
from agents.synonyms import Synonyms
from evaluation.alignment import (
    EMBEDDER,
    ENGLISH_EMBEDDER,
    agreement,
    asked,
    by_language,
    compared,
    contest,
    open_vectors,
)
from evaluation.chains import Pair, neighbours, pairs
from evaluation.statistics import Hits, f1
from evaluation.terms import TermSet, term_sets
from evaluation.vectors import TermVectors
from models.registry import Agreement

_THRESHOLDS = {"as they are": (0.8, 0.83, 0.85, 0.87, 0.89, 0.91), "centred": (0.2, 0.28, 0.32, 0.36, 0.4, 0.5)}
_LEADS = (0.0, 0.02, 0.08)
_CHAINS = 40  # a set


def tuning(sets: Sequence[TermSet], vectors: TermVectors, english: TermVectors) -> Iterator[str]:
    """The three questions and simulated chains for thresholds and leads; the mean over the sets."""
    yield f"| rule | threshold | lead | precision | recall | F1 | in chains: precision | recall |\n|{'---|' * 8}"
    near = [neighbours(one.terms, english) for one in sets]
    questions = [asked(one, n) for one, n in zip(sets, near, strict=True)]
    drawn = [pairs(one.language, one.terms, n, _CHAINS, deny=False) for one, n in zip(sets, near, strict=True)]
    for rule, thresholds in _THRESHOLDS.items():
        for threshold, lead in product(thresholds, _LEADS):
            synonyms = Synonyms(threshold, lead, threshold if rule == "centred" else None)
            found = [[contest(question, vectors, synonyms) for question in one] for one in questions]
            merged = [[in_chains(pair, vectors, synonyms) for pair in one] for one in drawn]
            cells = (
                *_means([by_language(one) for one in found]),
                f"{mean(f1([c.all for c in one]) for one in found):.3f}",
                *_means([agreement(one) for one in merged]),
            )
            yield f"| {rule} | {threshold} | {lead} | {' | '.join(cells)} |"


def in_chains(pair: Pair, vectors: TermVectors, synonyms: Synonyms) -> Hits:
    """What the rule merges of two chains that share some concepts and have others that are near."""
    ours, theirs = pair.english_chain().concepts, pair.local_chain().concepts
    names = {local: english for english, local in pair.local_names().items()}
    found = synonyms(ours, theirs, vectors(compared(ours)), vectors(compared(theirs)))
    right = sum(ours[p.english].name == names[theirs[p.local].name] for p in found)
    return Hits(right, len(found) - right, len(pair.shared) - right)


def _means(figures: Sequence[Agreement]) -> tuple[str, str]:
    return f"{mean(f.precision for f in figures):.3f}", f"{mean(f.recall for f in figures):.3f}"


def main(given: Sequence[str] | None = None) -> None:
    """Try and print; with --work the vectors stay there and are found again."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.tuning", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of shared benchmark files")
    parser.add_argument("--models-folder", type=Path, default=load_settings().models_folder, help="where weights are")
    parser.add_argument("--work", type=Path, help="keep vectors in this folder")
    parser.add_argument("--terms", type=int, default=300, help="at most so many a set and language")
    arguments = parser.parse_args(given)
    sets = [one.half("tuning") for one in term_sets(arguments.data, arguments.terms)]
    with tempfile.TemporaryDirectory(prefix="coreasoner-tuning-") as temporary:
        work = arguments.work or Path(temporary)
        starter, english = (open_vectors(name, arguments.models_folder, work) for name in (EMBEDDER, ENGLISH_EMBEDDER))
        for line in tuning(sets, starter, english):
            print(line, flush=True)


if __name__ == "__main__":
    main()
