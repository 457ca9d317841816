"""What every chat client of this program has in common: text in, text or schema-forced JSON out, usage, cancellation.

Knows nothing of where a model runs.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

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
from pydantic import BaseModel

from models.chat_template import ChatMessage
from models.errors import EngineError
from models.protocol import Sampling


class TextClient(ChatCompletionClient):
    """A chat model without tools or pictures. Stateless between calls but for the usage counters."""

    def __init__(self, sampling: Sampling, family: str) -> None:
        self._sampling, self._family = sampling, family
        self._usage = RequestUsage(prompt_tokens=0, completion_tokens=0)

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

    def sampling(self, options: Mapping[str, Any]) -> Sampling:
        """The sampling parameters of a call with these `extra_create_args`."""
        chosen = {name: value for name, value in options.items() if name in Sampling.model_fields}
        return Sampling.model_validate({**self._sampling.model_dump(), **chosen})

    def result(self, text: str, reason: str, usage: RequestUsage) -> CreateResult:
        """The end of a stream, counted. Whatever ended it but the model itself is a matter of length."""
        self._usage.prompt_tokens += usage.prompt_tokens
        self._usage.completion_tokens += usage.completion_tokens
        ended: Literal["length", "stop"] = "stop" if reason == "stop" else "length"
        return CreateResult(finish_reason=ended, content=text, usage=usage, cached=False)

    async def close(self) -> None:
        """Nothing to close: what a client speaks to belongs to whoever opened it."""

    def actual_usage(self) -> RequestUsage:
        """Tokens used so far."""
        return RequestUsage(self._usage.prompt_tokens, self._usage.completion_tokens)

    def total_usage(self) -> RequestUsage:
        """Tokens used so far; there is no cache of answers that would make it differ."""
        return self.actual_usage()

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


def plain(message: LLMMessage) -> ChatMessage:
    """The message as role and text. Raises EngineError where it is not text."""
    if isinstance(message, SystemMessage):
        return ChatMessage(role="system", content=message.content)
    if isinstance(message, UserMessage) and isinstance(message.content, str):
        return ChatMessage(role="user", content=message.content)
    if isinstance(message, AssistantMessage) and isinstance(message.content, str):
        return ChatMessage(role="assistant", content=message.content)
    raise EngineError("The models read text only; images and tool calls cannot be sent to them.")


def form(json_output: bool | type[BaseModel] | None) -> type[BaseModel] | None:
    """The form that an answer must keep to, if any. Raises EngineError for JSON without one."""
    if json_output is True:
        raise EngineError("JSON output needs a schema; pass a pydantic model.")
    return json_output or None


def refuse_tools(tools: Sequence[Tool | ToolSchema]) -> None:
    """Raises EngineError if there are any."""
    if tools:
        raise EngineError("The agents of this program have no tools; none can be offered to a model.")


async def cancellable(step: Any, token: CancellationToken | None) -> Any:
    """Await `step`, which the token may cancel."""
    task = asyncio.ensure_future(step)
    if token is not None:
        token.link_future(task)
    return await task
