"""Hybrid search: the nearest vectors and the matching words, fused by how much better than the rest they are.

Without an embedding model words alone are searched. It ranks and flags; whether a flagged passage is shown, and as
what, is the caller's decision.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from knowledge.passage import Passage, ScoredPassage
from knowledge.store import KnowledgeStore
from knowledge.table import Filter, Vectors, only

CANDIDATES = 20  # passages of each way of searching that are fused; measured with WORDS
WORDS = 0.4  # what the best match of words counts against the nearest vector; measured in docs/retrieval.md
INTERNATIONAL = "INT"
_MAX_QUERY = 2000  # characters: what small embedders read at most; the rest would only cost time
# Equal scores come back in any order, so more are fetched than kept and the tie is broken here, by id.
_OVERFETCH = 4
_PRIOR = 30
# BM25 for each word of the query, as a share of the logarithm of how many passages there are, from which a passage is
# relevant where no embedding model judges it. 144 questions on the starter topics (8 languages) against 384 of LiveQA
# (en, es, ja, zh) on the starter packs: AUC 0.84; 69 % and 13 % pass.
_MATCHING = 0.25
_LEAST_LIFT = 0.01  # under it nothing is near, and differences between distant passages are not stretched

# Hiragana, Katakana, Han, Thai, Lao, Khmer, Myanmar.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f]")

Ranking = Mapping[str, float]  # id to cosine or BM25, best first
Rerank = Callable[[str, Sequence[str]], NDArray[np.float32]]  # question, n passages -> scores [n], the more the better


class _Rankings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    dense: tuple[Ranking, ...]
    text: tuple[Ranking, ...]
    least: tuple[float, ...]  # BM25 that makes a passage relevant by words alone, a query each


class _Nearness(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    similarity: float | None
    lift: float | None


def search(
    store: KnowledgeStore,
    queries: Sequence[str],
    *,
    languages: Sequence[str] | None,
    jurisdictions: Sequence[str] | None = None,
    packs: Sequence[str] | None = None,
    limit: int = 5,
    candidates: int = CANDIDATES,
    today: date,
    relevance: float,
    typical: float = 0.0,
    rerank: Rerank | None = None,
    on_withheld: Callable[[Passage], object] | None = None,
) -> tuple[ScoredPassage, ...]:
    """The `limit` best passages for all queries together, best first; the same call gives the same answer.

    Each query ranks `candidates` passages by cosine and as many by words; `_fused` orders them all, and `rerank` the
    best `candidates` of them anew, by how well each answers the first query. Languages are
    compared without script and region; None means every language, jurisdiction or pack. A passage is flagged relevant
    where its cosine exceeds what the query has to any passage at all by `relevance` (see `_baselines`, which explains
    `typical`); one that expired before `today` is flagged and not held back. Passages with the same text are given
    once. What the store's curation withholds is never given and takes nobody's place; `on_withheld` is told of each
    such passage that would have been among the `limit` best. Where the store has no embedder, words alone find, and
    relevant is what they match well (see `_MATCHING`). Raises KnowledgeBaseMissing; a search without words or filters
    that admit nothing give an empty result.
    """
    table = store.table
    asked = [text for text in map(_readable, queries) if text]
    if not asked or any(admitted is not None and not admitted for admitted in (languages, jurisdictions, packs)):
        return ()
    lookup = _Lookup(store, asked, only(languages, jurisdictions, packs), candidates, typical)
    ranked, curation = lookup.ranked(lambda item: True, lambda passage: True), store.curation_of(table)
    if any(curation.withholds(passage) for passage in ranked.candidates):
        for passage, _ in ranked.best[:limit]:
            if on_withheld and curation.withholds(passage):
                on_withheld(passage)
        ranked = lookup.ranked(lambda item: item not in curation.hidden, lambda found: not curation.withholds(found))
    best, scores = ranked.best, ranked.scores
    if rerank:
        best = _reranked(best[:candidates], asked[0], rerank, scores)
    return tuple(
        _scored(passage, scores, ranked.rankings, lookup.nearness(vector), today, relevance)
        for passage, vector in best[:limit]
    )


class _Ranked(NamedTuple):
    """Passages with their vectors, best first and each text once, and how they came there."""

    best: list[tuple[Passage, Vectors]]
    candidates: tuple[Passage, ...]
    scores: dict[str, float]
    rankings: _Rankings


class _Lookup:
    """The queries of one search and what they are held against, for ranking all passages or some."""

    def __init__(self, store: KnowledgeStore, asked: list[str], where: Filter, candidates: int, typical: float) -> None:
        self._table, self._asked, self._where, self._limit = store.table, asked, where, candidates
        self._by_meaning = store.has_embedder
        centre, count = self._table.centre(where)
        embed = store.embedder.embed_queries if self._by_meaning else _no_direction(len(centre))
        self._vectors = embed(asked)
        self._baselines = _baselines(self._vectors, centre, count, typical)

    def ranked(self, ids: Callable[[str], bool], admitted: Callable[[Passage], bool]) -> _Ranked:
        """What both ways of searching find among the passages with these ids, of which some are admitted."""
        dense = (self._table.nearest(vector, self._where, self._fetched) for vector in self._vectors if vector.any())
        text = (self._table.matching(query, self._where, self._fetched) for query in self._asked)
        rankings = _Rankings(
            dense=tuple(_ranking(scored, ids, self._limit) for scored in dense),
            text=tuple(_ranking(scored, ids, self._limit) for scored in text),
            least=tuple(_MATCHING * math.log1p(len(self._table)) * _length(query) for query in self._asked),
        )
        found = self._table.passages({item for r in (*rankings.dense, *rankings.text) for item in r}, self._where)
        found = [pair for pair in found if admitted(pair[0])]
        scores = _fused(found, self._vectors, self._baselines, rankings.text)
        found = sorted(found, key=lambda pair: _order(pair[0], scores))
        best = sorted(_folded(found, scores), key=lambda pair: _order(pair[0], scores))
        return _Ranked(best, tuple(passage for passage, _ in found), scores, rankings)

    @property
    def _fetched(self) -> int:
        return self._limit * _OVERFETCH

    def nearness(self, passage: Vectors) -> _Nearness | None:
        """How near the passage [d] is; None where words alone were searched."""
        return _nearness(self._vectors, self._baselines, passage) if self._by_meaning else None


def _readable(query: str) -> str:
    """The query without what can't be encoded, and no longer than an embedder reads."""
    return query[:_MAX_QUERY].encode("utf-8", "ignore").decode().replace("\0", " ").strip()


