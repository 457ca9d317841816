"""The rebuttal: where the sides differ, each reads the other's concepts and the evidence, and holds or revises.

A node of the flow that goes on with its reasoner's own conversation, which the model has read already. Both speak at
once; a side that cannot be asked, or writes nothing usable, holds.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any, Literal

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, StructuredMessage
from autogen_core import CancellationToken
from autogen_core.models import AssistantMessage, UserMessage
from pydantic import BaseModel, ConfigDict, Field, create_model

from agents.checker import fault
from agents.concept import MAX_CONCEPTS
from agents.conclusions import admitted, conclusion_type, meaning, named, read
from agents.dispute import contradicting, qualified, standing
from agents.languages import phrase
from agents.messages import (
    Alignment,
    Argument,
    Case,
    Concept,
    ConceptChain,
    Disagreement,
    Message,
    Rebuttal,
    Side,
    Usage,
)
from agents.polarity import Polarity, mentioned
from agents.quotation import fitting, quoted, quoted_lines
from agents.reasoner import MIN_CONCEPTS, ListedConcepts, Reasoner, listing
from agents.speaker import Spoken, Voice, prompt
from models.errors import ModelError
from transcripts.event import EventKind
from transcripts.recorder import Recorder

_NAMES: dict[Side, str] = {"english": "EnglishRebuttal", "local": "LocalRebuttal"}
_OTHER: dict[Side, Side] = {"english": "local", "local": "english"}
_MAX_REASON = 280
_WORDS = r'[^"\\\x00-\x1f]'  # what may stand in a string of JSON as it is


class RebuttalSettings(BaseModel):
    """Budgets of one rebuttal: its own tokens, and the tokens of evidence that the side reads."""

    model_config = ConfigDict(extra="forbid")
    rebuttal_tokens: int = Field(200, ge=32)
    evidence_tokens: int = Field(400, ge=100)


class Respondent(BaseChatAgent):
    """One side of the dispute. It shares the voice and the conversation of its reasoner."""

    def __init__(self, reasoner: Reasoner, voice: Voice, recorder: Recorder, settings: RebuttalSettings) -> None:
        super().__init__(_NAMES[reasoner.side], f"Answers the other side for {reasoner.name}.")
        self._reasoner, self._voice, self._recorder, self._settings = reasoner, voice, recorder, settings
        self._heard: list[Message] = []

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """A rebuttal, always."""
        return (StructuredMessage[Rebuttal],)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """The rebuttal, without its chunks."""
        async for item in self.on_messages_stream(messages, cancellation_token):
            if isinstance(item, Response):
                return item
        raise RuntimeError(f"{self.name} ended without a response.")

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Chunks of the model's JSON, then the rebuttal. What the other side says in the same round is not read."""
        self._heard += [m.content for m in messages if isinstance(m, StructuredMessage)]
        case = next(c for c in self._heard if isinstance(c, Case))
        alignment = next(c for c in reversed(self._heard) if isinstance(c, Alignment))
        arguments: dict[Side, Argument] = {c.reasoning.side: c for c in self._heard if isinstance(c, Argument)}
        stands = standing(arguments, alignment.rebuttals)
        spoken: Spoken | None = None
        trouble = ""
        try:
            async for item in self._speak(case, stands, alignment, cancellation_token):
                if isinstance(item, Spoken):
                    spoken = item
                else:
                    yield item
        except ModelError as error:
            trouble = phrase("unavailable", case.language, reason=str(error))
        rebuttal = self.rebuttal(case, stands[self._reasoner.side], alignment.rounds + 1, spoken, trouble)
        self._recorder.record(EventKind.REBUTTAL, rebuttal.model_dump(mode="json"))
        yield Response(chat_message=StructuredMessage[Rebuttal](content=rebuttal, source=self.name))

    async def _speak(
        self, case: Case, stands: dict[Side, Argument], alignment: Alignment, token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | Spoken, None]:
        conversation = self._reasoner.conversation
        asked = UserMessage(content=await self._asked(case, stands, alignment), source="aligner")
        begins = phrase("because", self._reasoner.speaks(case).code)
        form, budget = rebuttal_form(admitted(case), begins, self._reasoner.lists), self._settings.rebuttal_tokens
        async for item in self._voice.speak("rebuttal", [*conversation, asked], token, max_tokens=budget, output=form):
            if isinstance(item, Spoken):
                conversation += [asked, AssistantMessage(content=item.text, source=self._reasoner.name)]
            yield item

    async def _asked(self, case: Case, stands: dict[Side, Argument], alignment: Alignment) -> str:
        """What the side is asked: the other's concepts and conclusion, and the passages, all of it quoted."""
        other = stands[_OTHER[self._reasoner.side]]
        lines = _said(other, alignment.disagreement, case.language)
        room = self._settings.evidence_tokens
        passages, mark = quoted(await fitting(alignment.evidence.relevant, room, self._voice.tokens), lines)
        return prompt(
            "rebuttal",
            mark=mark,
            colleague=quoted_lines(lines, mark),
            passages=passages,
            instruction=self._reasoner.speaks(case).instruction,
        )

    def rebuttal(
        self, case: Case, argument: Argument, number: int, spoken: Spoken | None, trouble: str = ""
    ) -> Rebuttal:
        """The rebuttal of round `number` that the model's JSON makes, for a side that argues as `argument` until now.

        `spoken` None is a model that could not be used; `trouble` says why.
        """
        before, language = argument.reasoning.conclusion, self._reasoner.speaks(case).code
        held = Rebuttal(
            side=self._reasoner.side,
            language=language,
            round=number,
            decision="hold",
            before=before,
            conclusion=before,
            meaning=argument.reasoning.meaning,
            fault=trouble,
            usage=spoken.usage if spoken else Usage(),
            spans=(spoken.span,) if spoken else (),
        )
        if spoken is None:
            return held
        written = listing(spoken.text)
        reason, conclusion = _line(written.get("reason")), read(_line(written.get("conclusion")), case)
        if wrong := _fault(written, reason, conclusion, case, language):
            return held.model_copy(update={"fault": phrase(wrong, case.language)})
        held = held.model_copy(update={"reason": reason})
        chain = argument.chain
        if written.get("concepts"):
            chain = _as_until_now(self._reasoner.chain(language, written, reason), reason, argument)
        if written["decision"] == "hold" or (conclusion == before and chain.concepts == argument.chain.concepts):
            return held
        listed = chain if chain.concepts and chain.concepts != argument.chain.concepts else None
        means = meaning(conclusion, case, language)
        came = {"decision": "revise", "conclusion": conclusion, "meaning": means, "concepts": listed}
        return held.model_copy(update=came)

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Nothing is kept between cases."""
        self._heard.clear()


def rebuttal_form(conclusions: Sequence[str], begins: str, lists: bool = True) -> type[BaseModel]:
    """The form that the grammar forces on a rebuttal; the conclusion is one of these, where there are any.

    The reason `begins` with a word of the side's language: what it has just read is English, and a weak model goes on
    in that, whatever it is told. Who never listed concepts does not list them anew.

    The reason stands before the decision, so that a model decides after it has argued and not the other way round.
    """
    listed = ListedConcepts.model_fields["concepts"].annotation
    # In the schema alone: an endpoint that keeps to no pattern has given a reason all the same.
    pattern = {"pattern": f"^{begins}{_WORDS}{{8,{_MAX_REASON}}}$"}
    reason = Annotated[str, Field(min_length=8, max_length=_MAX_REASON + len(begins), json_schema_extra=pattern)]
    fields: dict[str, Any] = {
        "reason": (reason, ...),
        "decision": (Literal["hold", "revise"], ...),
        "conclusion": (conclusion_type(conclusions), ...),
    }
    if lists:
        fields["concepts"] = (listed, Field(None, min_length=MIN_CONCEPTS, max_length=MAX_CONCEPTS))
    return create_model("WrittenRebuttal", **fields)


def _as_until_now(listed: ConceptChain, reason: str, argument: Argument) -> ConceptChain:
    """What a side lists anew: asserted or denied as its chain or its argument has it where `reason` does not say it."""
    former = {concept.compared.casefold(): concept.polarity for concept in argument.chain.concepts}
    former |= {concept.name.casefold(): concept.polarity for concept in argument.chain.concepts}
    found: dict[tuple[str, Polarity], Concept] = {}
    for concept in listed.concepts:
        polarity = concept.polarity
        if not concept.core and mentioned(concept.name, reason, listed.language) is None:
            said = mentioned(concept.name, argument.reasoning.text, listed.language)
            polarity = former.get(concept.name.casefold()) or said or polarity
        found.setdefault((concept.compared.casefold(), polarity), concept.model_copy(update={"polarity": polarity}))
    return listed.model_copy(update={"concepts": tuple(found.values())})


def _said(other: Argument, disagreement: Disagreement | None, language: str) -> list[str]:
    """What a side is shown of the other: its concepts in order, its conclusion, and what contradicts what.

    What is denied or forbidden says so. `language` is that of the case.
    """
    chain = other.chain
    names = (qualified(concept.name, concept.polarity, chain.language, "en") for concept in chain.concepts)
    lines = [f"Concept {number}: {name}" for number, name in enumerate(names, start=1)]
    lines.append(f"Conclusion: {named(other.reasoning.conclusion, other.reasoning.meaning) or '-'}")
    contradictions = disagreement.contradictions if disagreement else ()
    return lines + [f"Contradiction: {' / '.join(contradicting(found, language, 'en'))}" for found in contradictions]


def _fault(written: dict[str, object], reason: str, conclusion: str, case: Case, language: str) -> str | None:
    """Why what a side wrote is no rebuttal; a reason or a new conclusion that could not be shown is none."""
    if written.get("decision") not in ("hold", "revise") or (written["decision"] == "revise" and not conclusion):
        return "malformed"
    if found := fault(reason, language, case.text):
        return found
    return fault(conclusion, language, case.text) if written["decision"] == "revise" and not admitted(case) else None


def _line(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""
