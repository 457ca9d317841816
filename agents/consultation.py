"""One consultation: a case in, progress out while the team argues, everything on the record.

Knows nothing of screens or command lines; whoever runs it closes it or cancels its token to stop the models.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import date
from typing import TypeVar

from autogen_agentchat.messages import ModelClientStreamingChunkEvent, StructuredMessage
from autogen_core import CancellationToken

from agents.conclusions import options as admitted_options
from agents.dispute import standing
from agents.errors import BadOptions, CaseError, CaseTooLong, EmptyCase, TwoTasks
from agents.identification import given, identification
from agents.languages import language, languages
from agents.messages import (
    MAX_CASE_CHARACTERS,
    Alarm,
    Alignment,
    Answer,
    Argument,
    Case,
    Message,
    Rebuttal,
    Side,
    Span,
    Usage,
)
from agents.missing import untabled
from agents.red_flags import FALLBACK, alarm
from agents.team import Clock, Resources, build_flow
from transcripts.event import EventKind
from transcripts.recorder import Recorder

_Item = TypeVar("_Item")
_SHOWN = (Argument, Alignment, Rebuttal, Answer)


class Chunk(Message):
    """Some more text of one agent in one phase.

    A phase is `rendering`, `reasoning`, `conclusion`, `concepts`, `rebuttal` or `answer`.
    """

    agent: str
    phase: str
    text: str


class Outcome(Message):
    """A whole consultation, once it is over. Times in seconds since it began.

    Both arguments are as they stand at its end; what was said to change them is in `alignment.rebuttals`.
    """

    transcript_id: str
    case: Case
    english: Argument
    local: Argument
    alignment: Alignment
    answer: Answer
    spans: tuple[Span, ...]
    usage: Usage
    seconds: float
    red_flags: Alarm | None = None


Progress = Alarm | Chunk | Argument | Alignment | Rebuttal | Answer | Outcome


def prepare(
    text: str,
    *,
    spoken: str | None = None,
    english: str | None = None,
    options: Sequence[str] = (),
    english_options: Sequence[str] = (),
    hypothesis: str | None = None,
    english_hypothesis: str | None = None,
    several: bool = False,
    configured: Sequence[str] | None = None,
    local: str | None = None,
) -> Case:
    """A case from what a person typed; its language is identified among those `configured` unless `spoken` gives it.

    It is the `local` one where no other is clearly likelier. Without options, of which one is right or `several` may
    be, or a hypothesis, to be judged against the text, it is free text. Raises EmptyCase, CaseTooLong, UnknownLanguage,
    LanguageUnclear, BadOptions, TwoTasks.
    """
    plain, rendering = _well_formed(text), _well_formed(english or "")
    statement, rendered_statement = (_well_formed(part or "") for part in (hypothesis, english_hypothesis))
    if not any(c.isalnum() for c in plain):
        raise EmptyCase("The case is empty; describe the patient and your question.")
    if (length := max(map(len, (plain, rendering, statement, rendered_statement)))) > MAX_CASE_CHARACTERS:
        raise CaseTooLong(
            f"The case has {length:,} characters and {MAX_CASE_CHARACTERS:,} can be read; "
            "shorten it to what matters for the question."
        )
    if options and statement:
        raise TwoTasks("There are answer options and a statement to judge; give one of them, or neither.")
    listed = admitted_options([_well_formed(option) for option in options])
    in_english = tuple(_well_formed(option) for option in english_options)
    if in_english and len(in_english) != len(listed):
        raise BadOptions(f"There are {len(listed)} answer options and {len(in_english)} in English; give each in both.")
    found = given(language(spoken).code) if spoken else identification(plain, tuple(configured or languages()), local)
    return Case(
        text=plain,
        language=found.language,
        language_found=found.found,
        english=rendering or None,
        options=listed,
        english_options=in_english,
        several=several and bool(listed),
        hypothesis=statement or None,
        english_hypothesis=(statement and rendered_statement) or None,
        identification=found,
    )


def _well_formed(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "").strip()


def first_look(
    text: str, *, spoken: str | None = None, configured: Sequence[str] | None = None, local: str | None = None
) -> Alarm | None:
    """The red flags of what a person typed, before anything is opened; of what is no case yet, the English ones."""
    try:
        return red_flags_of(prepare(text, spoken=spoken, configured=configured, local=local))
    except CaseError:
        return alarm(_well_formed(text)[:MAX_CASE_CHARACTERS], FALLBACK, "INT")


def unwatched(
    text: str, *, spoken: str | None = None, configured: Sequence[str] | None = None, local: str | None = None
) -> str:
    """What to tell before anything is opened where the language of a case has no table of emergencies, in it."""
    try:
        return untabled(prepare(text, spoken=spoken, configured=configured, local=local).language)
    except CaseError:
        return ""


def red_flags_of(case: Case) -> Alarm | None:
    """The red flags of a case, with the emergency line of its jurisdiction."""
    return alarm(case.text, case.language, case.jurisdiction or language(case.language).jurisdiction)


class _Heard:
    """The messages of a running consultation, gathered into its outcome."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.red_flags = red_flags_of(case)
        self.arguments: dict[Side, Argument] = {}
        self.alignment: Alignment | None = None
        self.answer: Answer | None = None

    def take(self, content: Message) -> None:
        match content:
            case Argument():
                self.arguments[content.reasoning.side] = content
            case Alignment():
                self.alignment = content
            case Answer():
                self.answer = content

    def outcome(self, transcript_id: str, seconds: float) -> Outcome:
        assert self.alignment is not None
        assert self.answer is not None
        arguments = standing(self.arguments, self.alignment.rebuttals)
        english, local = arguments["english"], arguments["local"]
        return Outcome(
            transcript_id=transcript_id,
            case=self.case,
            english=english,
            local=local,
            alignment=self.alignment,
            answer=self.answer,
            spans=(*english.spans, *local.spans, *self.alignment.spans, *self.answer.spans),
            usage=english.usage + local.usage + self.answer.usage,
            seconds=seconds,
            red_flags=self.red_flags,
        )


