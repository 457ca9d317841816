"""AutoGen's view of the engine: streams, forms, usage, cancellation, and what a crash costs."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest
from autogen_core import CancellationToken, Image
from autogen_core.models import (
    AssistantMessage,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import ToolSchema
from PIL import Image as Picture
from pydantic import BaseModel, Field, ValidationError

from models.chat_template import chat_template
from models.client import LlamaChatClient
from models.engine import Engine
from models.errors import EngineCrashed, EngineError
from models.protocol import Sampling
from tests.models.conftest import OpenEngine
from tests.models.generations import FEVER, RASH, asked, hear, submitted

CASE: tuple[LLMMessage, ...] = (SystemMessage(content="Be brief."), UserMessage(content=FEVER, source="clinician"))
OTHER: tuple[LLMMessage, ...] = (UserMessage(content=RASH, source="clinician"),)


class Signs(BaseModel):
    """A short form."""

    signs: list[str] = Field(min_length=1, max_length=3)


def client_of(engine: Engine, max_tokens: int = 8) -> LlamaChatClient:
    return LlamaChatClient(engine, chat_template("chatml"), Sampling(max_tokens=max_tokens), "smollm2")


@pytest.fixture
def client(engine: Engine) -> LlamaChatClient:
    return client_of(engine)


async def streamed(
    client: LlamaChatClient, messages: Sequence[LLMMessage] = CASE, **options: object
) -> tuple[list[str], CreateResult]:
    """The chunks of a stream and its result."""
    stream = client.create_stream(messages, extra_create_args=options)
    *chunks, result = [item async for item in stream]
    assert isinstance(result, CreateResult)
    return [chunk for chunk in chunks if isinstance(chunk, str)], result


async def next_chunk(stream: AsyncGenerator[str | CreateResult, None]) -> str:
    """The next chunk of a stream that has not ended."""
    chunk = await anext(stream)
    assert isinstance(chunk, str)
    return chunk


async def test_a_stream_is_chunks_and_then_their_whole(client: LlamaChatClient) -> None:
    chunks, result = await streamed(client, max_tokens=12)
    assert len(chunks) > 3
    assert "".join(chunks) == result.content


async def test_an_answer_at_once_is_the_streamed_one(client: LlamaChatClient) -> None:
    _, result = await streamed(client)
    assert (await client.create(CASE)).content == result.content


async def test_the_engine_reads_the_messages_in_their_template(client: LlamaChatClient, engine: Engine) -> None:
    talk: tuple[LLMMessage, ...] = (
        UserMessage(content=FEVER, source="clinician"),
        AssistantMessage(content="Its lungs are stiff.", source="reasoner"),
        UserMessage(content=RASH, source="clinician"),
    )
    assert client.prompt(talk) == asked(FEVER, "Its lungs are stiff.", RASH)
    heard = await hear(engine, asked(FEVER, "Its lungs are stiff.", RASH), Sampling(max_tokens=8))
    assert (await client.create(talk)).content == heard.text


async def test_a_budget_that_ran_out_is_told(client: LlamaChatClient) -> None:
    assert (await client.create(CASE, extra_create_args={"max_tokens": 2})).finish_reason == "length"


async def test_an_answer_that_ended_by_itself_is_told(client: LlamaChatClient) -> None:
    result = await client.create(CASE, extra_create_args={"max_tokens": 40, "stop": (" ",)})
    assert result.finish_reason == "stop"


async def test_usage_is_that_of_the_result_and_adds_up(client: LlamaChatClient) -> None:
    first = (await client.create(CASE)).usage
    second = (await client.create(OTHER, extra_create_args={"max_tokens": 3})).usage
    assert (first.prompt_tokens, first.completion_tokens) == (client.count_tokens(CASE), 8)
    assert (second.prompt_tokens, second.completion_tokens) == (client.count_tokens(OTHER), 3)
    total = client.total_usage()
    assert total == client.actual_usage()
    assert total.prompt_tokens == first.prompt_tokens + second.prompt_tokens
    assert total.completion_tokens == first.completion_tokens + second.completion_tokens


async def test_usage_handed_out_does_not_change_later(client: LlamaChatClient) -> None:
    before = client.actual_usage()
    await client.create(CASE)
    assert before.completion_tokens == 0


async def test_figures_are_those_of_the_last_generation(client: LlamaChatClient) -> None:
    assert client.figures is None
    first = await client.create(CASE, extra_create_args={"conversation": "figures"})
    await client.create(CASE, extra_create_args={"conversation": "figures", "max_tokens": 2})
    assert client.figures is not None
    assert client.figures.completion_tokens == 2
    assert client.figures.cached_tokens == first.usage.prompt_tokens - 1


async def test_calls_without_a_conversation_share_nothing(client: LlamaChatClient) -> None:
    for _ in range(3):
        await client.create(CASE, extra_create_args={"max_tokens": 1})
        assert client.figures is not None
        assert client.figures.cached_tokens == 0


async def test_a_form_is_obeyed(client: LlamaChatClient) -> None:
    result = await client.create(CASE, json_output=Signs, extra_create_args={"max_tokens": 24})
    assert isinstance(result.content, str)
    assert 1 <= len(Signs.model_validate_json(result.content).signs) <= 3


async def test_a_form_without_a_schema_is_refused(client: LlamaChatClient) -> None:
    with pytest.raises(EngineError, match="needs a schema"):
        await client.create(CASE, json_output=True)


async def test_tools_are_refused(client: LlamaChatClient) -> None:
    with pytest.raises(EngineError, match="no tools"):
        await client.create(CASE, tools=[ToolSchema(name="shell", description="Runs a command.")])


@pytest.mark.parametrize(
    "message",
    [
        UserMessage(content=["What is this?", Image(Picture.new("L", (2, 2)))], source="clinician"),
        FunctionExecutionResultMessage(content=[]),
    ],
)
async def test_what_is_not_text_is_refused(client: LlamaChatClient, message: LLMMessage) -> None:
    with pytest.raises(EngineError, match="read text only"):
        await client.create([message])


async def test_an_option_that_does_not_exist_is_refused(client: LlamaChatClient) -> None:
    with pytest.raises(ValidationError, match="temprature"):
        await client.create(CASE, extra_create_args={"temprature": 0.2})


def test_what_remains_of_the_context_is_what_the_prompt_leaves(client: LlamaChatClient) -> None:
    assert client.count_tokens(CASE) > len(FEVER.split())
    assert client.remaining_tokens(CASE) == 1024 - client.count_tokens(CASE)


def test_no_more_context_remains_than_the_model_was_trained_for(open_engine: OpenEngine) -> None:
    client = client_of(open_engine(context_length=32768, lanes=1))
    assert client.remaining_tokens(CASE) == 8192 - client.count_tokens(CASE)


def test_autogen_is_told_what_the_model_can_do(client: LlamaChatClient) -> None:
    info = client.model_info
    assert (info["structured_output"], info["function_calling"], info["vision"]) == (True, False, False)
    assert client.capabilities == info


async def test_cancelling_stops_the_model_and_frees_its_lane(open_engine: OpenEngine) -> None:
    client, token = client_of(open_engine(lanes=1, queue_length=1), 900), CancellationToken()
    stream = client.create_stream(CASE, cancellation_token=token)
    await next_chunk(stream)
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        [item async for item in stream]
    assert (await client.create(OTHER, extra_create_args={"max_tokens": 1})).usage.completion_tokens == 1


async def test_a_token_cancelled_beforehand_lets_nothing_begin(client: LlamaChatClient) -> None:
    token = CancellationToken()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await client.create(CASE, cancellation_token=token)
    assert client.actual_usage().completion_tokens == 0


async def test_closing_a_stream_stops_the_model_and_frees_its_lane(open_engine: OpenEngine) -> None:
    client = client_of(open_engine(lanes=1, queue_length=1), 900)
    stream = client.create_stream(CASE)
    await next_chunk(stream)
    await stream.aclose()
    assert (await client.create(OTHER, extra_create_args={"max_tokens": 1})).usage.completion_tokens == 1


class Opening:
    """Hands out the weights' path and counts how often; with `fails`, the worker never gets so far as to run."""

    def __init__(self, path: Path, *, fails: bool = False) -> None:
        self.path, self.fails, self.count = path, fails, 0

    def __call__(self) -> Path:
        self.count += 1
        if self.fails:
            raise EngineCrashed("The model's process ended while opening.")
        return self.path


