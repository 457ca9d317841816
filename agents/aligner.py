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
from agents.fusion import FusionStrategy, promote
from agents.guidelines import Guidelines
from agents.messages import Alignment, Argument, Case, Disagreement, FusedChain, Side, Span
from transcripts.event import EventKind
from transcripts.recorder import Recorder


class ConceptEmbedder(Protocol):
    """Turns concept names into vectors [n, dimension]."""

    def embed_concepts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One normalised vector a name."""


class ConceptAligner(BaseChatAgent):
    """Waits for both arguments; hands on the fused chain with its evidence.

    `agreement` is the cosine from which two conclusions count as the same.
    """

    def __init__(
        self,
        embedder: ConceptEmbedder,
        fuse: FusionStrategy,
        guidelines: Guidelines,
        recorder: Recorder,
        clock: Callable[[], float],
        agreement: float,
    ) -> None:
        super().__init__("ConceptAligner", "Fuses the concept chains and finds the evidence.")
        self._embedder, self._fuse, self._guidelines = embedder, fuse, guidelines
        self._recorder, self._clock, self._agreement = recorder, clock, agreement

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """An alignment."""
        return (StructuredMessage[Alignment],)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """Align what both reasoners have said; embedding and search run beside the event loop."""
        contents = [m.content for m in messages if isinstance(m, StructuredMessage)]
        case = next(c for c in contents if isinstance(c, Case))
        arguments = {c.reasoning.side: c for c in contents if isinstance(c, Argument)}
        alignment = await asyncio.to_thread(self._align, case, arguments)
        return Response(chat_message=StructuredMessage[Alignment](content=alignment, source=self.name))

    def _align(self, case: Case, arguments: dict[Side, Argument]) -> Alignment:
        start = self._clock()
        english, local = arguments["english"], arguments["local"]
        for argument in (english, local):
            self._recorder.record(EventKind.REASONING, argument.reasoning.model_dump(mode="json"))
            self._recorder.record(EventKind.CHAIN, argument.chain.model_dump(mode="json"))
        fused = self._fuse(english.chain, local.chain, self._embedder.embed_concepts)
        fused = promote(fused, self._supported(fused, case))
        disagreement = self._disagreement(case, english, local)
        body = fused.model_dump(mode="json")
        body["disagreement"] = disagreement.model_dump(mode="json") if disagreement else None
        self._recorder.record(EventKind.FUSION, body)
        evidence = self._guidelines.evidence(case, english.reasoning.question, fused)
        self._recorder.record(EventKind.RETRIEVAL, evidence.model_dump(mode="json"))
        span = Span(agent=self.name, phase="alignment", start=start, end=self._clock())
        return Alignment(fused=fused, evidence=evidence, disagreement=disagreement, spans=(span,))

    def _supported(self, fused: FusedChain, case: Case) -> list[tuple[str, tuple[str, ...]]]:
        waiting = [c.name for c in fused.aside if c.status == "unconfirmed"]
        return [(name, self._guidelines.supporting(name, case.language)) for name in waiting]

    def _disagreement(self, case: Case, english: Argument, local: Argument) -> Disagreement | None:
        """The two conclusions where both exist and differ: by option where there are options, else by meaning."""
        ours, theirs = (
            named(reasoning.conclusion, reasoning.meaning) for reasoning in (english.reasoning, local.reasoning)
        )
        if not ours or not theirs:
            return None
        if admitted(case):
            same = english.reasoning.conclusion == local.reasoning.conclusion
            return None if same else Disagreement(english=ours, local=theirs)
        vectors = self._embedder.embed_concepts([ours, theirs])
        similarity = float(vectors[0] @ vectors[1])
        if similarity >= self._agreement:
            return None
        return Disagreement(english=ours, local=theirs, similarity=similarity)

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Nothing is kept between cases."""