async def consult(
    case: Case, resources: Resources, recorder: Recorder, token: CancellationToken
) -> AsyncGenerator[Progress, None]:
    """Argue `case`. Yields its red flags before any model is asked, then what comes, and the outcome last.

    Raises TranscriptError as soon as the record cannot be written; CancelledError when `token` or the running task is
    cancelled. Left early in any way, closed included, it cancels `token` and waits until the models have stopped.
    """
    clock = Clock()
    recorder.record(EventKind.CASE, case.model_dump(mode="json"))
    heard = _Heard(case)
    if heard.red_flags:
        recorder.record(EventKind.RED_FLAG, heard.red_flags.model_dump(mode="json"))
        yield heard.red_flags
    flow = build_flow(resources, recorder, clock, resources.today or date.today())
    task = StructuredMessage[Case](content=case, source="clinician")
    stream = flow.run_stream(task=task, cancellation_token=token, output_task_messages=False)
    try:
        async with aclosing(_stoppable(stream, token)) as items:
            async for item in items:
                if isinstance(item, ModelClientStreamingChunkEvent):
                    yield Chunk(agent=item.source, phase=item.metadata["phase"], text=item.content)
                elif isinstance(item, StructuredMessage) and isinstance(item.content, _SHOWN):
                    heard.take(item.content)
                    yield item.content
    except RuntimeError as error:
        # AutoGen turns whatever an agent raised into text; an unwritable record refuses this write with its own error.
        recorder.record(EventKind.ERROR, {"message": str(error)})
        raise
    outcome = heard.outcome(recorder.consultation_id, clock())
    recorder.at_the_end({"seconds": outcome.seconds, "usage": outcome.usage.model_dump(mode="json")})
    yield outcome


async def _stoppable(stream: AsyncGenerator[_Item, None], token: CancellationToken) -> AsyncGenerator[_Item, None]:
    """The items of a flow. Whatever ends it early cancels `token`; AutoGen alone would wait until all have spoken."""
    step: asyncio.Future[_Item]
    try:
        while True:
            step = asyncio.ensure_future(anext(stream))
            yield await asyncio.shield(step)
    except StopAsyncIteration:
        return
    except BaseException:
        token.cancel()
        # What the agents raise on being stopped is not news; `raise` tells why they were.
        await asyncio.gather(step, return_exceptions=True)
        await asyncio.gather(stream.aclose(), return_exceptions=True)
        raise
