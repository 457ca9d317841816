"""AutoGen's ChatCompletionClient over the engine: streaming, schema-forced JSON, usage, cancellation.

Stateless between calls but for the usage counters. Knows nothing of agents, prompts or transcripts.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from autogen_core import CancellationToken
from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelInfo,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel, ConfigDict
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

from models.chat_template import ChatMessage, ChatTemplate, Segment, render, system_segments
from models.engine import Engine
from models.errors import EngineCrashed, EngineError
from models.protocol import Finished, Piece, Sampling

_START_ATTEMPTS = 2
_T = TypeVar("_T")


class GenerationFigures(BaseModel):
    """What one generation cost, as the engine measured it. Times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    lane: int
    shared: bool
    reason: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    tokens_sha256: str
    queued_s: float
    prefill_s: float
    decode_s: float


def _plain(message: LLMMessage) -> ChatMessage:
    if isinstance(message, SystemMessage):
        return ChatMessage(role="system", content=message.content)
    if isinstance(message, UserMessage) and isinstance(message.content, str):
        return ChatMessage(role="user", content=message.content)
    if isinstance(message, AssistantMessage) and isinstance(message.content, str):
        return ChatMessage(role="assistant", content=message.content)
    raise EngineError("The local models read text only; images and tool calls cannot be sent to them.")


class LlamaChatClient(ChatCompletionClient):
    """A chat model that runs in this machine's engine.

    `extra_create_args` may hold `conversation` (whose cache may be reused), `user` (users take turns), `static` (that
    the system message holds no word of any conversation, so that everyone may share its cache) and any field of
    Sampling.
    `json_output` takes a pydantic model, whose schema the output then obeys.
    """

    def __init__(self, engine: Engine, template: ChatTemplate, sampling: Sampling, family: str = "unknown") -> None:
        self._engine, self._template, self._sampling, self._family = engine, template, sampling, family
        self._usage = RequestUsage(prompt_tokens=0, completion_tokens=0)
        self.figures: GenerationFigures | None = None

    def prompt(self, messages: Sequence[LLMMessage]) -> tuple[Segment, ...]:
        """The prompt as the model reads it."""
        return render(self._template, tuple(_plain(message) for message in messages))

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "none",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """The whole answer at once."""
        stream = self.create_stream(
            messages,
            tools=tools,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )
        result = [item async for item in stream][-1]
        if not isinstance(result, CreateResult):
            raise EngineError("The model's stream ended without a result; report this.")
        return result

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
        if tools:
            raise EngineError("The agents of this program have no tools; none can be offered to a model.")
        extra = dict(extra_create_args)
        conversation, user = str(extra.pop("conversation", "")), str(extra.pop("user", ""))
        prompt = self.prompt(messages)
        static = system_segments(self._template) if extra.pop("static", False) else 0
        sampling = Sampling.model_validate({**self._sampling.model_dump(), **extra})
        schema = _schema(json_output)

        def generate() -> AsyncGenerator[Piece | Finished, None]:
            return self._engine.generate(conversation, prompt, sampling, schema, static=static, user=user)

        pieces: list[str] = []
        async for event in _restarting(generate, cancellation_token):
            if isinstance(event, Piece):
                pieces.append(event.text)
                yield event.text
            else:
                yield self._result("".join(pieces), event)

    def _result(self, text: str, finished: Finished) -> CreateResult:
        self.figures = GenerationFigures.model_validate(finished.model_dump(exclude={"event", "id"}))
        usage = RequestUsage(finished.prompt_tokens, finished.completion_tokens)
        self._usage.prompt_tokens += usage.prompt_tokens
        self._usage.completion_tokens += usage.completion_tokens
        reason: Literal["length", "stop"] = "stop" if finished.reason == "stop" else "length"
        return CreateResult(finish_reason=reason, content=text, usage=usage, cached=False)

    async def close(self) -> None:
        """Nothing to close: the engine belongs to whoever opened it."""

    def actual_usage(self) -> RequestUsage:
        """Tokens used so far."""
        return RequestUsage(self._usage.prompt_tokens, self._usage.completion_tokens)

    def total_usage(self) -> RequestUsage:
        """Tokens used so far; there is no cache of answers that would make it differ."""
        return self.actual_usage()

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """Tokens of the whole prompt, control tokens included."""
        return self._engine.count(self.prompt(messages))

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """Tokens that the context still holds after this prompt."""
        return self._engine.context_length - self.count_tokens(messages)

    @property
    def model_info(self) -> ModelInfo:
        """What AutoGen wants to know of a model."""
        return ModelInfo(
            vision=False,
            function_calling=False,
            json_output=True,
            structured_output=True,
            family=self._family,
            multiple_system_messages=False,
        )

    @property
    def capabilities(self) -> ModelInfo:
        """The same, under AutoGen's older name."""
        return self.model_info


def _schema(json_output: bool | type[BaseModel] | None) -> str | None:
    if json_output is None or json_output is False:
        return None
    if json_output is True:
        raise EngineError("JSON output needs a schema; pass a pydantic model.")
    return json.dumps(json_output.model_json_schema(), ensure_ascii=False)


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
            first = await _cancellable(anext(events), token)
    try:
        yield first
        while not isinstance(first, Finished):
            first = await _cancellable(anext(events), token)
            yield first
    finally:
        await events.aclose()


async def _cancellable(step: Any, token: CancellationToken | None) -> Any:
    task = asyncio.ensure_future(step)
    if token is not None:
        token.link_future(task)
    return await task
