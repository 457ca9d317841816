"""Which query mode finds best: the question alone, its concepts, or the question with its whole chain.

`python -m evaluation.query_modes --data FOLDER --chains FILE` lets the product's two reasoners argue a sample of the
held-out questions on a language model, keeps what they said in the file, fuses the chains, searches as the product
would in each mode, and prints Markdown tables with 95 % bootstrap intervals. `--argue 0` measures what is there.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from statistics import mean
from typing import Literal, NamedTuple, get_args

from agents.aligner import fused_chain
from agents.fusion import EmbedConcepts, GroundedFusion
from agents.guidelines import Guidelines, QueryMode, RetrievalSettings, queries
from agents.messages import FusedChain
from agents.settings import STARTER_LLM, load_settings
from evaluation.argued import Argued, ArguedFile, Reasoners, in_turns, sampled
from evaluation.collection import Collection, collections
from evaluation.retrieval import STARTER, Searched, ndcg, open_embedder, recall
from evaluation.statistics import mean_interval
from knowledge.search import search
from models.registry import Thresholds

MODES: tuple[QueryMode, ...] = get_args(QueryMode)
_DEPTH = 20
_KEPT = 5

Figures = Mapping[QueryMode, float]


class Scored(NamedTuple):
    """One question in one direction: nDCG@10 and recall@5 by mode, and whether there were concepts to search for."""

    collection: str
    asked: str
    answered: str
    concepts: int
    ndcg: Figures
    recall: Figures


class Modes:
    """A collection in its store, searched with what was argued about its questions."""

    def __init__(self, searched: Searched, embed: EmbedConcepts, limits: Thresholds) -> None:
        self._searched, self._embed, self._limits = searched, embed, limits
        self._answers = {question.id: question.answers for question in searched.collection.questions}
        settings = RetrievalSettings(
            query_mode="question", candidates=_DEPTH, kept=_KEPT, relevance=limits.relevance, typical=limits.typical
        )
        self._guidelines = Guidelines(searched.store, settings, date.today())
        self._fuse = GroundedFusion.of(limits)

    def scored(self, argued: Argued) -> Iterator[Scored]:
        """The question in its own language, and of English passages where it is in another."""
        chains = argued.english_chain, argued.local_chain
        fused = fused_chain(*chains, self._fuse, self._embed, self._guidelines)
        yield self._scored(argued, argued.language, argued.text, fused, "local")
        if argued.language != "en":
            yield self._scored(argued, "en", argued.english, fused, "english")

    def _scored(
        self, argued: Argued, answered: str, question: str, fused: FusedChain, side: Literal["english", "local"]
    ) -> Scored:
        answers = self._answers[argued.id]
        found = {mode: self._found(queries(mode, question, fused, side), answered) for mode in MODES}
        return Scored(
            collection=argued.collection,
            asked=argued.language,
            answered=answered,
            concepts=len(fused.concepts),
            ndcg={mode: ndcg(list(dict.fromkeys(names)), answers) for mode, names in found.items()},
            recall={mode: recall(names[:_KEPT], answers) for mode, names in found.items()},
        )

    def _found(self, asked: Sequence[str], language: str) -> list[str]:
        """The documents of the passages that the product finds, best passage first."""
        hits = search(
            self._searched.store,
            asked,
            languages=[language],
            limit=_DEPTH,
            today=date.today(),
            relevance=self._limits.relevance,
            typical=self._limits.typical,
        )
        return [self._searched.name(hit.passage) for hit in hits]


def table(scored: Sequence[Scored], figure: Literal["ndcg", "recall"]) -> Iterator[str]:
    """Markdown: a row a collection and pair of languages, then same language, to English, and all."""
    yield f"| collection | question → passages | n | {' | '.join(MODES)} | concept − question | chain − question |"
    yield f"|{'---|' * (len(MODES) + 5)}"
    groups: dict[tuple[str, str], list[Scored]] = {}
    for one in scored:
        direction = "same language" if one.asked == one.answered else "to English"
        for key in ((one.collection, f"{one.asked} → {one.answered}"), ("all", direction), ("all", "all")):
            groups.setdefault(key, []).append(one)
    for (name, pair), members in sorted(groups.items(), key=lambda item: (item[0][0] == "all", item[0])):
        yield _row(name, pair, [getattr(one, figure) for one in members])


def _row(name: str, pair: str, figures: Sequence[Figures]) -> str:
    if len(figures) < 2:
        return f"| {name} | {pair} | {len(figures)} | too few |"
    means = [str(mean_interval([one[mode] for one in figures])) for mode in MODES]
    gains = [
        str(mean_interval([one[mode] - one["question"] for one in figures])) for mode in MODES if mode != "question"
    ]
    return f"| {name} | {pair} | {len(figures)} | {' | '.join((*means, *gains))} |"


async def argue(
    chosen: Iterable[tuple[str, str]], found: Mapping[str, Collection], options: argparse.Namespace
) -> None:
    """Let the reasoners argue what isn't in the file yet, some of each collection and language in turn."""
    file = ArguedFile(options.chains)
    there = {(argued.collection, argued.id, argued.language) for argued in file.read()}
    wanted = [
        [(name, language, question) for question in sampled(found[name], language, options.argue)]
        for name, language in chosen
    ]
    with ExitStack() as opened:
        reasoners = Reasoners(options.model, options.models_folder, opened)
        for name, language, question in in_turns(wanted):
            if (name, question.id, language) not in there:
                file.append(await reasoners.argue(name, language, question))


