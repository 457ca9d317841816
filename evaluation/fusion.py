"""How well two chains become one: what is merged, what keeps its order, what only the local side says and is kept.

`python -m evaluation.fusion --data FOLDER` makes chains from TICO-19's terms, of which it is known what they share,
fuses them with both strategies, and prints Markdown. A local-only concept is supported where a TICO-19 document in
its language has its words; the passages are found by the product's own search. Knows nothing of language models.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from scipy.stats import kendalltau

from agents.aligner import fused_chain
from agents.fusion import PAPER_THRESHOLD, EmbedConcepts, FusionStrategy, GroundedFusion, PaperFusion
from agents.guidelines import Guidelines, RetrievalSettings
from agents.messages import FusedChain
from agents.polarity import mentioned
from agents.settings import load_settings
from evaluation.alignment import EMBEDDER, ENGLISH_EMBEDDER, open_vectors
from evaluation.chains import Pair, neighbours, pairs
from evaluation.collection import Source, write_pack
from evaluation.statistics import Hits, f1_interval, mean_interval
from evaluation.terms import Half, distinct, tico_terms
from evaluation.vectors import TermVectors
from knowledge.search import CANDIDATES
from knowledge.store import KnowledgeStore

LANGUAGES = ("sw", "zu", "ar", "es", "fr", "hi", "ko", "pt", "zh")  # those in which the documents are
_LOOSER = 0.5  # the default of the released function
_KEPT = 5
_ALL = 10_000
_HEAD = (
    "| strategy | language | chains | merged F1 | precision / recall | order τ | supported local-only kept | "
    "unsupported local-only kept | contradictions F1 | denied in the chain | repeated a chain |"
)


class Fused(NamedTuple):
    """What one strategy made of one pair of chains.

    `supported` and `unsupported` say of local-only concepts with and without a document whether they are in the chain;
    `denials` counts contradictions, `aligned_denials` denied concepts in the chain, `repeated` shared ones twice there.
    `lost` tells of each supported one that is not in the chain what became of it.
    """

    merged: Hits
    tau: float
    supported: tuple[bool, ...]
    unsupported: tuple[bool, ...]
    denials: Hits
    aligned_denials: int
    repeated: int
    lost: tuple[str, ...]


class Documents:
    """One language's TICO-19 documents, as text and as guidelines that can be searched."""

    def __init__(self, data: Path, language: str, vectors: TermVectors, work: Path) -> None:
        folder = data / "guidelines/tico19_docs" / language
        texts = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.txt"))}
        self.language, self._text = language, "\n".join(texts.values())
        store = KnowledgeStore(work / f"store-{language}", vectors.embedder)
        if store.is_empty:
            store.add(write_pack(work, f"tico-{language}", language, {n: Source(t) for n, t in texts.items()}))
        thresholds = vectors.embedder.thresholds
        settings = RetrievalSettings(
            query_mode="question",
            candidates=CANDIDATES,
            kept=_KEPT,
            relevance=thresholds.relevance,
            typical=thresholds.typical,
        )
        self.guidelines = Guidelines(store, settings, date.today())

    def speak_of(self, name: str) -> bool:
        """Whether a document has the words of a concept and asserts them."""
        return mentioned(name, self._text, self.language) == "present"


def fuse(pair: Pair, strategy: FusionStrategy, embed: EmbedConcepts, documents: Documents) -> Fused:
    """Fuse a pair of chains, search what waits for evidence, and compare with what is known of the pair."""
    fused = fused_chain(pair.english_chain(), pair.local_chain(), strategy, embed, documents.guidelines)
    english = {name: key for key, name in pair.local_names().items()}
    inside = {english[c.name] for c in fused.concepts if c.origin == "local"}
    shared = {term.english for term in pair.shared}
    kept = [(term.english in inside, documents.speak_of(term.translation)) for term in pair.local_only]
    denials = {(c.english, english[c.local]) for c in fused.contradictions}
    return Fused(
        merged=_merged(pair, fused, english),
        tau=_tau(pair, fused, english),
        supported=tuple(found for found, supported in kept if supported),
        unsupported=tuple(found for found, supported in kept if not supported),
        denials=_hits(denials, {(pair.denied, pair.denied)}),
        aligned_denials=sum(pair.denied == english.get(c.local_name or c.name) for c in fused.concepts),
        repeated=len(inside & shared),
        lost=tuple(
            f"{term.translation} ({term.english}): {_became(fused, term.translation)}"
            for term, (found, supported) in zip(pair.local_only, kept, strict=True)
            if supported and not found
        ),
    )


def _became(fused: FusedChain, local: str) -> str:
    decision = next((d for d in reversed(fused.decisions) if d.concept == local), None)
    return f"{decision.outcome} by {decision.rule}, {decision.anchor}" if decision else "nothing is on record"


