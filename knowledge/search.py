"""Hybrid search: the nearest vectors and the matching words, fused by reciprocal rank.

It ranks and flags; whether a flagged passage is shown, and as what, is the caller's decision.
"""

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
from pydantic import BaseModel, ConfigDict

from knowledge.passage import Passage, ScoredPassage
from knowledge.store import KnowledgeStore
from knowledge.table import Filter, PassageTable, Vectors, only

RRF_K = 60
INTERNATIONAL = "INT"
_MAX_QUERY = 2000  # characters: what small embedders read at most; the rest would only cost time
# Equal scores come back in any order, so more are fetched than kept and the tie is broken here, by id.
_OVERFETCH = 4

Ranking = Sequence[str]


class _Rankings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    dense: tuple[Ranking, ...]
    text: tuple[Ranking, ...]


def reciprocal_rank_fusion(rankings: Iterable[Ranking], k: int = RRF_K) -> dict[str, float]:
    """Score every id by the sum of 1 / (k + rank) over the rankings that hold it, ranks counting from 1.

    Cormack, Clarke and Büttcher 2009, "Reciprocal rank fusion outperforms Condorcet and individual rank learning
    methods", SIGIR, https://doi.org/10.1145/1571941.1572114.
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, 1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (k + rank)
    return scores


def search(
    store: KnowledgeStore,
    queries: Sequence[str],
    *,
    languages: Sequence[str] | None,
    jurisdictions: Sequence[str] | None = None,
    limit: int = 5,
    candidates: int = 10,
    today: date,
    relevance: float,
) -> tuple[ScoredPassage, ...]:
    """The `limit` best passages for all queries together, best first; the same call gives the same answer.

    Each query ranks `candidates` passages by cosine and as many by words, and all rankings are fused. Languages are
    compared without script and region; None means every language or jurisdiction. `relevance` is the cosine from
    which a passage is flagged relevant; one that expired before `today` is flagged and not held back. Passages with
    the same text are given once. Raises KnowledgeBaseMissing; a search without words or filters that admit nothing
    give an empty result.
    """
    table = store.table
    asked = [text for text in map(_readable, queries) if text]
    if not asked or any(admitted is not None and not admitted for admitted in (languages, jurisdictions)):
        return ()
    where = only(languages, jurisdictions)
    vectors = store.embedder.embed_queries(asked)
    rankings = _rankings(table, asked, vectors, where, candidates)
    scores = reciprocal_rank_fusion((*rankings.dense, *rankings.text))
    found = sorted(table.passages(scores.keys(), where), key=lambda pair: _order(pair[0], scores))
    unique = {passage.sha256: (passage, vector) for passage, vector in reversed(found)}
    best = sorted(unique.values(), key=lambda pair: _order(pair[0], scores))[:limit]
    return tuple(
        _scored(passage, scores, rankings, _similarity(vectors, vector), today, relevance) for passage, vector in best
    )


def _readable(query: str) -> str:
    """The query without what can't be encoded, and no longer than an embedder reads."""
    return query[:_MAX_QUERY].encode("utf-8", "ignore").decode().replace("\0", " ").strip()


def _rankings(table: PassageTable, asked: list[str], vectors: Vectors, where: Filter, candidates: int) -> _Rankings:
    dense = (table.nearest(vector, where, candidates * _OVERFETCH) for vector in vectors if vector.any())
    text = (table.matching(query, where, candidates * _OVERFETCH) for query in asked)
    return _Rankings(
        dense=tuple(_ranking(scored, candidates) for scored in dense),
        text=tuple(_ranking(scored, candidates) for scored in text),
    )


def _ranking(scored: list[tuple[str, float]], candidates: int) -> Ranking:
    return list(dict.fromkeys(item for item, _ in scored))[:candidates]


def _order(passage: Passage, scores: dict[str, float]) -> tuple[float, bool, str, str]:
    # Rounded: sums of the same reciprocals in another order differ in the last bit and are equal all the same.
    return -round(scores[passage.id], 12), passage.jurisdiction == INTERNATIONAL, passage.id, passage.pack


def _similarity(queries: Vectors, passage: Vectors) -> float | None:
    """The highest cosine between the queries [n, d] and the passage [d]."""
    lengths = np.linalg.norm(queries, axis=1) * np.linalg.norm(passage)
    defined = lengths > 0
    return float(np.max(queries[defined] @ passage / lengths[defined])) if defined.any() else None


def _scored(
    passage: Passage,
    scores: dict[str, float],
    rankings: _Rankings,
    similarity: float | None,
    today: date,
    relevance: float,
) -> ScoredPassage:
    return ScoredPassage(
        passage=passage,
        score=scores[passage.id],
        similarity=similarity,
        rank_dense=_best_rank(passage.id, rankings.dense),
        rank_text=_best_rank(passage.id, rankings.text),
        relevant=similarity is not None and similarity >= relevance,
        expired=passage.expires is not None and passage.expires < today,
    )


def _best_rank(item: str, rankings: tuple[Ranking, ...]) -> int | None:
    return min((ranking.index(item) + 1 for ranking in rankings if item in ranking), default=None)
