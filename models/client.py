"""AutoGen's ChatCompletionClient over the engine: streaming, schema-forced JSON, usage, cancellation.

Stateless between calls but for the usage counters. Knows nothing of agents, prompts or transcripts.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Literal

from autogen_core import CancellationToken
from autogen_core.models import CreateResult, LLMMessage, RequestUsage, SystemMessage
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel, ConfigDict
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

from models.chat_template import ChatTemplate, Segment, divided, render, system_segments
from models.engine import Engine
from models.errors import EngineCrashed
from models.protocol import Finished, Piece, Sampling
from models.text_client import TextClient, cancellable, form, plain, refuse_tools

_START_ATTEMPTS = 2


class GenerationFigures(BaseModel):
    """What one generation cost, as the engine measured it. Times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    lane: int
    shared: bool
    reason: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    tokens: tuple[int, ...]
    tokens_sha256: str
    queued_s: float
    prefill_s: float
    decode_s: float


class LlamaChatClient(TextClient):
    """A chat model that runs in this machine's engine.

    `extra_create_args` may hold `conversation` (whose cache may be reused), `user` (users take turns), `static` (that
    the system message holds no word of any conversation, so that everyone may share its cache), `public` (how the
    first user message begins, where nothing until its end belongs to any conversation) and any field of Sampling.
    `json_output` takes a pydantic model, whose schema the output then obeys.
    """

    def __init__(self, engine: Engine, template: ChatTemplate, sampling: Sampling, family: str = "unknown") -> None:
        super().__init__(sampling, family)
        self._engine, self._template = engine, template
        self.figures: GenerationFigures | None = None

    def prompt(self, messages: Sequence[LLMMessage]) -> tuple[Segment, ...]:
        """The prompt as the model reads it."""
        return render(self._template, tuple(plain(message) for message in messages))

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "none",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Text as it is generated, then the result with its usage.

        A worker that dies before the first character is started again once; never in the middle of a stream.
        """
        refuse_tools(tools)
        extra = dict(extra_create_args)
        conversation, user = str(extra.pop("conversation", "")), str(extra.pop("user", ""))
        prompt = self.prompt(messages)
        opens = bool(messages) and isinstance(messages[0], SystemMessage)
        static = system_segments(self._template) if extra.pop("static", False) and opens else 0
        prompt, public = divided(prompt, str(extra.pop("public", "")))
        sampling = Sampling.model_validate({**self._sampling.model_dump(), **extra})
        asked = form(json_output)
        schema = json.dumps(asked.model_json_schema(), ensure_ascii=False) if asked else None

        def generate() -> AsyncGenerator[Piece | Finished, None]:
            return self._engine.generate(
                conversation, prompt, sampling, schema, static=static, public=public, user=user
            )

        pieces: list[str] = []
        async for event in _restarting(generate, cancellation_token):
            if isinstance(event, Piece):
                pieces.append(event.text)
                yield event.text
            else:
                yield self._result("".join(pieces), event)

    def _result(self, text: str, finished: Finished) -> CreateResult:
        self.figures = GenerationFigures.model_validate(finished.model_dump(exclude={"event", "id"}))
        return self.result(text, finished.reason, RequestUsage(finished.prompt_tokens, finished.completion_tokens))

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """Tokens of the whole prompt, control tokens included."""
        return self._engine.count(self.prompt(messages))

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """Tokens that the context still holds after this prompt."""
        return self._engine.context_length - self.count_tokens(messages)


async def _restarting(
    generate: Callable[[], AsyncGenerator[Piece | Finished, None]], token: CancellationToken | None
) -> AsyncIterator[Piece | Finished]:
    """The events of a generation; the wait for its first one is repeated when the worker dies."""
    attempts = AsyncRetrying(
        stop=stop_after_attempt(_START_ATTEMPTS), retry=retry_if_exception_type(EngineCrashed), reraise=True
    )
    async for attempt in attempts:
        with attempt:
            events = generate()
            first = await cancellable(anext(events), token)
    try:
        yield first
        while not isinstance(first, Finished):
            first = await cancellable(anext(events), token)
            yield first
    finally:
        await events.aclose()
