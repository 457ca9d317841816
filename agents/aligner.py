"""The concept aligner: fuses two chains, searches the guidelines, promotes what they support.

Works without a language model. Says where the two conclusions differ; does not decide between them.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseChatMessage, StructuredMessage
from autogen_core import CancellationToken

from agents.conclusions import admitted, named
from agents.dispute import latest, remaining, standing
from agents.fusion import WAITING, EmbedConcepts, FusionStrategy, promote
from agents.guidelines import Guidelines
from agents.messages import (
    Alignment,
    Argument,
    Case,
    ConceptChain,
    Disagreement,
    FusedChain,
    Message,
    Rebuttal,
    Side,
    Span,
)
from agents.names import embed_names
from transcripts.event import EventKind
from transcripts.recorder import Recorder


class ConceptEmbedder(Protocol):
    """Turns concept names into vectors [n, dimension]."""

    def embed_concepts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One normalised vector a name."""


class ConceptAligner(BaseChatAgent):
    """Waits for both arguments; hands on the fused chain with its evidence, and again after every round of rebuttal.

    `agreement` is the cosine from which two conclusions count as the same. Without an embedder concepts are the same
    where their names are.
    """

    def __init__(
        self,
        embedder: ConceptEmbedder | None,
        fuse: FusionStrategy,
        guidelines: Guidelines,
        recorder: Recorder,
        clock: Callable[[], float],
        agreement: float,
    ) -> None:
        super().__init__("ConceptAligner", "Fuses the concept chains and finds the evidence.")
        self._embedder, self._fuse, self._guidelines = embedder, fuse, guidelines
        self._recorder, self._clock, self._agreement = recorder, clock, agreement
        self._heard: list[Message] = []

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """An alignment."""
        return (StructuredMessage[Alignment],)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Align what both reasoners have said; embedding and search run beside the event loop."""
        self._heard += [m.content for m in messages if isinstance(m, StructuredMessage)]
        alignment = await asyncio.to_thread(self._align)
        self._heard.append(alignment)
        return Response(chat_message=StructuredMessage[Alignment](content=alignment, source=self.name))

    def _align(self) -> Alignment:
        start = self._clock()
        case = next(c for c in self._heard if isinstance(c, Case))
        before = next((c for c in reversed(self._heard) if isinstance(c, Alignment)), None)
        rebuttals = tuple(c for c in self._heard if isinstance(c, Rebuttal))
        argued: dict[Side, Argument] = {c.reasoning.side: c for c in self._heard if isinstance(c, Argument)}
        arguments = standing(argued, rebuttals)
        moved = [r.side for r in latest(rebuttals) if r.decision == "revise"] if before else list(arguments)
        aligned = before if before and not moved else self._aligned(case, arguments, moved)
        span = Span(agent=self.name, phase="alignment", start=start, end=self._clock())
        return aligned.model_copy(
            update={
                "disagreement": remaining(aligned.disagreement, latest(rebuttals), case.language),
                "rebuttals": rebuttals,
                "spans": (*before.spans, span) if before else (span,),
            }
        )

    def _aligned(self, case: Case, arguments: dict[Side, Argument], moved: Sequence[Side]) -> Alignment:
        """The arguments fused and grounded; those that are new, or have `moved`, go on the record."""
        for side in moved:
            self._recorder.record(EventKind.REASONING, arguments[side].reasoning.model_dump(mode="json"))
            self._recorder.record(EventKind.CHAIN, arguments[side].chain.model_dump(mode="json"))
        english, local = arguments["english"], arguments["local"]
        embed = self._embedder.embed_concepts if self._embedder else embed_names
        fused = fused_chain(english.chain, local.chain, self._fuse, embed, self._guidelines)
        disagreement = self._disagreement(case, english, local, fused)
        body = fused.model_dump(mode="json")
        body["disagreement"] = disagreement.model_dump(mode="json") if disagreement else None
        self._recorder.record(EventKind.FUSION, body)
        evidence = self._guidelines.evidence(case, english.reasoning.question, fused)
        self._recorder.record(EventKind.RETRIEVAL, evidence.model_dump(mode="json"))
        return Alignment(fused=fused, evidence=evidence, disagreement=disagreement, spans=())

    def _disagreement(self, case: Case, english: Argument, local: Argument, fused: FusedChain) -> Disagreement | None:
        """What the sides say differently: their conclusions, or concepts that one asserts and the other denies."""
        ours, theirs = english.reasoning, local.reasoning
        differ, similarity = self._compared(ours.conclusion, theirs.conclusion, bool(admitted(case)))
        if not differ and not fused.contradictions:
            return None
        return Disagreement(
            english=named(ours.conclusion, ours.meaning),
            local=named(theirs.conclusion, theirs.meaning),
            similarity=similarity,
            contradictions=fused.contradictions,
        )

    def _compared(self, ours: str, theirs: str, chosen: bool) -> tuple[bool, float | None]:
        """Whether two conclusions differ: as they stand where they were `chosen` among some, else by meaning, then with
        the cosine.

        What is missing, or cannot be compared without an embedding model, is not called different.
        """
        if not ours or not theirs:
            return False, None
        if chosen:
            return ours != theirs, None
        if self._embedder is None:
            return False, None
        vectors = self._embedder.embed_concepts([ours, theirs])
        similarity = float(vectors[0] @ vectors[1])
        return similarity < self._agreement, similarity

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Nothing is kept between cases."""
        self._heard.clear()


def fused_chain(
    english: ConceptChain, local: ConceptChain, fuse: FusionStrategy, embed: EmbedConcepts, guidelines: Guidelines
) -> FusedChain:
    """Both chains fused, and what waits for evidence promoted where the guidelines in its language support it."""
    fused = fuse(english, local, embed)
    waiting = {concept.name for concept in fused.aside if concept.status in WAITING}
    asked = [concept for concept in local.concepts if concept.name in waiting]
    return promote(fused, [(concept.name, guidelines.supporting(concept, local.language)) for concept in asked])