def _no_direction(dimension: int) -> Callable[[list[str]], Vectors]:
    """An embedder whose vectors are near to nothing."""
    return lambda texts: np.zeros((len(texts), dimension), np.float32)


def _length(query: str) -> float:
    """How many words a query has; in scripts without spaces two characters are taken for one."""
    unspaced = len(_UNSPACED.findall(query))
    return max(1.0, len(_UNSPACED.sub("", query).split()) + unspaced / 2)


def _ranking(scored: list[tuple[str, float]], ids: Callable[[str], bool], candidates: int) -> Ranking:
    first: dict[str, float] = {}
    for item, score in scored:
        if ids(item):
            first.setdefault(item, score)
    return dict(islice(first.items(), candidates))


def _fused(
    found: list[tuple[Passage, Vectors]], queries: Vectors, baselines: Vectors, words: Sequence[Ranking]
) -> dict[str, float]:
    """Score every id by its lift as a share of the best and, weighted, its BM25 as a share of its query's best, summed.

    A convex combination as in Bruch, Gai and Ingber 2023, "An analysis of fusion functions for hybrid retrieval",
    https://doi.org/10.1145/3596512: unlike ranks, scores say when words match by accident only.
    """
    ids = [passage.id for passage, _ in found]
    if not ids:
        return {}
    lifts = _cosines(queries, np.stack([vector for _, vector in found])) - baselines[:, None]
    matches = np.array([[ranking.get(item, 0.0) for item in ids] for ranking in words])
    near = lifts / max(float(lifts.max()), _LEAST_LIFT)  # one scale: a query that is near to nothing decides little
    matching = matches / np.where(matches.max(axis=1, keepdims=True) > 0, matches.max(axis=1, keepdims=True), 1)
    # Rounded: cosines of equal vectors differ in the last bits and are equal all the same.
    scores = np.round((near + WORDS * matching).sum(axis=0), 6)
    return dict(zip(ids, scores.tolist(), strict=True))


