"""How the team is wired: two reasoners at once, the aligner, the two again where they differ, then the synthesizer.

An AutoGen GraphFlow made afresh for every case. Knows what the agents are handed, not where it comes from.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from autogen_agentchat.messages import BaseChatMessage, StructuredMessage
from autogen_agentchat.teams import DiGraphBuilder, GraphFlow
from autogen_core.models import ChatCompletionClient
from pydantic import BaseModel, ConfigDict, Field

from agents.aligner import ConceptAligner
from agents.conclusions import admitted
from agents.dispute import goes_on
from agents.fusion import PAPER_THRESHOLD, FusionStrategy, GroundedFusion, PaperFusion, SideBySide
from agents.guidelines import Guidelines, QueryMode, RetrievalSettings
from agents.messages import Alignment, Answer, Argument, Case, Part, Rebuttal
from agents.nearness import Nearness
from agents.reasoner import (
    CONCLUSION_TOKENS,
    EnglishReasoner,
    LocalClinician,
    Reasoner,
    ReasonerSettings,
    unrendered,
)
from agents.rebuttal import RebuttalSettings, Respondent
from agents.rendering import REQUESTS, rendering_limit
from agents.speaker import Voice
from agents.synthesizer import SynthesisSettings, Synthesizer
from knowledge.search import CANDIDATES, Rerank
from knowledge.store import KnowledgeStore
from transcripts.recorder import Recorder

Role = Literal["english", "local", "synthesizer"]


class Embedder(Protocol):
    """What the team needs of an embedding model; all vectors are normalised, shape [n, dimension]."""

    def embed_queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One vector a query."""

    def embed_passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One vector a passage."""

    def embed_concepts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One vector a concept name."""


class Thresholds(BaseModel):
    """What one embedder's cosines mean: `synonym`, `centred`, `certain` and `lead` merge, `related` inserts.

    `support` lets a claim stand, `across` one that cites a passage in another language, `across_in` those in certain
    languages (see `agents.nearness`). A passage may be cited where it exceeds the question's mean cosine by
    `relevance`; `typical` is that mean's prior.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    synonym: float
    centred: float | None = None
    certain: float | None = None
    lead: float = 0.0
    related: float
    support: float
    across: float | None = None
    across_in: Mapping[str, float] = Field(default_factory=dict)
    typical: float
    relevance: float


# Where names stand for meanings, only the same name is near: then every cosine is 1 or 0.
BY_NAME = Thresholds(synonym=1.0, related=1.0, support=0.0, typical=0.0, relevance=0.0)


class TeamSettings(BaseModel):
    """What the administrator may choose about the argument. `rounds` of rebuttal at most; 0 is the paper's method."""

    model_config = ConfigDict(extra="forbid")
    fusion: Literal["grounded", "paper", "side_by_side"] = "grounded"
    paper_threshold: float = Field(PAPER_THRESHOLD, ge=-1.0, le=1.0)
    query_mode: QueryMode = "chain"
    candidates: int = Field(CANDIDATES, ge=1)
    kept: int = Field(5, ge=1)
    seed: int = Field(7, ge=0)
    rounds: int = Field(1, ge=0, le=5)
    reasoner: ReasonerSettings = ReasonerSettings()
    rebuttal: RebuttalSettings = RebuttalSettings()
    synthesis: SynthesisSettings = SynthesisSettings()

    def token_budget(self, case: Case) -> int:
        """How many tokens the models may write for a case at most, its English renderings included, and but for a
        judge's yes or no."""
        reasoner, written = self.reasoner, self.synthesis.attempts * self.synthesis.answer_tokens
        argued = 2 * (reasoner.reasoning_tokens + reasoner.concept_tokens + self.rounds * self.rebuttal.rebuttal_tokens)
        concluded = 3 * CONCLUSION_TOKENS if admitted(case) else 0
        rendered = sum(rendering_limit(text, reasoner.rendering_tokens) for text in unrendered(case))
        return REQUESTS * rendered + argued + concluded + written


