"""How the team is wired: two reasoners at once, then the aligner, then the synthesizer.

An AutoGen GraphFlow made afresh for every case. Knows what the agents are handed, not where it comes from.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from autogen_agentchat.messages import StructuredMessage
from autogen_agentchat.teams import DiGraphBuilder, GraphFlow
from autogen_core.models import ChatCompletionClient
from pydantic import BaseModel, ConfigDict, Field

from agents.aligner import ConceptAligner
from agents.fusion import PAPER_THRESHOLD, FusionStrategy, GroundedFusion, PaperFusion
from agents.guidelines import Guidelines, QueryMode, RetrievalSettings
from agents.messages import Alignment, Answer, Argument, Case
from agents.reasoner import EnglishReasoner, LocalClinician, ReasonerSettings
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
    """What one embedder's cosines mean: `synonym` merges, `related` inserts, `support` lets a claim stand.

    A passage may be cited where it exceeds the question's mean cosine by `relevance`; `typical` is that mean's prior.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    synonym: float
    related: float
    support: float
    typical: float
    relevance: float


class TeamSettings(BaseModel):
    """What the administrator may choose about the argument."""

    model_config = ConfigDict(extra="forbid")
    fusion: Literal["grounded", "paper"] = "grounded"
    paper_threshold: float = Field(PAPER_THRESHOLD, ge=-1.0, le=1.0)
    query_mode: QueryMode = "chain"
    candidates: int = Field(CANDIDATES, ge=1)
    kept: int = Field(5, ge=1)
    seed: int = Field(7, ge=0)
    reasoner: ReasonerSettings = ReasonerSettings()
    synthesis: SynthesisSettings = SynthesisSettings()


@dataclass(frozen=True)
class Resources:
    """What a team works with. `client` opens a model client for a role: one each, so that figures never mix.

    `today` is the day on which guidelines count as expired or not, where it is not the present one.
    """

    client: Callable[[Role], ChatCompletionClient]
    embedder: Embedder
    thresholds: Thresholds
    store: KnowledgeStore | None
    settings: TeamSettings
    rerank: Rerank | None = None
    today: date | None = None


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
    return GroundedFusion(thresholds.synonym, thresholds.related)


def build_flow(resources: Resources, recorder: Recorder, clock: Callable[[], float], today: date) -> GraphFlow:
    """English reasoner and local clinician fan in to the aligner, which hands on to the synthesizer."""
    settings, thresholds = resources.settings, resources.thresholds

    def voice(agent: str, role: Role) -> Voice:
        return Voice(agent, resources.client(role), recorder, clock, settings.seed)

    retrieval = RetrievalSettings(
        query_mode=settings.query_mode,
        candidates=settings.candidates,
        kept=settings.kept,
        relevance=thresholds.relevance,
        typical=thresholds.typical,
    )
    english = EnglishReasoner(voice("EnglishReasoner", "english"), settings.reasoner)
    local = LocalClinician(voice("LocalClinician", "local"), settings.reasoner)
    aligner = ConceptAligner(
        resources.embedder,
        fusion(settings, thresholds),
        Guidelines(resources.store, retrieval, today, resources.rerank),
        recorder,
        clock,
        agreement=thresholds.related,
    )
    synthesizer = Synthesizer(
        voice("Synthesizer", "synthesizer"), resources.embedder, recorder, settings.synthesis, thresholds.support
    )
    graph = DiGraphBuilder()
    for agent in (english, local, aligner, synthesizer):
        graph.add_node(agent)
    graph.add_edge(english, aligner).add_edge(local, aligner).add_edge(aligner, synthesizer)
    return GraphFlow(
        participants=graph.get_participants(),
        graph=graph.build(),
        custom_message_types=[
            StructuredMessage[Case],
            StructuredMessage[Argument],
            StructuredMessage[Alignment],
            StructuredMessage[Answer],
        ],
    )