def _cosines(queries: Vectors, passages: Vectors) -> Vectors:
    """Between queries [q, d] and passages [p, d], shape [q, p]; 0 where either has no direction."""
    lengths = np.linalg.norm(queries, axis=1)[:, None] * np.linalg.norm(passages, axis=1)
    cosines: Vectors = (queries @ passages.T / np.where(lengths == 0, 1, lengths)).astype(np.float32)
    return cosines


def _folded(found: list[tuple[Passage, Vectors]], scores: dict[str, float]) -> list[tuple[Passage, Vectors]]:
    """Each text once [found: best first], from a local guideline where one has it, at the best score of any."""
    same: dict[str, list[tuple[Passage, Vectors]]] = {}
    for pair in found:
        same.setdefault(pair[0].sha256, []).append(pair)
    folded = [min(pairs, key=lambda pair: pair[0].jurisdiction == INTERNATIONAL) for pairs in same.values()]
    for (passage, _), pairs in zip(folded, same.values(), strict=True):
        scores[passage.id] = scores[pairs[0][0].id]
    return folded


def _reranked(
    found: list[tuple[Passage, Vectors]], question: str, rerank: Rerank, scores: dict[str, float]
) -> list[tuple[Passage, Vectors]]:
    """The passages in the order of their new scores, which take the place of the former."""
    judged = rerank(question, [passage.in_context for passage, _ in found])
    scores.update((passage.id, float(score)) for (passage, _), score in zip(found, judged, strict=True))
    return sorted(found, key=lambda pair: _order(pair[0], scores))


def _order(passage: Passage, scores: dict[str, float]) -> tuple[float, bool, str, str]:
    return -scores[passage.id], passage.jurisdiction == INTERNATIONAL, passage.id, passage.pack


def _baselines(queries: Vectors, centre: Vectors, n: int, typical: float) -> Vectors:
    """The mean cosine of each query [q, d] to the passages of its filter, shape [q].

    Multilingual embedders crowd all texts into a narrow cone, each language in its own: a cosine says little until
    it is held against the query's others. With few passages there is nothing to hold it against, so `typical`, the
    embedder's usual cosine, counts like _PRIOR passages more.
    """
    lengths = np.linalg.norm(queries, axis=1)
    means = queries @ centre / np.where(lengths == 0, 1, lengths)
    baselines: Vectors = ((n * means + _PRIOR * typical) / (n + _PRIOR)).astype(np.float32)
    return baselines


def _nearness(queries: Vectors, baselines: Vectors, passage: Vectors) -> _Nearness:
    """The query that is nearest to the passage [d], by how far it exceeds its baseline."""
    lengths = np.linalg.norm(queries, axis=1) * np.linalg.norm(passage)
    defined = lengths > 0
    if not defined.any():
        return _Nearness(similarity=None, lift=None)
    cosines = queries[defined] @ passage / lengths[defined]
    return _Nearness(similarity=float(cosines.max()), lift=float((cosines - baselines[defined]).max()))


def _scored(
    passage: Passage,
    scores: dict[str, float],
    rankings: _Rankings,
    near: _Nearness | None,
    today: date,
    relevance: float,
) -> ScoredPassage:
    """The passage with why it stands where it does; `near` None is a search by words alone."""
    matches = any(
        ranking.get(passage.id, 0.0) >= least for ranking, least in zip(rankings.text, rankings.least, strict=True)
    )
    return ScoredPassage(
        passage=passage,
        score=scores[passage.id],
        similarity=near.similarity if near else None,
        lift=near.lift if near else None,
        rank_dense=_best_rank(passage.id, rankings.dense),
        rank_text=_best_rank(passage.id, rankings.text),
        relevant=matches if near is None else near.lift is not None and near.lift >= relevance,
        expired=passage.expires is not None and passage.expires < today,
    )


def _best_rank(item: str, rankings: tuple[Ranking, ...]) -> int | None:
    return min((list(ranking).index(item) + 1 for ranking in rankings if item in ranking), default=None)