@dataclass(frozen=True)
class Resources:
    """What a team works with. `client` opens a model client for a role: one each, so that figures never mix.

    Embedder or store None are not there, and `without` says why; the thresholds are then `BY_NAME`.
    `today` is the day on which guidelines count as expired or not, where it is not the present one.
    """

    client: Callable[[Role], ChatCompletionClient]
    embedder: Embedder | None
    thresholds: Thresholds
    store: KnowledgeStore | None
    settings: TeamSettings
    rerank: Rerank | None = None
    without: Mapping[Part, str] = field(default_factory=dict)
    today: date | None = None

    @property
    def nearness(self) -> Nearness | None:
        """How near sentences are to passages; None without an embedder."""
        limits = self.thresholds
        return Nearness(self.embedder, limits.support, limits.across, limits.across_in) if self.embedder else None


class Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def __call__(self) -> float:
        """Seconds."""
        return time.perf_counter() - self._start


def fusion(settings: TeamSettings, thresholds: Thresholds) -> FusionStrategy:
    """The configured strategy."""
    if settings.fusion == "paper":
        return PaperFusion(settings.paper_threshold)
    if settings.fusion == "side_by_side":
        return SideBySide()
    return GroundedFusion.of(thresholds)


def build_flow(resources: Resources, recorder: Recorder, clock: Callable[[], float], today: date) -> GraphFlow:
    """Both reasoners fan in to the aligner; from there a loop of rebuttals, or the way on to the synthesizer."""
    settings, thresholds = resources.settings, resources.thresholds

    def voice(agent: str, role: Role) -> Voice:
        return Voice(agent, resources.client(role), recorder, clock, settings.seed)

    voices = voice("EnglishReasoner", "english"), voice("LocalClinician", "local")
    reasoners = EnglishReasoner(voices[0], settings.reasoner), LocalClinician(voices[1], settings.reasoner)
    respondents = [
        Respondent(reasoner, spoken, recorder, settings.rebuttal)
        for reasoner, spoken in zip(reasoners, voices, strict=True)
    ]
    aligner = ConceptAligner(
        resources.embedder,
        fusion(settings, thresholds),
        guidelines(resources, today),
        recorder,
        clock,
        agreement=thresholds.related,
    )
    synthesizer = Synthesizer(
        voice("Synthesizer", "synthesizer"),
        resources.nearness,
        recorder,
        settings.synthesis,
        resources.without,
    )
    return _wired(reasoners, aligner, respondents if settings.rounds else [], synthesizer, settings.rounds)


def guidelines(resources: Resources, today: date) -> Guidelines:
    """The knowledge base as it is searched for a case."""
    settings, thresholds = resources.settings, resources.thresholds
    retrieval = RetrievalSettings(
        query_mode=settings.query_mode,
        candidates=settings.candidates,
        kept=settings.kept,
        relevance=thresholds.relevance,
        typical=thresholds.typical,
    )
    absent = resources.without.get("guidelines", "")
    return Guidelines(resources.store, retrieval, today, resources.rerank, absent)


def _wired(
    reasoners: Sequence[Reasoner],
    aligner: ConceptAligner,
    respondents: Sequence[Respondent],
    synthesizer: Synthesizer,
    rounds: int,
) -> GraphFlow:
    """The graph. Arguments and rebuttals activate the aligner each in a group of their own, when all are there."""

    def disputed(message: BaseChatMessage) -> bool:
        return goes_on(_alignment(message), rounds)

    def settled(message: BaseChatMessage) -> bool:
        return not goes_on(_alignment(message), rounds)

    graph = DiGraphBuilder()
    for agent in (*reasoners, aligner, *respondents, synthesizer):
        graph.add_node(agent)
    for reasoner in reasoners:
        graph.add_edge(reasoner, aligner, activation_group="arguments")
    for respondent in respondents:
        graph.add_edge(aligner, respondent, condition=disputed)
        graph.add_edge(respondent, aligner, activation_group="rebuttals")
    graph.add_edge(aligner, synthesizer, condition=settled)
    return GraphFlow(
        participants=graph.get_participants(),
        graph=graph.build(),
        # What a graph with a loop must have; the conditions end the loop before it.
        max_turns=3 + 2 * rounds,
        custom_message_types=[
            StructuredMessage[Case],
            StructuredMessage[Argument],
            StructuredMessage[Alignment],
            StructuredMessage[Rebuttal],
            StructuredMessage[Answer],
        ],
    )


def _alignment(message: BaseChatMessage) -> Alignment:
    assert isinstance(message, StructuredMessage)
    assert isinstance(message.content, Alignment)
    return message.content