def report(argued: Sequence[Argued], found: Mapping[str, Collection], work: Path, models_folder: Path) -> Iterator[str]:
    """The tables, after what they were made of."""
    embedder = open_embedder(models_folder)
    scored: list[Scored] = []
    for name in dict.fromkeys(one.collection for one in argued):
        own = [one for one in argued if one.collection == name]
        spoken = tuple(dict.fromkeys(("en", *(one.language for one in own))))
        searched = Searched(found[name].among(spoken), work, embedder, embedder.thresholds.typical)
        modes = Modes(searched, embedder.embed_concepts, embedder.thresholds)
        scored += [score for one in own for score in modes.scored(one)]
    seconds, concepts = mean(one.seconds for one in argued), mean(one.concepts for one in scored)
    empty = sum(not one.concepts for one in scored)
    yield f"{len(argued)} questions argued by {', '.join(sorted({one.model for one in argued}))}: "
    yield f"{seconds:.0f} s a question, {concepts:.1f} concepts a fused chain, {empty} of {len(scored)} chains empty."
    yield from ("", "nDCG@10", "", *table(scored, "ndcg"), "", "recall@5", "", *table(scored, "recall"))


def main(given: Sequence[str] | None = None) -> None:
    """Argue, measure, print."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.query_modes", description=str(__doc__).partition("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder of shared benchmark files")
    parser.add_argument("--chains", type=Path, required=True, help="the file of what was argued")
    parser.add_argument("--models-folder", type=Path, default=load_settings().models_folder)
    parser.add_argument("--model", default=STARTER_LLM, help="the language model that argues")
    parser.add_argument("--work", type=Path, help="keep the stores in this folder")
    parser.add_argument("--argue", type=int, default=25, help="so many questions a collection and language")
    parser.add_argument("--only", action="append", help="COLLECTION:LANGUAGE to argue; may be repeated")
    options = parser.parse_args(given)
    found = {collection.name: collection for collection in collections(options.data, STARTER)}
    default = [f"{name}:{language}" for name in ("xlinghealth", "starter") for language in ("en", "es", "zh")]
    pairs = [(name, language) for name, _, language in (one.partition(":") for one in options.only or default)]
    if options.argue:
        asyncio.run(argue(pairs, found, options))
    with tempfile.TemporaryDirectory(prefix="coreasoner-modes-") as temporary:
        argued = ArguedFile(options.chains).read()
        for line in report(argued, found, options.work or Path(temporary), options.models_folder):
            print(line, flush=True)


if __name__ == "__main__":
    main()
