"""The synthesizer: one answer in the clinician's language, every sentence tied to a passage or marked.

What a weak model writes is checked before it is an answer. Where it is not usable it is asked for once more, with
what was wrong; where that is no better, the answer is the evidence itself, with the reason. A sentence with a dose or
a threshold that no cited passage has is left out of what is shown. Knows nothing of how concepts were fused.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    StructuredMessage,
)
from autogen_core import CancellationToken
from autogen_core.models import AssistantMessage, LLMMessage, SystemMessage, UserMessage
from pydantic import BaseModel, ConfigDict, Field

from agents.conclusions import admitted, agreed, lettered, line_conclusion, meaning, named
from agents.dispute import contradicting, qualified, standing
from agents.draft import Draft, answer_form, drafted, judged_again
from agents.judge import judged
from agents.languages import language, phrase
from agents.messages import (
    Alignment,
    Answer,
    Argument,
    Case,
    CitedPassage,
    Claim,
    Disagreement,
    FusedConcept,
    Part,
    Reasoning,
    Side,
    Span,
    Usage,
)
from agents.missing import missed
from agents.nearness import Nearness
from agents.quotation import fitting, quoted
from agents.reasoner import CONCLUSION_TOKENS, to_conclude
from agents.speaker import Spoken, Voice, prompt
from models.errors import ModelError
from transcripts.event import EventKind
from transcripts.recorder import Recorder


class SynthesisSettings(BaseModel):
    """Budgets of the answer: its own tokens, each time it is written, and the tokens of evidence that the model reads.

    `attempts` 1 never asks again. `judge` has the model judge each sentence that the checker accepts, the conclusion
    among them where it is one. With `arguments` the model reads both arguments whole, not only what they conclude.
    """

    model_config = ConfigDict(extra="forbid")
    answer_tokens: int = Field(384, ge=64)
    evidence_tokens: int = Field(1200, ge=100)
    sentences: int = Field(6, ge=1, le=12)
    attempts: int = Field(2, ge=1, le=2)
    judge: bool = False
    arguments: bool = False


@dataclass
class Told:
    """Everything that the model was asked and has said; `draft` is what its last text makes."""

    usage: Usage = field(default_factory=Usage)
    spans: tuple[Span, ...] = ()
    draft: Draft | None = None

    def heard(self, item: Spoken) -> None:
        """Count a turn in."""
        self.usage, self.spans = self.usage + item.usage, (*self.spans, item.span)


class Synthesizer(BaseChatAgent):
    """Writes the answer from the alignment. `nearness` judges claims; None where there is no embedder.

    `without` says which parts of the program are not there, and why.
    """

    def __init__(
        self,
        voice: Voice,
        nearness: Nearness | None,
        recorder: Recorder,
        settings: SynthesisSettings,
        without: Mapping[Part, str] = MappingProxyType({}),
    ) -> None:
        super().__init__("Synthesizer", "Writes the answer in the language of the case.")
        self._voice, self._nearness, self._recorder = voice, nearness, recorder
        self._settings, self._without = settings, without

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """An answer, always."""
        return (StructuredMessage[Answer],)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """The answer, without its chunks."""
        async for item in self.on_messages_stream(messages, cancellation_token):
            if isinstance(item, Response):
                return item
        raise RuntimeError("Synthesizer ended without a response.")

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Chunks of the model's JSON, then the checked answer."""
        contents = [m.content for m in messages if isinstance(m, StructuredMessage)]
        case = next(c for c in contents if isinstance(c, Case))
        argued: dict[Side, Argument] = {c.reasoning.side: c for c in contents if isinstance(c, Argument)}
        alignment = next(c for c in reversed(contents) if isinstance(c, Alignment))
        arguments = standing(argued, alignment.rebuttals)
        told, detail = Told(), ""
        try:
            async for item in self._attempted(told, case, arguments, alignment, cancellation_token):
                yield item
        except ModelError as error:
            detail = str(error)
        without: dict[Part, str] = {**self._without, **({} if told.draft else {"synthesizer": detail})}
        answer = _concluded(self.answer(case, alignment, told, detail), case, told, arguments)
        answer = answer.model_copy(update={"missing": missed(case, arguments, alignment.evidence, without)})
        self._recorder.record(EventKind.ANSWER, answer.model_dump(mode="json"))
        yield Response(chat_message=StructuredMessage[Answer](content=answer, source=self.name))

    async def _attempted(
        self, told: Told, case: Case, arguments: dict[Side, Argument], alignment: Alignment, token: CancellationToken
    ) -> AsyncGenerator[ModelClientStreamingChunkEvent, None]:
        """Chunks of the answer and, where it cannot be shown and there are passages to write from, of another one."""
        relevant = alignment.evidence.relevant
        shown = await self.shown(alignment)
        quotation, mark = quoted(shown) if shown else ("none", "none")
        passages = prompt("synthesize_passages", passages=quotation, mark=mark)
        messages: list[LLMMessage] = [
            SystemMessage(content=self._system(case)),
            UserMessage(content=f"{passages}\n\n{self._user(case, arguments, alignment)}", source="aligner"),
        ]
        form = answer_form(tuple(p.number for p in shown), self._settings.sentences, concludes=not admitted(case))
        budget = self._settings.answer_tokens
        for _ in range(self._settings.attempts if relevant else 1):
            said, asked = "", list(messages)
            async for item in self._voice.speak(
                "answer", messages, token, max_tokens=budget, output=form, public=passages
            ):
                if isinstance(item, Spoken):
                    told.heard(item)
                    said = item.text
                else:
                    yield item
            told.draft = self.drafted(case, alignment, said)
            if self._settings.judge and not told.draft.fault:
                async for chunk in self._judged(told, told.draft, relevant, token):
                    yield chunk
            if not told.draft.fault:
                break
            messages += [
                AssistantMessage(content=said, source=self._voice.agent),
                UserMessage(content=self._again(case, told.draft), source="checker"),
            ]
        if admitted(case) and told.draft:
            asked += [
                AssistantMessage(content=said, source=self._voice.agent),
                UserMessage(content=to_conclude(case, "answer"), source="aligner"),
            ]
            # `public` again: the passages are a text of their own, whose tokens would not fit the cache otherwise.
            async for item in self._voice.speak(
                "conclusion", asked, token, max_tokens=CONCLUSION_TOKENS, public=passages
            ):
                if isinstance(item, Spoken):
                    told.heard(item)
                    conclusion = line_conclusion(item.text, case) or told.draft.conclusion
                    told.draft = told.draft._replace(conclusion=conclusion)
                else:
                    yield item

    async def _judged(
        self, told: Told, draft: Draft, passages: Sequence[CitedPassage], token: CancellationToken
    ) -> AsyncGenerator[ModelClientStreamingChunkEvent, None]:
        """Chunks of the verdicts; the draft then has only those sentences supported that the model did not refuse.

        A conclusion in free text is one of them.
        """
        claims: list[Claim] = []
        concluded = (draft.concluded,) if draft.concluded else ()
        async for item in judged((*draft.claims, *concluded), passages, self._voice, token):
            if isinstance(item, Spoken):
                told.heard(item)
            elif isinstance(item, Claim):
                claims.append(item)
            else:
                yield item
        count = len(draft.claims)
        again = draft._replace(claims=tuple(claims[:count]), concluded=claims[count] if concluded else None)
        told.draft = judged_again(again, passages)

    async def shown(self, alignment: Alignment) -> tuple[CitedPassage, ...]:
        """The relevant passages that fit the budget, best of each language in turn, at least one."""
        return await fitting(alignment.evidence.relevant, self._settings.evidence_tokens, self._voice.tokens)

    def _system(self, case: Case) -> str:
        asked = language(case.language)
        return prompt("synthesize", language=asked.name, instruction=asked.instruction)

    def _again(self, case: Case, draft: Draft) -> str:
        return prompt(
            "synthesize_again", fault=phrase(draft.fault, "en"), instruction=language(case.language).instruction
        )

    def _user(
        self,
        case: Case,
        arguments: dict[Side, Argument],
        alignment: Alignment,
    ) -> str:
        names = [_chained(concept, case.language) for concept in alignment.fused.concepts]
        english, local = (arguments[side].reasoning for side in ("english", "local"))
        return prompt(
            "synthesize_case",
            asked=_asked(case),
            chain=" → ".join(names) or "-",
            disputed=disputed(alignment.disagreement, case.language),
            english=self._opinion(english),
            local=self._opinion(local),
            instruction=language(case.language).instruction,
        )

    def _opinion(self, reasoning: Reasoning) -> str:
        """What a colleague concludes; with `arguments`, after all that the colleague said, on one line of its own."""
        concluded = named(reasoning.conclusion, reasoning.meaning) or "-"
        if not self._settings.arguments or not reasoning.text:
            return concluded
        return f"{' '.join(reasoning.text.split())} ({concluded})"

    def drafted(self, case: Case, alignment: Alignment, text: str) -> Draft:
        """The draft that the model's text makes."""
        return drafted(text, case, alignment.evidence.relevant, self._nearness)

    def answer(self, case: Case, alignment: Alignment, told: Told, detail: str = "") -> Answer:
        """The answer that the model's last text makes, or the evidence where it makes none.

        Told without a draft is a model that could not be used; `detail` says why.
        """
        blank = Answer(
            text="",
            language=case.language,
            mode="no_answer",
            disagreement=alignment.disagreement,
            usage=told.usage,
            spans=told.spans,
        )
        draft = told.draft
        if draft is None:
            return self._without_model(alignment, phrase("unavailable", case.language, reason=detail), blank)
        if draft.fault:
            return self._without_model(alignment, phrase(draft.fault, case.language), blank)
        claims = tuple(_showable(claim, case.language) for claim in draft.claims)
        concluded = _showable(draft.concluded, case.language) if draft.concluded else None
        conclusion = concluded.text if concluded else draft.conclusion
        judged_all = (*claims, concluded) if concluded else claims
        return blank.model_copy(
            update={
                "text": rendered(claims),
                "mode": "synthesized",
                "conclusion": conclusion,
                "meaning": meaning(conclusion, case, case.language),
                "claims": claims,
                "unsupported": tuple(c.text for c in judged_all if not c.supported),
            }
        )

    @staticmethod
    def _without_model(alignment: Alignment, why: str, blank: Answer) -> Answer:
        """The passages themselves, in order; or the plain statement that there is nothing."""
        code = blank.language
        if not alignment.evidence.relevant:
            return blank.model_copy(update={"text": f"{why} {phrase('no_answer', code)}", "reason": why})
        claims = tuple(
            Claim(text=p.passage.text, passages=(p.number,), supported=True) for p in alignment.evidence.relevant
        )
        text = f"{phrase('evidence_only', code)}\n\n{rendered(claims, separator=chr(10) * 2)}"
        return blank.model_copy(update={"text": text, "mode": "evidence_only", "claims": claims, "reason": why})

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Nothing is kept between cases."""


def _asked(case: Case) -> str:
    """The case and what is asked of it. Of a statement the model is asked what decides it, not which label it has: a
    weak model copies the possibilities out, in the language of the question."""
    if case.hypothesis:
        spoken = language(case.language).name
        return prompt("synthesize_statement", case=case.text, hypothesis=case.hypothesis, language=spoken)
    options = f"Options:\n{lettered(case.options)}" if case.options else ""
    return prompt("synthesize_question", case=case.text, options=options)


def _chained(concept: FusedConcept, language: str) -> str:
    """A concept of the chain as the model reads it: by its name in the `language` of the case where it has one."""
    spoken = "en" if concept.origin == "english" else language
    return qualified(concept.local_name or concept.name, concept.polarity, spoken, "en")


def disputed(disagreement: Disagreement | None, language: str) -> str:
    """Lines that say what the sides contradict each other in, of a case in `language`; empty where they do not."""
    contradictions = disagreement.contradictions if disagreement else ()
    pairs = (contradicting(found, language, "en") for found in contradictions)
    return "".join(f"\nThey contradict each other: {english} (English), {local} (local)" for english, local in pairs)


def _concluded(answer: Answer, case: Case, told: Told, arguments: Mapping[Side, Argument]) -> Answer:
    """The answer with the letter or label that two agents share, where its own sentences could not carry one.

    Its own is marked where none of its sentences is supported, or where both sides share another.
    """
    if not admitted(case):
        return answer
    english, local = (arguments[side].reasoning.conclusion for side in ("english", "local"))
    if answer.conclusion:
        return _doubted(answer, case, english if english == local else "")
    conclusion = agreed(english, local, told.draft.conclusion if told.draft else "")
    if not conclusion:
        return answer
    update = {
        "conclusion": conclusion,
        "meaning": meaning(conclusion, case, case.language),
        "unsupported": (*answer.unsupported, conclusion),
        "text": answer.text if answer.mode == "synthesized" else f"{phrase('agreed', case.language)} {answer.text}",
    }
    return answer.model_copy(update=update)


def _doubted(answer: Answer, case: Case, shared: str) -> Answer:
    """The answer with its letter or label marked where nothing bears it; `shared` is that of both sides, if any."""
    other = shared if shared != answer.conclusion else ""
    if not other and any(claim.supported for claim in answer.claims):
        return answer
    sides, own = named(other, meaning(other, case, case.language)), named(answer.conclusion, answer.meaning)
    against = phrase("against_both", case.language, sides=sides, answer=own) if other else ""
    return answer.model_copy(update={"unsupported": (*answer.unsupported, answer.conclusion), "against": against})


def _showable(claim: Claim, code: str) -> Claim:
    """The claim, or in its place a sentence which says that a dose or threshold was left out."""
    if not claim.unfounded:
        return claim
    why = "gives a dose or threshold that no cited passage has"
    return claim.model_copy(update={"text": phrase("dose_left_out", code), "why": why})


def rendered(claims: Sequence[Claim], separator: str = " ") -> str:
    """The answer's text: each claim followed by the numbers of its passages in brackets."""
    return separator.join(f"{c.text}{' ' if c.passages else ''}{''.join(f'[{n}]' for n in c.passages)}" for c in claims)
