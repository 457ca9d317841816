"""One model asked by itself: it thinks aloud, then concludes in the product's own form.

The conversation goes through the product's voice, so it is on the record, and may be as long as everything that the
team may write. Knows nothing of which system asks, nor why.
"""

import json
from collections.abc import Sequence
from importlib.resources import files
from string import Template

from autogen_core.models import AssistantMessage, LLMMessage, SystemMessage, UserMessage
from pydantic import BaseModel

from agents.conclusions import admitted, constrained, line_conclusion, meaning, read, request, stated
from agents.draft import answer_form, written
from agents.languages import language
from agents.messages import Answer, CitedPassage, Claim, Usage
from agents.reasoner import CONCLUSION_TOKENS, Concluded, listing, to_argue, to_conclude
from agents.rendering import Rendering, render
from agents.speaker import Spoken, Voice
from agents.support import check
from agents.synthesizer import rendered
from agents.team import Role
from evaluation.system import Answered, Sitting
from transcripts.event import EventKind

_LEAST = 64  # tokens that are left for thinking, whatever a translation took


def prompt(name: str, **names: str) -> str:
    """A prompt file of the evaluation with its $names filled in."""
    text = files("evaluation").joinpath(f"prompts/{name}.txt").read_text("utf-8")
    return Template(text).substitute(names).strip()


class Speaker:
    """One model in one sitting, as `agent`, with the case on the record."""

    def __init__(self, sitting: Sitting, agent: str, role: Role) -> None:
        self.sitting = sitting
        settings, client = sitting.resources.settings, sitting.resources.client(role)
        sitting.recorder.record(EventKind.CASE, sitting.case.model_dump(mode="json"))
        self.voice = Voice(agent, client, sitting.recorder, sitting.clock, settings.seed)
        self._messages: list[LLMMessage] = []

    async def say(self, phase: str, asked: str, max_tokens: int, form: type[BaseModel] | None = None) -> Spoken:
        """What the model says next in this conversation. Raises ModelError, TranscriptError."""
        self._messages.append(UserMessage(content=asked, source="clinician"))
        token = self.sitting.token
        stream = self.voice.speak(phase, self._messages, token, max_tokens=max_tokens, output=form)
        async for item in stream:
            if isinstance(item, Spoken):
                self.sitting.spent.append(item.usage)
                self._messages.append(AssistantMessage(content=item.text, source=self.voice.agent))
                return item
        raise RuntimeError(f"{self.voice.agent} ended without having spoken.")

    @property
    def usage(self) -> Usage:
        """What it has cost so far."""
        return sum(self.sitting.spent, Usage())

    def begin(self, system: str) -> None:
        """Start a new conversation."""
        self._messages = [SystemMessage(content=system)]

    async def in_english(self, text: str, *, prose: bool = True) -> Rendering:
        """The product's own rendering of a text. Raises ModelError."""
        code, limit = self.sitting.case.language, self.sitting.resources.settings.reasoner.rendering_tokens
        made = Rendering(english=text)
        async for item in render(text, code, self.voice, self.sitting.token, limit, prose=prose):
            if isinstance(item, Spoken):
                self.sitting.spent.append(item.usage)
            elif isinstance(item, Rendering):
                made = item
        return made

    async def argued(
        self, question: str, code: str, passages: Sequence[CitedPassage] = (), *, reserved: int = 0
    ) -> str:
        """What it thinks of a question, and in the same conversation its answer, as JSON. Raises ModelError.

        `reserved` tokens of the budget are left for what comes after it.
        """
        settings, instruction = self.sitting.resources.settings.synthesis, language(code).instruction
        case = self.sitting.case
        line = CONCLUSION_TOKENS if admitted(case) else 0
        room = self.sitting.budget - settings.answer_tokens - line - reserved - self.usage.completion_tokens
        self.begin(prompt("direct", instruction=instruction))
        said = await self.say("reasoning", to_argue(question, case, code), max(_LEAST, room))
        states = stated(said.text, case) if said.finished else ""
        if admitted(case) and not states:
            states = line_conclusion((await self.say("conclusion", to_conclude(case, "argument"), line)).text, case)
        if states:  # a form could say nothing else
            return json.dumps({"conclusion": states})
        asked, form = self._last(instruction, passages)
        return (await self.say("answer", asked, settings.answer_tokens, form)).text

    def _last(self, instruction: str, passages: Sequence[CitedPassage]) -> tuple[str, type[BaseModel]]:
        """How the conclusion is asked for, or an answer in sentences, and the form of it."""
        case, sentences = self.sitting.case, self.sitting.resources.settings.synthesis.sentences
        if admitted(case):
            asked = prompt("conclude", instruction=f"{request(case)} {instruction}")
            return asked, constrained(Concluded, case, "")
        cite = f"{prompt('cite')} {instruction}" if passages else instruction
        form = answer_form(tuple(p.number for p in passages), sentences, concludes=True)
        return prompt("answer", sentences=str(sentences), instruction=cite), form


def concluded(speaker: Speaker, said: str, code: str, passages: Sequence[CitedPassage] = ()) -> Answered:
    """What the model's JSON makes, in language `code`: a conclusion that the case admits, or sentences; recorded."""
    case = speaker.sitting.case
    if admitted(case):
        conclusion = read(str(listing(said).get("conclusion") or ""), case)
        return noted_answer(speaker, conclusion, conclusion, (), code)
    sentences, conclusion = written(said)
    resources = speaker.sitting.resources
    claims = check(sentences, passages, resources.nearness, case.text, code)
    return noted_answer(speaker, rendered(claims), conclusion, claims, code)


def noted_answer(speaker: Speaker, text: str, conclusion: str, claims: Sequence[Claim], code: str) -> Answered:
    """The answer, written to the record as the product's own answers are."""
    case = speaker.sitting.case
    answer = Answer(
        text=text,
        language=code,
        mode="synthesized" if text else "no_answer",
        conclusion=conclusion,
        meaning=meaning(conclusion, case, code),
        claims=tuple(claims),
        usage=speaker.usage,
    )
    speaker.sitting.recorder.record(EventKind.ANSWER, answer.model_dump(mode="json"))
    return Answered(
        status="answered" if text else "abstained",
        reason="" if text else "the model concluded nothing that the case admits",
        conclusion=conclusion,
        text="" if admitted(case) else text,
        claims=len(claims),
        cited=sum(bool(claim.passages) for claim in claims),
        supported=sum(claim.supported for claim in claims),
        usage=speaker.usage,
    )