async def test_a_worker_that_dies_before_the_first_character_is_started_again(
    open_engine: OpenEngine, smollm2: Path
) -> None:
    opening = Opening(smollm2)
    engine = open_engine(opening, lanes=1)
    client = client_of(engine)
    expected = (await client.create(OTHER)).content
    speaking = client.create_stream(CASE, extra_create_args={"max_tokens": 900})
    await next_chunk(speaking)
    waiting = asyncio.ensure_future(client.create(OTHER))
    await submitted(engine)
    engine.kill()
    assert (await waiting).content == expected
    assert opening.count == 2
    with pytest.raises(EngineCrashed):
        [item async for item in speaking]


async def test_a_worker_is_started_again_only_once(open_engine: OpenEngine, smollm2: Path) -> None:
    opening = Opening(smollm2, fails=True)
    with pytest.raises(EngineCrashed):
        await client_of(open_engine(opening)).create(CASE)
    assert opening.count == 2


async def test_a_worker_that_dies_in_the_middle_of_a_stream_is_not_started_again(
    open_engine: OpenEngine, smollm2: Path
) -> None:
    opening = Opening(smollm2)
    engine = open_engine(opening)
    stream = client_of(engine, 900).create_stream(CASE)
    await next_chunk(stream)
    engine.kill()
    with pytest.raises(EngineCrashed, match="can be asked again"):
        [item async for item in stream]
    assert opening.count == 1
