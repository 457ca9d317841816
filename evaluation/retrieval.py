"""How well search finds what answers a question: by words, by vectors, and by both.

`python -m evaluation.retrieval --data FOLDER --models-folder FOLDER` puts the answers of every collection into a store
of its own, asks its questions and prints Markdown tables with 95 % bootstrap intervals. The query mode is `question`;
the others need a language model and are measured by `evaluation.query_modes`. Knows nothing of speed.
"""

import argparse
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path, PurePosixPath
from statistics import mean
from typing import NamedTuple

import knowledge
from agents.settings import load_settings
from evaluation.collection import Collection, Question, collections
from evaluation.statistics import mean_interval
from knowledge.passage import Passage
from knowledge.search import search
from knowledge.store import Embedder, KnowledgeStore
from knowledge.table import only
from models.embedder import Embedder as ShippedEmbedder
from models.registry import Registry

STARTER = Path(knowledge.__file__).parent / "starter"
_DEPTH = 20  # passages, for 10 documents of which some have several
_CUT = 10
_KEPT = 5  # passages that the product shows
_RANKED = 10  # passages of each way that ranks are fused of
_RANK_CONSTANT = 60

Scores = dict[str, list[float]]  # by way of searching, a figure a question


class Measured(NamedTuple):
    """One pair of languages of a collection: nDCG@10 and recall@5 of every question, by way of searching."""

    collection: str
    asked: str
    answered: str
    questions: tuple[str, ...]  # their keys
    ndcg: Scores
    recall: Scores


def ndcg(ranking: Sequence[str], relevant: frozenset[str], cut: int = _CUT) -> float:
    """Normalised discounted cumulative gain of the first `cut` documents, gains 0 and 1.

    Järvelin and Kekäläinen 2002, https://doi.org/10.1145/582415.582418.
    """
    gained = sum(1 / math.log2(rank + 1) for rank, item in enumerate(ranking[:cut], 1) if item in relevant)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(cut, len(relevant)) + 1))
    return gained / ideal if ideal else 0.0


def recall(found: Iterable[str], relevant: frozenset[str]) -> float:
    """The share of the relevant documents that are among the found."""
    return len(relevant.intersection(found)) / len(relevant)


