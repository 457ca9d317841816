"""The two reasoners: each argues the case in its own language and lists the concepts of its argument.

They differ in what they read and how they are asked; neither sees the other. A failure becomes an argument that
says so, since one raising agent would end AutoGen's whole flow.
"""

from collections.abc import AsyncGenerator, Sequence
from functools import partial
from typing import Annotated

from autogen_agentchat.agents import BaseChatAgent
from autogen_agentchat.base import Response
from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, StructuredMessage
from autogen_core import CancellationToken
from autogen_core.models import AssistantMessage, LLMMessage, SystemMessage, UserMessage
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json

from agents.checker import strays
from agents.concept import MAX_CONCEPTS, concepts
from agents.conclusions import (
    admitted,
    closing,
    constrained,
    last_line,
    lettered,
    line_conclusion,
    meaning,
    read,
    request,
    stated,
    unlettered,
)
from agents.fidelity import faults
from agents.languages import Language, language, phrase
from agents.messages import Argument, Case, ConceptChain, Reasoning, RenderingFault, Side, Span, Usage
from agents.rendering import Rendering, noted, render
from agents.speaker import Spoken, Voice, prompt
from models.errors import ModelError

MIN_CONCEPTS = 2
CONCLUSION_TOKENS = 32  # of a line with a letter, all letters or a label


class ReasonerSettings(BaseModel):
    """Token budgets of a reasoner's turns. Without `concepts` it lists none and only concludes."""

    model_config = ConfigDict(extra="forbid")
    concepts: bool = True
    rendering_tokens: int = Field(320, ge=16)
    reasoning_tokens: int = Field(224, ge=16)
    concept_tokens: int = Field(176, ge=32)


class Concluded(BaseModel):
    """The form that the grammar forces on a conclusion alone."""

    conclusion: Annotated[str, Field(max_length=240)]


class ListedConcepts(BaseModel):
    """The form that the grammar forces on a concept listing.

    The conclusion comes first, next to the argument that it is of, and does not depend on how the list went.
    """

    conclusion: Annotated[str, Field(max_length=240)]
    concepts: Annotated[
        list[Annotated[str, Field(min_length=2, max_length=60)]],
        Field(min_length=MIN_CONCEPTS, max_length=MAX_CONCEPTS),
    ]


class _Turn:
    """What one reasoner has said so far."""

    def __init__(self, case: Case) -> None:
        self.question = case.text
        self.options = case.options
        self.hypothesis = case.hypothesis
        self.faults: tuple[RenderingFault, ...] = ()
        self.said, self.finished = "", False
        self.concluded = ""  # the letter or label that the argument states, or its last line
        self.listing: dict[str, object] = {}
        self.usage = Usage()
        self.spans: list[Span] = []

    @property
    def text(self) -> str:
        return self.said.strip()

    def add(self, spoken: Spoken) -> None:
        self.usage += spoken.usage
        self.spans.append(spoken.span)

    def rendered_options(self, case: Case) -> str:
        """The options as this side reads them, where they are others than those of the case."""
        return lettered(self.options) if self.options != case.options else ""

    @property
    def read(self) -> str:
        """The case as it is sent: with its options or hypothesis, and a note of what the rendering may have wrong."""
        question = noted(Rendering(english=self.question, faults=self.faults))
        return case_text(question, self.options, self.hypothesis)


