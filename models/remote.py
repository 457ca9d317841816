"""AutoGen's ChatCompletionClient over OpenAI-compatible servers: the same protocol as on this machine's own engine.

Only messages and sampling parameters leave the machine, never the names of conversations or users. What comes back is
validated. Knows nothing of agents, prompts or transcripts.
"""

import math
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Annotated, Any, Literal

from autogen_core import CancellationToken
from autogen_core.models import CreateResult, LLMMessage, RequestUsage
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from models.endpoint import Endpoint
from models.endpoints import Endpoints, Refusals
from models.errors import MalformedOutput
from models.protocol import Sampling
from models.text_client import TextClient, cancellable, form, plain, refuse_tools

_STAYS_HERE = frozenset({"conversation", "user", "static", "public"})
# vLLM's repetition_penalty is left alone: it would punish the words of the prompt too, which answers have to quote.
_SENT = {"temperature", "top_k", "top_p", "repeat_penalty", "seed", "max_tokens"}
_END = "[DONE]"
_LATIN_LETTERS_A_TOKEN = 2.5
_MESSAGE_TOKENS = 8
_NAME = 200

_Tokens = Annotated[int, Field(ge=0)]


class RemoteFigures(BaseModel):
    """What one generation cost, as seen from here. Times in seconds.

    `model` is what the server says it ran. Where it counts no tokens, `counted` is false, the prompt is estimated and
    every chunk of the answer taken for a token.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    host: str
    model: str
    reason: str
    counted: bool
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    first_token_s: float
    decode_s: float


class _Cached(BaseModel):
    cached_tokens: _Tokens | None = None


class _Usage(BaseModel):
    prompt_tokens: _Tokens
    completion_tokens: _Tokens
    prompt_tokens_details: _Cached | None = None


class _Delta(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    delta: _Delta = _Delta()
    finish_reason: str | None = None


class _Event(BaseModel):
    """A chunk of an answer as servers send it; most of its keys do not matter here."""

    choices: tuple[_Choice, ...] = ()
    usage: _Usage | None = None
    model: str = ""
    error: JsonValue = None

    @property
    def text(self) -> str:
        return "".join(choice.delta.content or "" for choice in self.choices[:1])

    @property
    def reason(self) -> str:
        return next((choice.finish_reason for choice in self.choices if choice.finish_reason), "")


class _Answer:
    """An answer while it arrives from `host`."""

    def __init__(self) -> None:
        self.host = self.model = self.reason = ""
        self.pieces: list[str] = []
        self.usage: _Usage | None = None
        self._asked = self._begun = time.monotonic()

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def take(self, event: _Event) -> None:
        if not self.pieces:
            self._begun = time.monotonic()
        if event.text:
            self.pieces.append(event.text)
        self.model = event.model[:_NAME] or self.model
        self.reason = event.reason[:_NAME] or self.reason
        self.usage = event.usage or self.usage

    def figures(self, estimated: int) -> RemoteFigures:
        """What it cost; `estimated` tokens were sent, if nobody counted them."""
        usage = self.usage or _Usage(prompt_tokens=estimated, completion_tokens=len(self.pieces))
        details = usage.prompt_tokens_details or _Cached()
        return RemoteFigures(
            host=self.host,
            model=self.model,
            reason=self.reason,
            counted=self.usage is not None,
            prompt_tokens=usage.prompt_tokens,
            cached_tokens=details.cached_tokens or 0,
            completion_tokens=usage.completion_tokens,
            first_token_s=self._begun - self._asked,
            decode_s=time.monotonic() - self._begun,
        )


class RemoteChatClient(TextClient):
    """A chat model on other machines.

    `extra_create_args` may hold any field of Sampling; `conversation`, `user` and `static`, which mean something to an
    engine of our own, are taken and not sent. `json_output` takes a pydantic model, whose schema the server is given
    and the output then checked against.
    """

    def __init__(self, endpoints: Endpoints, sampling: Sampling) -> None:
        super().__init__(sampling, endpoints.settings.model)
        self._endpoints = endpoints
        self.figures: RemoteFigures | None = None

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
        """Text as it arrives, then the result with its usage.

        A server that fails or refuses before the first character gives way to another, and one that fails may be asked
        again; never in the middle of a stream.

        Raises RemoteUnavailable, RemoteRefused, ContextOverflow, MalformedOutput.
        """
        refuse_tools(tools)
        extra = {name: value for name, value in extra_create_args.items() if name not in _STAYS_HERE}
        asked = form(json_output)
        body = self._body(messages, Sampling.model_validate({**self._sampling.model_dump(), **extra}), asked)
        answer = _Answer()
        event: _Event | None
        events, event = await cancellable(self._started(body, answer), cancellation_token)
        async with aclosing(events):
            while event is not None:
                answer.take(event)
                if event.text:
                    yield event.text
                event = await cancellable(anext(events, None), cancellation_token)
        self.figures = answer.figures(self.count_tokens(messages))
        if asked and answer.reason == "stop":
            _require_form(answer.text, asked, answer.host)
        usage = RequestUsage(self.figures.prompt_tokens, self.figures.completion_tokens)
        yield self.result(answer.text, answer.reason, usage)

    def _body(
        self, messages: Sequence[LLMMessage], sampling: Sampling, asked: type[BaseModel] | None
    ) -> dict[str, JsonValue]:
        sent = (plain(message) for message in messages)
        body: dict[str, JsonValue] = {
            "model": self._endpoints.settings.model,
            "messages": [{"role": message.role, "content": message.content} for message in sent],
            "stream": True,
            "stream_options": {"include_usage": True},
            **sampling.model_dump(mode="json", include=_SENT),
        }
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if asked:
            body["response_format"] = self._response_format(asked)
        return body

    def _response_format(self, asked: type[BaseModel]) -> JsonValue:
        schema = asked.model_json_schema()
        if self._endpoints.settings.schema_style == "json_object":
            return {"type": "json_object", "schema": schema}
        return {"type": "json_schema", "json_schema": {"name": asked.__name__, "schema": schema, "strict": True}}

    async def _started(
        self, body: Mapping[str, JsonValue], answer: _Answer
    ) -> tuple[AsyncGenerator[_Event, None], _Event]:
        """A stream and the first event of it."""
        refusals: Refusals = {}
        async for attempt in self._endpoints.starts(refusals):
            with attempt:
                events = self._listen(body, answer, refusals)
                first = await anext(events)
        return events, first

    async def _listen(
        self, body: Mapping[str, JsonValue], answer: _Answer, refusals: Refusals
    ) -> AsyncGenerator[_Event, None]:
        """What an endpoint says from the first character on, or else that it ends."""
        async with self._endpoints.least_busy(refusals) as endpoint:
            answer.host = endpoint.host
            reason = ""
            async with aclosing(endpoint.post("/v1/chat/completions", body)) as lines:
                async for line in lines:
                    if line == _END:
                        break
                    event = _read(line, endpoint)
                    reason = event.reason or reason
                    if event.text or reason:
                        yield event
                    if reason and event.usage:
                        break
            if not reason:
                raise endpoint.broken_off()

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """An estimate, rather too high: the tokenizer is on the server.

        A token for 2.5 ASCII characters or for one of any other script, and 8 for the frame of each message. For the
        starter guidelines in eight languages that is 1.0 to 1.9 times what Qwen2.5 counts; a model that never learned
        a script may need twice as many.
        """
        return sum(_MESSAGE_TOKENS + _estimated(plain(message).content) for message in messages)

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """Tokens that the context still holds after this prompt, rather too low."""
        return self._endpoints.settings.context_length - self.count_tokens(messages)


def _estimated(text: str) -> int:
    latin = sum(character.isascii() for character in text)
    return math.ceil(latin / _LATIN_LETTERS_A_TOKEN) + len(text) - latin


def _read(line: str, endpoint: Endpoint) -> _Event:
    try:
        event = _Event.model_validate_json(line)
    except ValidationError:
        raise endpoint.unintelligible() from None
    if event.error is not None:
        raise endpoint.broken_off(line)
    return event


def _require_form(text: str, asked: type[BaseModel], host: str) -> None:
    try:
        asked.model_validate_json(text)
    except ValidationError:
        raise MalformedOutput(
            f"{host} does not keep to the asked form; correct schema_style or choose another server."
        ) from None
