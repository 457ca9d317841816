"""A voice: one agent's way to a model, with everything it sends and hears written to the record.

Prompts are recorded before they are sent, streams while they arrive. Knows nothing of what is said.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from importlib.resources import files
from string import Template
from typing import Any

from autogen_agentchat.messages import ModelClientStreamingChunkEvent
from autogen_core import CancellationToken
from autogen_core.models import ChatCompletionClient, CreateResult, LLMMessage, RequestUsage, UserMessage
from pydantic import BaseModel, JsonValue

from agents.messages import Span, Usage
from agents.telemetry import answered, failed, requested
from models.errors import ModelError
from transcripts.errors import TranscriptError
from transcripts.event import EventKind
from transcripts.recorder import Recorder


def prompt(name: str, **names: str) -> str:
    """A prompt file with its $names filled in."""
    text = files("agents").joinpath(f"prompts/{name}.txt").read_text("utf-8")
    return Template(text).substitute(names).strip()


class Spoken(BaseModel):
    """What a model said in one turn."""

    text: str
    finished: bool
    usage: Usage
    span: Span


class Voice:
    """Speaks as `agent` through `client`. `clock` gives seconds since the case began."""

    def __init__(
        self,
        agent: str,
        client: ChatCompletionClient,
        recorder: Recorder,
        clock: Callable[[], float],
        seed: int,
    ) -> None:
        self.agent = agent
        self._client, self._recorder, self._clock, self._seed = client, recorder, clock, seed

    async def speak(
        self,
        phase: str,
        messages: Sequence[LLMMessage],
        token: CancellationToken,
        *,
        max_tokens: int,
        output: type[BaseModel] | None = None,
        public: str = "",
        enough: Callable[[str], bool] = lambda _: False,
    ) -> AsyncIterator[ModelClientStreamingChunkEvent | Spoken]:
        """Chunks while they arrive, then what was said. Raises ModelError, TranscriptError.

        `public` is how the user message begins, as far as that says nothing of this case: other cases may share it.
        `enough` is asked about the text so far; once true, the model is stopped and that is what was said.
        """
        start = self._clock()
        # The system prompts are the product's own files: their cache may serve every case.
        options: dict[str, str | int] = {
            "conversation": self._recorder.consultation_id,
            "static": True,
            "seed": self._seed,
            "max_tokens": max_tokens,
        }
        self._record_prompt(phase, messages, options, output)
        text: list[str] = []
        record = self._recorder.stream(self.agent, phase)
        try:
            stream = self._client.create_stream(
                messages,
                json_output=output,
                # Cases take turns: one that asks for much does not keep the others waiting.
                extra_create_args={**options, "public": public, "user": self._recorder.consultation_id},
                cancellation_token=token,
            )
            async with aclosing(stream):
                async for item in stream:
                    if isinstance(item, CreateResult):
                        result, figures = item, getattr(self._client, "figures", None)
                        continue
                    said = _until(enough, "".join(text), item)
                    record.add(said)
                    text.append(said)
                    yield ModelClientStreamingChunkEvent(content=said, source=self.agent, metadata={"phase": phase})
                    if enough("".join(text)):
                        result, figures = await self._abandoned(messages, "".join(text)), None
                        break
            record.close()
            span = Span(agent=self.agent, phase=phase, start=start, end=self._clock())
            yield self._spoken("".join(text), result, span, figures)
        except BaseException as error:
            # What was said until then belongs on the record; that it cannot be written is not the error to tell here.
            with suppress(TranscriptError):
                record.close()
                if isinstance(error, ModelError):
                    self._recorder.record(EventKind.ERROR, {"agent": self.agent, "phase": phase, **failed(error)})
            raise

    async def _abandoned(self, messages: Sequence[LLMMessage], text: str) -> CreateResult:
        """A stopped generation has no figures of its own: its tokens are counted."""
        prompt_tokens = await asyncio.to_thread(self._client.count_tokens, messages)
        usage = RequestUsage(prompt_tokens, await self.tokens(text))
        return CreateResult(finish_reason="length", content=text, usage=usage, cached=False)

    async def tokens(self, text: str) -> int:
        """How many tokens `text` is to this voice's model. Raises ModelError."""
        return await asyncio.to_thread(self._client.count_tokens, [UserMessage(content=text, source=self.agent)])

    def note(self, kind: EventKind, body: BaseModel) -> None:
        """Put a value of this voice's agent on the record. Raises TranscriptError."""
        self._recorder.record(kind, body.model_dump(mode="json"))

    def _record_prompt(
        self,
        phase: str,
        messages: Sequence[LLMMessage],
        options: Mapping[str, str | int],
        output: type[BaseModel] | None,
    ) -> None:
        sent: list[JsonValue] = [m.model_dump(mode="json", include={"type", "content"}) for m in messages]
        body: dict[str, JsonValue] = {"agent": self.agent, "phase": phase, "messages": sent, "options": dict(options)}
        if output:
            body["output_schema"] = output.model_json_schema()
        asked = requested(self._client, self.agent, options, form=output is not None)
        self._recorder.record(EventKind.PROMPT, {**body, **asked})

    def _spoken(self, text: str, result: CreateResult, span: Span, figures: Any) -> Spoken:
        usage = Usage(
            prompt_tokens=result.usage.prompt_tokens,
            cached_tokens=figures.cached_tokens if figures else 0,
            completion_tokens=result.usage.completion_tokens,
        )
        generation = figures.model_dump(mode="json") if figures else {}
        self._recorder.record(
            EventKind.MODEL,
            {
                "agent": self.agent,
                "phase": span.phase,
                "finish_reason": result.finish_reason,
                "figures": generation,
                **answered(self._client, self.agent, result),
            },
        )
        return Spoken(text=text, finished=result.finish_reason == "stop", usage=usage, span=span)


def _until(enough: Callable[[str], bool], before: str, piece: str) -> str:
    """The beginning of `piece` with which it is enough, or all of it: how a model's text is cut into pieces is chance,
    and where it is stopped shall not be."""
    if not enough(before + piece):
        return piece
    return next(piece[:end] for end in range(1, len(piece) + 1) if enough(before + piece[:end]))