def reciprocal_rank_fusion(rankings: Iterable[Sequence[str]], k: int = _RANK_CONSTANT) -> list[str]:
    """The items by the sum of 1 / (k + rank) over the rankings that hold them, ranks counting from 1.

    Cormack, Clarke and Büttcher 2009, https://doi.org/10.1145/1571941.1572114; what the product's fusion is held to.
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, 1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (k + rank)
    return sorted(scores, key=lambda item: (-scores[item], item))


class Searched:
    """A collection in its store."""

    def __init__(self, collection: Collection, folder: Path, embedder: Embedder, typical: float) -> None:
        """Add the packs of the languages in which answers are looked for, where they are not there yet."""
        self.collection = collection
        self._typical = typical
        self.store = KnowledgeStore(folder / collection.name, embedder)
        for language in dict.fromkeys(answered for _, answered in collection.pairs):
            self.store.add(collection.pack(folder / "packs", language))
        self._names = {
            entry.sha256: PurePosixPath(entry.file).stem
            for pack in self.store.list_packs()
            for entry in pack.manifest.documents
        }

    def ways(self) -> Mapping[str, Callable[[str, str], list[str]]]:
        """The ways of searching: question and language to the documents of the passages found, best passage first."""
        return {
            "full text": lambda text, language: self._documents(self._by_words(text, language)),
            "dense": lambda text, language: self._documents(self._by_vector(text, language)),
            "rank fusion": self._by_ranks,
            "hybrid": self._by_both,
        }

    def measure(self, asked: str, answered: str, questions: Sequence[Question]) -> Measured:
        """Ask the questions in one language of documents in another."""
        measured = Measured(self.collection.name, asked, answered, tuple(q.key for q in questions), {}, {})
        for name, way in self.ways().items():
            found = [way(question.texts[asked], answered) for question in questions]
            pairs = list(zip(found, questions, strict=True))
            measured.ndcg[name] = [ndcg(list(dict.fromkeys(names)), q.answers) for names, q in pairs]
            measured.recall[name] = [recall(names[:_KEPT], q.answers) for names, q in pairs]
        return measured

    def _by_words(self, text: str, language: str, limit: int = _DEPTH) -> list[str]:
        return [item for item, _ in self.store.table.matching(text, only([language], None), limit)]

    def _by_vector(self, text: str, language: str, limit: int = _DEPTH) -> list[str]:
        vector = self.store.embedder.embed_queries([text])[0]
        return [item for item, _ in self.store.table.nearest(vector, only([language], None), limit)]

    def _by_ranks(self, text: str, language: str) -> list[str]:
        ways = (self._by_words, self._by_vector)
        return self._documents(reciprocal_rank_fusion(way(text, language, _RANKED) for way in ways))

    def _by_both(self, text: str, language: str) -> list[str]:
        found = search(
            self.store,
            [text],
            languages=[language],
            limit=_DEPTH,
            today=date.today(),
            relevance=0.0,
            typical=self._typical,
        )
        return [self.name(scored.passage) for scored in found]

    def name(self, passage: Passage) -> str:
        """The name of the document that a passage is of, as questions name their answers."""
        return self._names[passage.document]

    def _documents(self, ids: Sequence[str]) -> list[str]:
        passages = {passage.id: passage for passage, _ in self.store.table.passages(ids)}
        return [self.name(passages[item]) for item in ids]


def measurements(searched: Searched, half: str, at_most: int | None) -> Iterator[Measured]:
    """Every pair of languages of a collection, over the questions of one half, or of all."""
    for asked, answered in searched.collection.pairs:
        questions = [q for q in searched.collection.questions if asked in q.texts and _belongs(q, half)]
        yield searched.measure(asked, answered, questions[:at_most])


def _belongs(question: Question, half: str) -> bool:
    return half == "all" or question.held_out == (half == "held-out")


def table(measured: Sequence[Measured], figure: Callable[[Measured], Scores]) -> Iterator[str]:
    """Markdown: a row a pair of languages, then means over the pairs, of which each question counts once."""
    ways = tuple(figure(measured[0]))
    yield f"| collection | question → passages | n | {' | '.join(ways)} | hybrid − better of the others |"
    yield f"|{'---|' * (len(ways) + 4)}"
    for one in measured:
        yield _row(one.collection, f"{one.asked} → {one.answered}", figure(one))
    for name, same in (("same language", True), ("to English", False)):
        pooled = _pooled([m for m in measured if (m.asked == m.answered) == same], figure)
        yield _row("all", name, pooled)


def _pooled(measured: Sequence[Measured], figure: Callable[[Measured], Scores]) -> Scores:
    """The mean of each question over languages and collections, which do not count as more questions."""
    values: dict[str, dict[str, list[float]]] = {}
    for one in measured:
        for way, scores in figure(one).items():
            for key, score in zip(one.questions, scores, strict=True):
                values.setdefault(way, {}).setdefault(key, []).append(score)
    return {way: [mean(scores) for scores in by_key.values()] for way, by_key in values.items()}


def _row(collection: str, pair: str, scores: Scores) -> str:
    means = {way: mean(values) for way, values in scores.items() if way != "hybrid"}
    better = max(means, key=means.__getitem__)
    gains = [ours - theirs for ours, theirs in zip(scores["hybrid"], scores[better], strict=True)]
    cells = [str(mean_interval(values)) for values in scores.values()]
    return f"| {' | '.join((collection, pair, str(len(gains)), *cells, f'{mean_interval(gains)} ({better})'))} |"


def _chosen(
    found: Iterable[Collection], names: Sequence[str] | None, languages: Sequence[str] | None
) -> list[Collection]:
    named = [collection for collection in found if not names or collection.name in names]
    return [collection.among(languages) if languages else collection for collection in named]


def open_embedder(models_folder: Path) -> ShippedEmbedder:
    """The embedder that ships, from the folder of weights. Raises EmbedderUnavailable."""
    card = Registry.load().card("multilingual-e5-small")
    return ShippedEmbedder(models_folder / card.name, card)


def main(given: Sequence[str] | None = None) -> None:
    """Measure and print; with --work the stores stay there and are found again."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.retrieval", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of shared benchmark files")
    parser.add_argument(
        "--models-folder", type=Path, default=load_settings().models_folder, help="where the weights are"
    )
    parser.add_argument("--work", type=Path, help="keep the stores in this folder")
    parser.add_argument("--half", choices=("tuning", "held-out", "all"), default="held-out", help="of the questions")
    parser.add_argument("--questions", type=int, help="at most so many a pair of languages")
    parser.add_argument("--collection", action="append", help="measure this one only; may be repeated")
    parser.add_argument("--language", action="append", help="ask and answer in this one only; may be repeated")
    arguments = parser.parse_args(given)
    embedder = open_embedder(arguments.models_folder)
    typical = embedder.thresholds.typical
    with tempfile.TemporaryDirectory(prefix="coreasoner-retrieval-") as temporary:
        work = arguments.work or Path(temporary)
        measured = [
            one
            for collection in _chosen(collections(arguments.data, STARTER), arguments.collection, arguments.language)
            for one in measurements(Searched(collection, work, embedder, typical), arguments.half, arguments.questions)
        ]
    print(f"nDCG@{_CUT}\n\n" + "\n".join(table(measured, lambda m: m.ndcg)))
    print(f"\nrecall@{_KEPT}\n\n" + "\n".join(table(measured, lambda m: m.recall)))


if __name__ == "__main__":
    main()