def _merged(pair: Pair, fused: FusedChain, english: Mapping[str, str]) -> Hits:
    """Shared concepts joined with their English names: merged, or by the paper's rule placed beside them."""
    joined = {(c.name, english[c.local_name]) for c in fused.concepts if c.local_name}
    if fused.strategy == "paper":
        joined = {(c.anchor or "", english[c.name]) for c in fused.concepts if c.origin == "local"}
    return _hits(joined, {(term.english, term.english) for term in pair.shared if term.english != pair.denied})


def _hits(found: set[tuple[str, str]], known: set[tuple[str, str]]) -> Hits:
    return Hits(right=len(found & known), wrong=len(found - known), missed=len(known - found))


def _tau(pair: Pair, fused: FusedChain, english: Mapping[str, str]) -> float:
    """Kendall's tau between the order in the chain and the known one; of a concept that is there twice, the first."""
    known = {term.english: place for place, term in enumerate(pair.order)}
    placed = dict.fromkeys(english.get(c.name, c.name) if c.origin == "local" else c.name for c in fused.concepts)
    return float(kendalltau(range(len(placed)), [known[name] for name in placed]).statistic)


def rows(label: str, language: str, results: Sequence[Fused]) -> str:
    """One strategy in one language, or in all, as a row of the table."""
    supported, unsupported = ([float(k) for f in results for k in getattr(f, n)] for n in ("supported", "unsupported"))
    cells = (
        label,
        language,
        str(len(results)),
        str(f1_interval([f.merged for f in results])),
        _precision([f.merged for f in results]),
        str(mean_interval([f.tau for f in results])),
        _kept(supported),
        _kept(unsupported),
        str(f1_interval([f.denials for f in results])),
        str(sum(f.aligned_denials for f in results)),
        f"{sum(f.repeated for f in results) / len(results):.2f}",
    )
    return f"| {' | '.join(cells)} |"


def _kept(concepts: Sequence[float]) -> str:
    share = str(mean_interval(concepts)) if len(concepts) > 1 else "-"
    return f"{share} (n {len(concepts)})"


def _precision(hits: Sequence[Hits]) -> str:
    right, wrong, missed = (sum(counts) for counts in zip(*hits, strict=True))
    return f"{right / max(1, right + wrong):.2f} / {right / max(1, right + missed):.2f}"


def measure(
    data: Path, work: Path, languages: Sequence[str], chains: int, half: Half, models: Path
) -> Iterator[tuple[str, str, list[Fused]]]:
    """Strategy, language and what came of its chains."""
    vectors = {name: open_vectors(name, models, work) for name in (EMBEDDER, ENGLISH_EMBEDDER)}
    grounded = GroundedFusion.of(vectors[EMBEDDER].embedder.thresholds)
    strategies: list[tuple[str, FusionStrategy, TermVectors]] = [(f"grounded, {EMBEDDER}", grounded, vectors[EMBEDDER])]
    strategies += [
        (f"paper {threshold}, {name}", PaperFusion(threshold), embed)
        for name, embed in vectors.items()
        for threshold in (PAPER_THRESHOLD, _LOOSER)
    ]
    for language in languages:
        terms = distinct(tico_terms(data, language, _ALL).half(half).terms, data)
        near = neighbours(terms, vectors[ENGLISH_EMBEDDER])
        documents = Documents(data, language, vectors[EMBEDDER], work)
        drawn = pairs(language, terms, near, chains, deny=True)
        for label, strategy, embed in strategies:
            yield label, language, [fuse(pair, strategy, embed, documents) for pair in drawn]


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print; with --work vectors and stores stay there and are found again."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.fusion", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of shared benchmark files")
    parser.add_argument("--models-folder", type=Path, default=load_settings().models_folder, help="where weights are")
    parser.add_argument("--work", type=Path, help="keep vectors and stores in this folder")
    parser.add_argument("--half", choices=("tuning", "held-out", "all"), default="held-out", help="of the terms")
    parser.add_argument("--chains", type=int, default=60, help="pairs of chains a language")
    parser.add_argument("--losses", action="store_true", help="list what became of supported concepts that were lost")
    parser.add_argument("--language", action="append", choices=LANGUAGES, help="this one only; may be repeated")
    arguments = parser.parse_args(given)
    print(f"{_HEAD}\n|{'---|' * 11}", flush=True)
    everything: dict[str, list[Fused]] = {}
    with tempfile.TemporaryDirectory(prefix="coreasoner-fusion-") as temporary:
        measured = measure(
            arguments.data,
            arguments.work or Path(temporary),
            arguments.language or LANGUAGES,
            arguments.chains,
            arguments.half,
            arguments.models_folder,
        )
        for label, language, results in measured:
            print(rows(label, language, results), flush=True)
            everything.setdefault(label, []).extend(results)
    for label, results in everything.items():
        print(rows(label, "all", results))
    for label, results in everything.items() if arguments.losses else ():
        print(f"\nSupported concepts that {label} lost:", *(lost for one in results for lost in one.lost), sep="\n- ")


if __name__ == "__main__":
    main()
