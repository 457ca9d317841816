"""The synthesizer: one answer in the clinician's language, every sentence tied to a passage or marked.

What a weak model writes is checked before it is an answer; where it is not usable the answer is the evidence
itself, with the reason. Knows nothing of how concepts were fused.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import (
    BaseAgentEvent,
    BaseChatMessage,
    ModelClientStreamingChunkEvent,
    StructuredMessage,
)
from autogen_core import CancellationToken
from autogen_core.models import LLMMessage, SystemMessage, UserMessage
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, create_model
from pydantic_core import from_json

from agents.checker import echoes, fault
from agents.languages import language, phrase
from agents.marks import marks
from agents.messages import Alignment, Answer, Argument, Case, CitedPassage, Claim, Side, Usage
from agents.reasoner import case_text
from agents.speaker import Spoken, Voice, prompt
from agents.support import TextEmbedder, check
from knowledge.untrusted import quote
from models.errors import ModelError
from transcripts.event import EventKind
from transcripts.recorder import Recorder

_Sentence = tuple[str, tuple[int, ...]]


class SynthesisSettings(BaseModel):
    """Budgets of the answer: its own tokens, and the tokens of evidence that the model reads."""

    model_config = ConfigDict(extra="forbid")
    answer_tokens: int = Field(384, ge=64)
    evidence_tokens: int = Field(1200, ge=100)
    sentences: int = Field(6, ge=1, le=12)


class Synthesizer(BaseChatAgent):
    """Writes the answer from the alignment. `support` is the cosine that a claim must reach to its passage."""

    def __init__(
        self,
        voice: Voice,
        embedder: TextEmbedder,
        recorder: Recorder,
        settings: SynthesisSettings,
        support: float,
    ) -> None:
        super().__init__("Synthesizer", "Writes the answer in the language of the case.")
        self._voice, self._embedder, self._recorder = voice, embedder, recorder
        self._settings, self._support = settings, support

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
        arguments: dict[Side, Argument] = {c.reasoning.side: c for c in contents if isinstance(c, Argument)}
        alignment = next(c for c in contents if isinstance(c, Alignment))
        spoken: Spoken | None = None
        detail = ""
        try:
            async for item in self._speak(case, arguments, alignment, cancellation_token):
                if isinstance(item, Spoken):
                    spoken = item
                else:
                    yield item
        except ModelError as error:
            detail = str(error)
        answer = self.answer(case, alignment, spoken, detail)
        self._recorder.record(EventKind.ANSWER, answer.model_dump(mode="json"))
        yield Response(chat_message=StructuredMessage[Answer](content=answer, source=self.name))

    async def _speak(
        self, case: Case, arguments: dict[Side, Argument], alignment: Alignment, token: CancellationToken
    ) -> AsyncGenerator[ModelClientStreamingChunkEvent | Spoken, None]:
        shown = await self.shown(alignment)
        quotation, mark = _quoted(shown)
        passages = prompt("synthesize_passages", passages=quotation, mark=mark)
        messages: list[LLMMessage] = [
            SystemMessage(content=self._system(case)),
            UserMessage(content=f"{passages}\n\n{self._user(case, arguments, alignment)}", source="aligner"),
        ]
        form = answer_form(tuple(p.number for p in shown), len(case.options), self._settings.sentences)
        budget = self._settings.answer_tokens
        async for item in self._voice.speak("answer", messages, token, max_tokens=budget, output=form, public=passages):
            yield item

    async def shown(self, alignment: Alignment) -> tuple[CitedPassage, ...]:
        """The relevant passages that fit the budget, best of each language in turn, at least one."""
        room = self._settings.evidence_tokens
        chosen: list[CitedPassage] = []
        for passage in _alternating(alignment.evidence.relevant):
            room -= await self._voice.tokens(passage.passage.text)
            if room < 0 and chosen:
                break
            chosen.append(passage)
        return tuple(sorted(chosen, key=lambda p: p.number))

    def _system(self, case: Case) -> str:
        asked = language(case.language)
        return prompt("synthesize", language=asked.name, instruction=asked.instruction)

    def _user(
        self,
        case: Case,
        arguments: dict[Side, Argument],
        alignment: Alignment,
    ) -> str:
        names = [c.local_name or c.name for c in alignment.fused.concepts]
        text, _, options = case_text(case.text, case.options).removeprefix("Case:\n").partition("\nOptions:\n")
        return prompt(
            "synthesize_case",
            case=text.strip(),
            options=f"Options:\n{options}" if options else "",
            chain=" → ".join(names) or "-",
            english=arguments["english"].reasoning.conclusion or "-",
            local=arguments["local"].reasoning.conclusion or "-",
            instruction=language(case.language).instruction,
        )

    def answer(self, case: Case, alignment: Alignment, spoken: Spoken | None, detail: str = "") -> Answer:
        """The answer that the model's text makes, or the evidence where it makes none.

        `spoken` None is a model that could not be used; `detail` says why.
        """
        said, conclusion = written(spoken.text) if spoken else ((), "")
        sentences = tuple(sentence for sentence in said if not echoes(sentence[0], case.text))
        blank = Answer(
            text="",
            language=case.language,
            mode="no_answer",
            disagreement=alignment.disagreement,
            usage=spoken.usage if spoken else Usage(),
            spans=(spoken.span,) if spoken else (),
        )
        if spoken is None:
            return self._without_model(alignment, phrase("unavailable", case.language, reason=detail), blank)
        text = " ".join(text for text, _ in sentences)
        if found := "echo" if said and not sentences else fault(text, case.language, case.text):
            return self._without_model(alignment, phrase(found, case.language), blank)
        claims, doubtful = self._checked(case, sentences, conclusion, alignment.evidence.relevant)
        if alignment.evidence.relevant and not any(claim.supported for claim in claims):
            return self._without_model(alignment, phrase("unsupported", case.language), blank)
        return blank.model_copy(
            update={
                "text": rendered(claims),
                "mode": "synthesized",
                "conclusion": conclusion,
                "claims": claims,
                "unsupported": doubtful,
            }
        )

    def _checked(
        self, case: Case, sentences: Sequence[_Sentence], conclusion: str, passages: Sequence[CitedPassage]
    ) -> tuple[tuple[Claim, ...], tuple[str, ...]]:
        """The claims, and the texts of those that nothing supports; the conclusion is judged by all cited passages."""
        cited = tuple(dict.fromkeys(n for _, numbers in sentences for n in numbers))
        free_text = conclusion and not case.options
        judged = [*sentences, (conclusion, cited)] if free_text else list(sentences)
        claims = check(judged, passages, self._embedder, self._support, case.text, case.language)
        return claims[: len(sentences)], tuple(c.text for c in claims if not c.supported)

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


def answer_form(numbers: tuple[int, ...], options: int, sentences: int) -> type[BaseModel]:
    """The form that the grammar forces on an answer: only numbers of passages shown, only letters of real options."""
    number: Any = Annotated[int, WithJsonSchema({"enum": list(numbers)})]
    letters = [chr(ord("A") + i) for i in range(options)]
    conclusion: Any = Annotated[str, WithJsonSchema({"enum": letters}) if letters else Field(max_length=240)]
    fields: dict[str, Any] = {"text": (Annotated[str, Field(min_length=8, max_length=280)], ...)}
    if numbers:
        fields["passages"] = (Annotated[list[number], Field(max_length=3)], ...)
    sentence: Any = create_model("Sentence", **fields)
    listed: Any = Annotated[list[sentence], Field(min_length=1, max_length=sentences)]
    return create_model("WrittenAnswer", sentences=(listed, ...), conclusion=(conclusion, ...))


def written(text: str) -> tuple[tuple[_Sentence, ...], str]:
    """The sentences with their citations, and the conclusion, of the model's JSON; complete items of a cut one.

    Nothing of what is not JSON: the grammar admits escapes of half a character, which no parser takes.
    """
    try:
        parsed = from_json(text or "{}", allow_partial=True)
    except ValueError:
        return (), ""
    if not isinstance(parsed, dict):
        return (), ""
    sentences = [s for s in parsed.get("sentences", []) if isinstance(s, dict) and str(s.get("text", "")).strip()]
    return (
        tuple((str(s["text"]).strip(), tuple(int(n) for n in s.get("passages", []))) for s in sentences),
        str(parsed.get("conclusion", "")).strip(),
    )


def rendered(claims: Sequence[Claim], separator: str = " ") -> str:
    """The answer's text: each claim followed by the numbers of its passages in brackets."""
    return separator.join(f"{c.text}{' ' if c.passages else ''}{''.join(f'[{n}]' for n in c.passages)}" for c in claims)


def _quoted(shown: Sequence[CitedPassage]) -> tuple[str, str]:
    """The passages as a quotation, and the mark around it.

    The mark is the same as long as the program runs, so that a model which has read passages need not read them again
    for the next case, and nothing that an author could know; a passage that holds it all the same gets the next one.
    """
    if not shown:
        return "none", "none"
    passages = {p.number: p.passage for p in shown}
    known = "".join(f"{p.model_dump_json()}" for p in passages.values())
    mark = next(mark for mark in marks() if mark not in known)
    return quote(passages, mark), mark


def _alternating(passages: Sequence[CitedPassage]) -> list[CitedPassage]:
    """Passages of each language in turn, so that neither crowds the other out of the budget."""
    lanes: dict[str, list[CitedPassage]] = {}
    for passage in passages:
        lanes.setdefault(passage.passage.language, []).append(passage)
    longest = max((len(lane) for lane in lanes.values()), default=0)
    return [lane[i] for i in range(longest) for lane in lanes.values() if i < len(lane)]
