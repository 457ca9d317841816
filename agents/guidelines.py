"""Guidelines: which passages speak to a case, in its own language and in English.

Wraps `knowledge.search` with the query modes and the numbering of citations. Knows nothing of models.
"""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from agents.messages import Case, CitedPassage, Concept, Evidence, FusedChain
from agents.polarity import mentioned
from knowledge.errors import KnowledgeError
from knowledge.passage import Passage, ScoredPassage
from knowledge.search import Rerank, search
from knowledge.store import KnowledgeStore

QueryMode = Literal["question", "concept", "chain"]


class RetrievalSettings(BaseModel):
    """How guidelines are searched: `candidates` retrieved and `kept` passages a language."""

    query_mode: QueryMode
    candidates: int = Field(ge=1)
    kept: int = Field(ge=1)
    relevance: float = Field(ge=-1.0, le=1.0)
    typical: float = Field(ge=-1.0, le=1.0)


class Guidelines:
    """The knowledge base as the aligner asks it. `store` None is a missing knowledge base, and `absent` says why."""

    def __init__(
        self,
        store: KnowledgeStore | None,
        settings: RetrievalSettings,
        today: date,
        rerank: Rerank | None = None,
        absent: str = "",
    ) -> None:
        self._store, self._settings, self._today, self._rerank = store, settings, today, rerank
        self._absent = absent or "there is no knowledge base: run `coreasoner knowledge add`"

    def evidence(self, case: Case, english: str, fused: FusedChain) -> Evidence:
        """Passages for the case, numbered from 1, local language first. Never raises: what failed is its `reason`."""
        mode = self._settings.query_mode
        local, foreign = queries(mode, case.text, fused, "local"), queries(mode, english, fused, "english")
        if self._store is None:
            return _missing(mode, self._absent)
        try:
            held: list[Passage] = []
            found = list(self._search(local, [case.language], held, self._settings.kept))
            if case.language != "en":
                found += self._search(foreign, ["en"], held, self._settings.kept)
            version = self._store.version() or ""
        except KnowledgeError as error:
            return _missing(mode, str(error))
        cited = tuple(_cited(number, scored) for number, scored in enumerate(_relevant_first(found), start=1))
        return Evidence(
            status="found" if any(p.relevant for p in cited) else "none_relevant",
            query_mode=mode,
            queries=(*local, *foreign) if case.language != "en" else local,
            version=version,
            passages=cited,
            withheld=tuple(dict.fromkeys(passage.id for passage in held)),
        )

    def supporting(self, concept: Concept, language: str) -> tuple[str, ...]:
        """Ids of passages in a language that speak of one concept, and do not deny what it asserts; the best ones.

        A passage that has the concept's words may be any that was found, one that is merely near only a best one.
        """
        if self._store is None:
            return ()
        kept, everything = self._settings.kept, 2 * self._settings.candidates
        try:
            found = self._search((concept.compared,), [language], [], everything)
        except KnowledgeError:
            return ()
        return tuple(s.passage.id for place, s in enumerate(found) if _supports(concept, s, place < kept))[:kept]

    def _search(
        self, asked: Sequence[str], languages: list[str], held: list[Passage], limit: int
    ) -> tuple[ScoredPassage, ...]:
        """The `limit` best passages; those that are withheld are put into `held`."""
        assert self._store is not None
        return search(
            self._store,
            asked,
            languages=languages,
            limit=limit,
            candidates=self._settings.candidates,
            today=self._today,
            relevance=self._settings.relevance,
            typical=self._settings.typical,
            rerank=self._rerank,
            on_withheld=held.append,
        )


def queries(mode: QueryMode, question: str, fused: FusedChain, side: Literal["english", "local"]) -> tuple[str, ...]:
    """What to search for: the question, each concept, or the question with the whole chain."""
    names = [c.local_name or c.name if side == "local" else c.name for c in fused.concepts]
    if mode == "question" or not names:
        return (question,)
    if mode == "concept":
        return tuple(names)
    return (question, ", ".join(names))


def _supports(concept: Concept, scored: ScoredPassage, best: bool) -> bool:
    """Whether a passage has the concept's words and asserts or denies them alike, or else is a best one that is near.

    What a concept denies is supported by words alone: being near says nothing of a denial.
    """
    said = mentioned(concept.compared, scored.passage.text, scored.passage.language)
    if said is not None:
        return (said == "present") == concept.asserted
    return best and concept.asserted and scored.relevant and scored.rank_text is not None


def _relevant_first(found: Sequence[ScoredPassage]) -> list[ScoredPassage]:
    return sorted(found, key=lambda scored: not scored.relevant)


def _cited(number: int, scored: ScoredPassage) -> CitedPassage:
    return CitedPassage(
        number=number,
        passage=scored.passage,
        similarity=scored.similarity,
        score=scored.score,
        relevant=scored.relevant,
        expired=scored.expired,
    )


def _missing(mode: QueryMode, reason: str) -> Evidence:
    return Evidence(status="missing", query_mode=mode, queries=(), version="", passages=(), reason=reason)