class Reasoner(BaseChatAgent):
    """What both reasoners share: argue, then list the concepts in the same conversation.

    `conversation` is what was said to the model and by it, from the argument on, for whoever goes on with it.
    """

    side: Side

    def __init__(self, name: str, description: str, voice: Voice, settings: ReasonerSettings) -> None:
        super().__init__(name, description)
        self._voice, self._settings = voice, settings
        self.conversation: list[LLMMessage] = []

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        """An argument, always."""
        return (StructuredMessage[Argument],)

    @property
    def lists(self) -> bool:
        """Whether it lists the concepts of its argument."""
        return self._settings.concepts

    def speaks(self, case: Case) -> Language:
        """The language of this side's argument."""
        raise NotImplementedError(self.name)

    def system(self, case: Case) -> str:
        """The system prompt for this case."""
        raise NotImplementedError(self.name)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        """The argument, without its chunks."""
        async for item in self.on_messages_stream(messages, cancellation_token):
            if isinstance(item, Response):
                return item
        raise RuntimeError(f"{self.name} ended without a response.")

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        """Chunks of the argument, then the argument. Other agents' messages are not read."""
        case = next(m.content for m in messages if isinstance(m, StructuredMessage) and isinstance(m.content, Case))
        turn = _Turn(case)
        reason = ""
        try:
            async for chunk in self._argue(case, turn, cancellation_token):
                yield chunk
        except ModelError as error:
            reason = str(error)
        argument = self._argument(case, turn, reason)
        yield Response(chat_message=StructuredMessage[Argument](content=argument, source=self.name))

    async def question(self, case: Case, turn: _Turn, token: CancellationToken) -> AsyncGenerator[BaseAgentEvent, None]:
        """Make `turn` hold the case as this side reads it, where that is not the case itself."""
        return
        yield

    async def _argue(self, case: Case, turn: _Turn, token: CancellationToken) -> AsyncGenerator[BaseAgentEvent, None]:
        async for chunk in self.question(case, turn, token):
            yield chunk
        async for chunk in self._in_its_language(case, turn, token):
            yield chunk
        if not turn.text:
            return
        messages = self.conversation
        messages.append(AssistantMessage(content=turn.said, source=self.name))
        turn.concluded = stated(turn.said, case) if turn.finished else ""
        if admitted(case) and not turn.concluded:
            async for chunk in self._conclude(case, turn, token):
                yield chunk
        if self.lists or not turn.concluded:
            async for chunk in self._list(case, turn, token):
                yield chunk

    async def _in_its_language(
        self, case: Case, turn: _Turn, token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent, None]:
        """Ask for the argument; one that begins in another language is stopped, and asked for once more.

        Both share one budget, so that a case costs no more than its settings say.
        """
        spoken, left = self.speaks(case), self._settings.reasoning_tokens
        asked = to_argue(turn.read, case, spoken.code)
        again = f"{asked}\n\n{prompt('argue_again', language=spoken.name, instruction=spoken.instruction)}"
        for ask, enough in ((asked, partial(strays, asked=spoken.code)), (again, _never)):
            self.conversation[:] = [
                SystemMessage(content=self.system(case)),
                UserMessage(content=ask, source="clinician"),
            ]
            turn.said, turn.finished = "", False
            async for item in self._voice.speak("reasoning", self.conversation, token, max_tokens=left, enough=enough):
                if isinstance(item, Spoken):
                    turn.add(item)
                    left -= item.usage.completion_tokens
                    turn.said, turn.finished = item.text, item.finished
                else:
                    yield item
            if left <= 0 or not strays(turn.said, spoken.code):
                return

    async def _conclude(
        self, case: Case, turn: _Turn, token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent, None]:
        """Ask for the letter or label that the argument does not state."""
        messages = self.conversation
        messages.append(UserMessage(content=to_conclude(case, "argument"), source="clinician"))
        async for item in self._voice.speak("conclusion", messages, token, max_tokens=CONCLUSION_TOKENS):
            if isinstance(item, Spoken):
                turn.add(item)
                turn.concluded = line_conclusion(item.text, case)
                messages.append(AssistantMessage(content=item.text, source=self.name))
            else:
                yield item

    async def _list(self, case: Case, turn: _Turn, token: CancellationToken) -> AsyncGenerator[BaseAgentEvent, None]:
        """Ask for the concepts and the conclusion in a form, or for the conclusion alone."""
        messages, budget = self.conversation, self._settings.concept_tokens
        instruction = f"{request(case)} {self.speaks(case).instruction}".strip()
        asked = prompt("concepts" if self.lists else "conclude", instruction=instruction)
        messages.append(UserMessage(content=asked, source="clinician"))
        form = constrained(ListedConcepts if self.lists else Concluded, case, turn.concluded)
        async for item in self._voice.speak("concepts", messages, token, max_tokens=budget, output=form):
            if isinstance(item, Spoken):
                turn.add(item)
                turn.listing = listing(item.text)
                messages.append(AssistantMessage(content=item.text, source=self.name))
            else:
                yield item

    def _argument(self, case: Case, turn: _Turn, reason: str) -> Argument:
        code = self.speaks(case).code
        if not turn.text and not reason:
            reason = "the model wrote nothing"
        conclusion = turn.concluded or read(str(turn.listing.get("conclusion") or ""), case)
        return Argument(
            reasoning=Reasoning(
                side=self.side,
                language=code,
                status="argued" if turn.text else "unavailable",
                question="\n\n".join(filter(None, (turn.question, turn.hypothesis, turn.rendered_options(case)))),
                text=turn.text,
                conclusion=conclusion,
                meaning=meaning(conclusion, case, code),
                reason=reason,
                fault=phrase("wrong_language", case.language) if strays(turn.said, code) else "",
                rendering_faults=turn.faults,
            ),
            chain=self.chain(code, turn.listing, turn.text, reason),
            usage=turn.usage,
            spans=tuple(turn.spans),
        )

    def chain(self, code: str, listing: dict[str, object], said: str, reason: str = "") -> ConceptChain:
        """The concepts of a listing in language `code`, as `said` means them; `reason` says why there are none."""
        listed = listing.get("concepts") if self.lists else None
        found = concepts(listed if isinstance(listed, list) else (), said, code)
        return ConceptChain(
            side=self.side,
            language=code,
            status="listed" if found else "empty",
            concepts=found,
            reason="" if found else reason or "the model listed no concepts",
        )

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        """Nothing is kept between cases."""
        self.conversation.clear()


