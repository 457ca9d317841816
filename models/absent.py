"""A chat model that is not there: every question is answered by the error that kept it from being opened."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal

from autogen_core import CancellationToken
from autogen_core.models import CreateResult, LLMMessage
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

from models.errors import ModelError
from models.protocol import Sampling
from models.text_client import TextClient


class AbsentChatClient(TextClient):
    """Raises `error` whenever it is asked anything, so that whoever speaks through it fails as with any other model."""

    def __init__(self, error: ModelError) -> None:
        super().__init__(Sampling(), "absent")
        self._error = error

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
        """Raises the error."""
        raise self._error
        yield

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """Raises the error."""
        raise self._error

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """Raises the error."""
        raise self._error