def case_text(question: str, options: tuple[str, ...], hypothesis: str | None = None) -> str:
    """The case as a prompt, with its lettered options or the statement that is judged against it."""
    if hypothesis:
        return prompt("entailment", case=question, hypothesis=hypothesis)
    return prompt("case", case=question, options=f"Options:\n{lettered(options)}" if options else "")


def to_argue(question: str, case: Case, code: str) -> str:
    """A question as whoever argues it in language `code` is sent it: with how the argument has to end, if the case
    says that, and the language last, since a weak model writes on in the language of what it has just read."""
    spoken = language(code)
    ending = f"{closing(case)} {spoken.instruction}".strip()
    # Told not to copy options where there are none, a weak model makes some up; told not to say a statement again, it
    # says it.
    given = "case or the options" if case.options else "case"
    return prompt("argue", question=question, language=spoken.name, given=given, ending=ending)


def _never(_: str) -> bool:
    return False


def to_conclude(case: Case, text: str) -> str:
    """How the letter or label is asked for that a text does not state.

    By itself and in a line of its own: in a form a weak model writes the letter of its habit, whatever it has argued.
    """
    return prompt("last_line", text=text, line=last_line(case))


def listing(text: str, *, cut: bool = False) -> dict[str, object]:
    """The JSON object that a model writes; one cut short keeps its complete items, what is not JSON is empty.

    With `cut` it keeps the text that is being written, too.
    """
    try:
        parsed = from_json(text or "{}", allow_partial="trailing-strings" if cut else True)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def unrendered(case: Case) -> tuple[str, ...]:
    """The texts of a case that the English side has to put into English: what was asked, the statement, the options."""
    if case.language == "en":
        return ()
    texts = (
        "" if case.english else case.text,
        "" if case.english_hypothesis else case.hypothesis or "",
        "" if case.english_options else lettered(case.options),
    )
    return tuple(filter(None, texts))


class EnglishReasoner(Reasoner):
    """Argues in English from international evidence; puts the case into English first where nobody else has."""

    side: Side = "english"

    def __init__(self, voice: Voice, settings: ReasonerSettings) -> None:
        super().__init__("EnglishReasoner", "Argues the case in English.", voice, settings)

    def speaks(self, case: Case) -> Language:
        """English."""
        return language("en")

    def system(self, case: Case) -> str:
        """The physician who reasons in English."""
        return prompt("reasoner_english")

    async def question(self, case: Case, turn: _Turn, token: CancellationToken) -> AsyncGenerator[BaseAgentEvent, None]:
        """The given English rendering, or the model's own, or the case itself where it is English."""
        if case.language == "en":
            turn.question = case.english or case.text
            return
        if case.english:
            turn.question, turn.faults = case.english, faults(case.text, case.language, case.english)
        else:
            async for item in self._rendered(case, case.text, turn, token):
                if isinstance(item, Rendering):
                    turn.question, turn.faults = item.english, item.faults
                else:
                    yield item
        turn.hypothesis = case.english_hypothesis or case.hypothesis
        if case.hypothesis and not case.english_hypothesis:
            async for item in self._rendered(case, case.hypothesis, turn, token):
                if isinstance(item, Rendering):
                    turn.hypothesis, turn.faults = item.english, turn.faults + item.faults
                else:
                    yield item
        turn.options = case.english_options or case.options
        if case.options and not case.english_options:
            async for chunk in self._options(case, turn, token):
                yield chunk

    async def _options(self, case: Case, turn: _Turn, token: CancellationToken) -> AsyncGenerator[BaseAgentEvent, None]:
        """All options rendered at once; one that lost its letter would mislead, and those of the case do not."""
        async for item in self._rendered(case, lettered(case.options), turn, token, prose=False):
            if not isinstance(item, Rendering):
                yield item
            elif in_english := unlettered(item.english, len(case.options)):
                turn.options, turn.faults = in_english, turn.faults + item.faults

    async def _rendered(
        self, case: Case, text: str, turn: _Turn, token: CancellationToken, *, prose: bool = True
    ) -> AsyncGenerator[BaseAgentEvent | Rendering, None]:
        limit = self._settings.rendering_tokens
        async for item in render(text, case.language, self._voice, token, limit, prose=prose):
            if isinstance(item, Spoken):
                turn.add(item)
            else:
                yield item


class LocalClinician(Reasoner):
    """Argues in the language of the case from local practice."""

    side: Side = "local"

    def __init__(self, voice: Voice, settings: ReasonerSettings) -> None:
        super().__init__("LocalClinician", "Argues the case in its own language.", voice, settings)

    def speaks(self, case: Case) -> Language:
        """The language of the case."""
        return language(case.language)

    def system(self, case: Case) -> str:
        """The clinician who practises where the case happens."""
        local = self.speaks(case)
        jurisdiction = case.jurisdiction or local.jurisdiction
        return prompt("reasoner_local", language=local.name, jurisdiction=jurisdiction, instruction=local.instruction)
