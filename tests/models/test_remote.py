"""Models on other machines: a real llama.cpp server, and servers that fail in every way that we know of."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import pytest
from autogen_core import CancellationToken
from autogen_core.models import CreateResult, LLMMessage, SystemMessage, UserMessage
from pydantic import BaseModel, Field, ValidationError

from models.endpoint import RemoteSettings
from models.endpoints import Endpoints
from models.errors import (
    ContextOverflow,
    EngineError,
    MalformedOutput,
    ModelError,
    RemoteRefused,
    RemoteUnavailable,
)
from models.protocol import Sampling
from models.remote import RemoteChatClient
from tests.models.chat_server import (
    DONE,
    PATIENCE_S,
    ChatServer,
    Turn,
    answers,
    drops,
    event,
    hangs,
    running_server,
    says,
    sends,
    waits,
)
from tests.models.generations import FEVER, RASH
from tests.models.llama_server import ALIAS, LlamaServer, running_llama_server

CASE: tuple[LLMMessage, ...] = (SystemMessage(content="Be brief."), UserMessage(content=FEVER, source="clinician"))
OTHER: tuple[LLMMessage, ...] = (UserMessage(content=RASH, source="clinician"),)
KEY = "sk-of-the-ward"
VARIABLE = "WARD_KEY"
CLOSED = "http://127.0.0.1:9/v1"  # the port of a service that nobody runs

Serve = Callable[..., ChatServer]


class Signs(BaseModel):
    """A short form."""

    signs: list[Literal["cough", "fever"]] = Field(min_length=1, max_length=2)


@pytest.fixture(scope="module")
def llama(smollm2: Path) -> Iterator[LlamaServer]:
    with running_llama_server(smollm2) as server:
        yield server


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers that take the given turns."""
    with ExitStack() as servers:
        yield lambda *turns: servers.enter_context(running_server(*turns))


def endpoints_of(*servers: ChatServer | LlamaServer | str, **settings: object) -> Endpoints:
    urls = [server if isinstance(server, str) else server.url for server in servers]
    given = {"model": "ward", "timeout_s": PATIENCE_S, **settings}
    return Endpoints(RemoteSettings.model_validate({"urls": urls, **given}))


def client_of(*servers: ChatServer | LlamaServer | str, **settings: object) -> RemoteChatClient:
    return RemoteChatClient(endpoints_of(*servers, **settings), Sampling(max_tokens=24))


def real(*servers: LlamaServer) -> RemoteChatClient:
    return client_of(*servers, model=ALIAS, schema_style="json_object", context_length=1024)


async def streamed(client: RemoteChatClient, **options: object) -> tuple[list[str], CreateResult]:
    """The chunks of a stream and its result."""
    *chunks, result = [item async for item in client.create_stream(CASE, extra_create_args=options)]
    assert isinstance(result, CreateResult)
    return [chunk for chunk in chunks if isinstance(chunk, str)], result


async def failing(client: RemoteChatClient, expected: type[ModelError]) -> str:
    """What is said when an answer cannot be had."""
    with pytest.raises(expected) as raised:
        await client.create(CASE)
    return str(raised.value)


async def happened(flag: threading.Event) -> bool:
    """Whether a thread sets its event in time."""
    return await asyncio.to_thread(flag.wait, PATIENCE_S)


async def begun(client: RemoteChatClient, max_tokens: int = 24) -> AsyncGenerator[str | CreateResult, None]:
    """A stream whose first chunk has been heard."""
    stream = client.create_stream(CASE, extra_create_args={"max_tokens": max_tokens})
    assert isinstance(await anext(stream), str)
    return stream


# A real server


async def test_a_real_stream_is_chunks_and_then_their_whole(llama: LlamaServer) -> None:
    client = real(llama)
    chunks, result = await streamed(client, max_tokens=8)

    assert len(chunks) > 1
    assert "".join(chunks) == result.content
    assert client.figures is not None
    assert (client.figures.model, client.figures.reason) == (ALIAS, "length")
    assert client.actual_usage() == client.total_usage() == result.usage


async def test_a_real_answer_keeps_to_its_form(llama: LlamaServer) -> None:
    result = await real(llama).create(CASE, json_output=Signs, extra_create_args={"max_tokens": 64})
    assert isinstance(result.content, str)
    assert Signs.model_validate_json(result.content).signs


async def test_the_same_seed_gives_the_same_answer(llama: LlamaServer) -> None:
    drawn = [(await real(llama).create(CASE, extra_create_args={"temperature": 1.0, "seed": 3})).content for _ in "ab"]
    assert drawn[0] == drawn[1]


async def test_a_real_server_is_free_again_when_a_stream_is_closed(llama: LlamaServer) -> None:
    stream = await begun(real(llama), 900)
    await stream.aclose()
    # It serves one at a time: 900 tokens would take longer than the patience of the second client.
    waiting = client_of(llama, model=ALIAS, timeout_s=3.0)
    assert (await waiting.create(OTHER, extra_create_args={"max_tokens": 1})).finish_reason == "length"


async def test_another_server_goes_on_where_one_is_killed(llama: LlamaServer, smollm2: Path) -> None:
    with running_llama_server(smollm2) as killed:
        client = real(killed, llama)
        stream = await begun(client, 900)
        killed.process.kill()
        with pytest.raises(RemoteUnavailable, match="broke off"):
            [item async for item in stream]
        result = await client.create(OTHER, extra_create_args={"max_tokens": 2})
    assert result.content
    assert client.figures is not None
    assert client.figures.host in llama.url


async def test_a_real_server_lists_its_model(llama: LlamaServer) -> None:
    (endpoint,) = endpoints_of(llama).all
    assert await endpoint.models() == (ALIAS,)


# What is sent


async def test_messages_and_sampling_are_sent_and_names_are_not(serve: Serve) -> None:
    server = serve()
    options = {"conversation": "case-17", "user": "nurse-9", "static": True, "seed": 7, "top_k": 3, "stop": ["END"]}
    await client_of(server).create(CASE, extra_create_args=options)

    (body,) = server.requests
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": FEVER}]
    assert (body["model"], body["seed"], body["top_k"], body["max_tokens"]) == ("ward", 7, 3, 24)
    assert body["stop"] == ["END"]
    assert not {"case-17", "nurse-9", "clinician"} & set(str(body).split("'"))


@pytest.mark.parametrize(("style", "path"), [("json_schema", ("json_schema", "schema")), ("json_object", ("schema",))])
async def test_the_form_is_sent_as_the_server_reads_it(serve: Serve, style: str, path: Sequence[str]) -> None:
    server = serve(says('{"signs": ["cough"]}'))
    await client_of(server, schema_style=style).create(CASE, json_output=Signs)

    sent = server.requests[0]["response_format"]
    assert sent["type"] == style
    for name in path:
        sent = sent[name]
    assert sent == Signs.model_json_schema()


async def test_the_key_is_sent_and_never_said(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(VARIABLE, f"{KEY}\n")
    server = serve(answers(422, f"the key {KEY} may not do that"))
    with caplog.at_level(logging.DEBUG):
        endpoints = endpoints_of(server, api_key_variable=VARIABLE)
        said = await failing(RemoteChatClient(endpoints, Sampling()), RemoteRefused)

    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert "HTTP 422: the key … may not do that" in said
    assert KEY not in caplog.text + repr(endpoints.settings) + str(endpoints.description) + repr(vars(endpoints.all[0]))


@pytest.mark.parametrize("value", ["", "ключ"])
def test_a_key_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(RemoteRefused, match=VARIABLE):
        endpoints_of(CLOSED, api_key_variable=VARIABLE)


async def test_nothing_goes_through_a_proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", CLOSED)
    assert (await client_of(serve()).create(CASE)).content == "Rest."


async def test_a_redirection_is_not_followed(serve: Serve) -> None:
    elsewhere = serve()
    server = serve(answers(307, Location=f"{elsewhere.url}/chat/completions"))
    assert "HTTP 307" in await failing(client_of(server), RemoteRefused)
    assert elsewhere.requests == []


@pytest.mark.parametrize("url", ["ftp://ward", "http://name:word@ward", "http://ward?key=1", "ward:8000", "file:///x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="urls"):
        endpoints_of(url)


@pytest.mark.parametrize(
    ("url", "private"),
    [("https://gpu-1", True), ("http://gpu-1", False), ("http://localhost:1", True), ("http://[::1]", True)],
)
def test_only_encrypted_lines_and_this_machines_own_are_private(url: str, private: bool) -> None:
    (endpoint,) = endpoints_of(url).all
    assert endpoint.private is private


async def test_an_address_without_a_list_of_models_is_not_the_right_one(serve: Serve) -> None:
    server = serve()
    server.listing = 404
    with pytest.raises(RemoteRefused, match="correct its address"):
        await endpoints_of(server).require_one()


# What comes back


async def test_usage_is_what_the_server_counts(serve: Serve) -> None:
    usage = {"prompt_tokens": 31, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 16}}
    server = serve(sends(event("Rest."), event("", "stop"), event("", usage=usage), DONE))
    client = client_of(server)
    result = await client.create(CASE)

    assert (result.usage.prompt_tokens, result.usage.completion_tokens) == (31, 5)
    assert client.figures is not None
    assert (client.figures.counted, client.figures.cached_tokens) == (True, 16)
    assert client.figures.host == f"127.0.0.1:{server.server_port}"


async def test_usage_is_counted_here_where_the_server_counts_none(serve: Serve) -> None:
    client = client_of(serve(says("Rest", " and", " drink.")))
    result = await client.create(CASE)

    assert (result.usage.prompt_tokens, result.usage.completion_tokens) == (client.count_tokens(CASE), 3)
    assert client.figures is not None
    assert not client.figures.counted


@pytest.mark.parametrize(("reason", "expected"), [("stop", "stop"), ("length", "length"), ("content_filter", "length")])
async def test_only_the_model_itself_ends_an_answer(serve: Serve, reason: str, expected: str) -> None:
    assert (await client_of(serve(says("Rest.", reason=reason))).create(CASE)).finish_reason == expected


async def test_characters_that_are_cut_between_packets_come_whole(serve: Serve) -> None:
    text = "ñ 発熱 😷 ไข้"
    whole = event(text) + event("", "stop") + DONE
    bytewise = [whole[i : i + 1] for i in range(len(whole))]
    chunks, _ = await streamed(client_of(serve(sends(*bytewise))))
    assert chunks == [text]


async def test_thoughts_and_signs_of_life_are_not_part_of_the_answer(serve: Serve) -> None:
    thought = b'data: {"choices": [{"delta": {"role": "assistant", "reasoning_content": "Hm."}}]}\r\n\r\n'
    stream = sends(b": ping\n\n", thought, event("Rest."), b": ping\n\n", event("", "stop"), DONE)
    chunks, _ = await streamed(client_of(serve(stream)))
    assert chunks == ["Rest."]


async def test_text_that_is_not_of_the_form_is_malformed(serve: Serve) -> None:
    client = client_of(serve(says('{"signs": []}')))
    with pytest.raises(MalformedOutput, match="schema_style"):
        await client.create(CASE, json_output=Signs)


async def test_a_form_that_was_cut_short_is_the_callers_to_judge(serve: Serve) -> None:
    client = client_of(serve(says('{"signs": ["co', reason="length")))
    assert (await client.create(CASE, json_output=Signs)).finish_reason == "length"


# Servers that fail


@pytest.mark.parametrize("failure", [answers(500), answers(503), answers(429), drops(), drops(event()), sends(event())])
async def test_a_start_that_failed_is_made_again(serve: Serve, failure: Turn) -> None:
    server = serve(failure, says("Rest."))
    assert (await client_of(server, rest_s=0.0).create(CASE)).content == "Rest."
    assert (len(server.requests), server.health_checks) == (2, 1)


async def test_another_endpoint_takes_over_at_once(serve: Serve) -> None:
    broken, well = serve(answers(500)), serve()
    client = client_of(broken, well)
    for _ in range(2):
        assert (await client.create(CASE)).content == "Rest."
    # The first one rests, and is not asked the second time.
    assert (len(broken.requests), broken.health_checks, len(well.requests)) == (1, 0, 2)


async def test_an_endpoint_that_hangs_gives_way_to_another(serve: Serve) -> None:
    hanging, well = serve(hangs()), serve()
    client = client_of(hanging, well, timeout_s=0.5)
    assert (await client.create(CASE)).content == "Rest."
    assert await happened(hanging.hung_up)


@pytest.mark.parametrize(("listing", "expected"), [(200, "Drink."), (503, "Sleep.")])
async def test_an_endpoint_that_failed_is_asked_for_its_health_first(serve: Serve, listing: int, expected: str) -> None:
    mending, other = serve(answers(500), says("Drink.")), serve(says("Rest."), hangs(event("Re")), says("Sleep."))
    mending.listing = listing
    client = client_of(mending, other, rest_s=0.0)
    assert (await client.create(CASE)).content == "Rest."
    keeping_the_other_busy = await begun(client)
    assert (await client.create(CASE)).content == expected
    assert mending.health_checks == 1
    await keeping_the_other_busy.aclose()


async def test_the_least_busy_endpoint_is_asked(serve: Serve) -> None:
    first, second = serve(hangs(event("One"))), serve(hangs(event("Two")))
    client = client_of(first, second)
    streams = [await begun(client) for _ in range(3)]
    assert (len(first.requests), len(second.requests)) == (2, 1)
    await streams[0].aclose()
    await streams[2].aclose()
    streams.append(await begun(client))
    assert (len(first.requests), len(second.requests)) == (3, 1)
    for stream in streams:
        await stream.aclose()


async def test_where_none_answers_all_are_named(serve: Serve) -> None:
    said = await failing(client_of(CLOSED, "http://127.0.0.1:19/v1"), RemoteUnavailable)
    assert said == "No server of ward answers (not 127.0.0.1:9 nor 127.0.0.1:19); check that one runs."


@pytest.mark.parametrize(
    ("failure", "error", "words"),
    [
        (answers(401), RemoteRefused, "does not accept the key"),
        (answers(404), RemoteRefused, "knows no model ward"),
        (answers(400, "line\x1b[31m" + "x" * 9000), RemoteRefused, "HTTP 400: line"),
        (answers(400, '{"error": {"code": "context_length_exceeded"}}'), ContextOverflow, "too long for ward"),
        (sends(b'data: {"error": {"message": "maximum context length"}}\n\n'), ContextOverflow, "too long for ward"),
    ],
)
async def test_a_refusal_is_one_sentence_and_final(
    serve: Serve, failure: Turn, error: type[ModelError], words: str
) -> None:
    server = serve(failure, says("Rest."))
    said = await failing(client_of(server), error)
    assert words in said
    assert len(said) < 400
    assert said.isprintable()
    assert len(server.requests) == 1


@pytest.mark.parametrize("refusal", [answers(401), answers(404), answers(400, "no such form")])
async def test_an_endpoint_that_refuses_gives_way_to_another_and_rests(serve: Serve, refusal: Turn) -> None:
    refusing, well = serve(refusal), serve()
    client = client_of(refusing, well)
    for _ in range(3):
        assert (await client.create(CASE)).content == "Rest."
    assert (len(refusing.requests), len(well.requests)) == (1, 3)


async def test_where_all_refuse_each_was_asked_once(serve: Serve) -> None:
    servers = [serve(answers(404)), serve(answers(401))]
    assert "does not accept the key" in await failing(client_of(*servers, rest_s=0.0), RemoteRefused)
    assert [len(server.requests) for server in servers] == [1, 1]


async def test_where_one_refuses_and_the_others_are_silent_both_is_said(serve: Serve) -> None:
    said = await failing(client_of(serve(answers(404)), CLOSED), RemoteUnavailable)
    assert "(not 127.0.0.1:9); check that one runs." in said
    assert "knows no model ward" in said


async def test_an_endpoint_without_a_list_of_models_does_not_keep_the_others_from_being_asked(serve: Serve) -> None:
    elsewhere, mending, well = serve(answers(500)), serve(answers(500), says("Drink.")), serve(answers(500))
    elsewhere.listing = 404
    well.listing = 503
    assert (await client_of(elsewhere, mending, well, rest_s=0.0).create(CASE)).content == "Drink."
    await endpoints_of(elsewhere, mending).require_one()


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (answers(200, "<html>Sign in</html>", "text/html"), "cannot be read"),
        (sends(b"data: {not json\n\n"), "cannot be read"),
        (sends(b'data: {"choices": [{"delta": {"content": 7}}]}\n\n'), "cannot be read"),
        (answers(500, "Traceback"), "HTTP 500"),
        (sends(event(), DONE), "broke off"),
    ],
)
async def test_a_server_that_goes_on_failing_is_named(serve: Serve, failure: Turn, words: str) -> None:
    server = serve(failure)
    said = await failing(client_of(server), RemoteUnavailable)
    assert words in said
    assert f"127.0.0.1:{server.server_port}" in said
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (drops(event("Re")), "broke off"),
        (sends(event("Re")), "broke off"),
        (sends(event("Re"), DONE), "broke off"),
        (sends(event("Re"), b"data: {\n\n"), "cannot be read"),
        (sends(event("Re"), b'data: {"error": "out of memory"}\n\n'), "broke off"),
    ],
)
async def test_nothing_is_repeated_in_the_middle_of_a_stream(serve: Serve, failure: Turn, words: str) -> None:
    server, other = serve(failure), serve()
    stream = await begun(client_of(server, other))
    with pytest.raises(RemoteUnavailable, match=words):
        [item async for item in stream]
    assert (len(server.requests), len(other.requests)) == (1, 0)


async def test_silence_in_the_middle_of_a_stream_ends_it(serve: Serve) -> None:
    server = serve(hangs(event("Re")))
    stream = await begun(client_of(server, timeout_s=0.5))
    with pytest.raises(RemoteUnavailable, match="in time"):
        await anext(stream)
    assert await happened(server.hung_up)


# Being stopped


async def test_closing_a_stream_hangs_up(serve: Serve) -> None:
    server = serve(hangs(event("Re")))
    endpoints = endpoints_of(server)
    stream = await begun(RemoteChatClient(endpoints, Sampling()))
    assert [endpoint.running for endpoint in endpoints.all] == [1]
    await stream.aclose()
    assert await happened(server.hung_up)
    assert [endpoint.running for endpoint in endpoints.all] == [0]


@pytest.mark.parametrize("pieces", [(), (event("Re"),)])
async def test_cancelling_hangs_up(serve: Serve, pieces: Sequence[bytes]) -> None:
    server, token = serve(hangs(*pieces)), CancellationToken()
    listening = asyncio.ensure_future(client_of(server).create(CASE, cancellation_token=token))
    assert await happened(server.speaking)
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert await happened(server.hung_up)
    assert len(server.requests) == 1


async def test_a_server_that_was_hung_up_on_is_still_well(serve: Serve) -> None:
    server = serve(hangs(event("Re")), says("Rest."))
    client = client_of(server)
    await (await begun(client)).aclose()
    assert (await client.create(CASE)).content == "Rest."
    assert server.health_checks == 0


async def test_cancelling_before_an_answer_begins_lets_none_begin(serve: Serve) -> None:
    server, token = serve(), CancellationToken()
    token.cancel()
    with pytest.raises(asyncio.CancelledError):
        await client_of(server).create(CASE, cancellation_token=token)
    assert server.requests == []


async def test_streams_do_not_wait_for_each_other(serve: Serve) -> None:
    server = serve(waits(says("Slow.")), says("Rest."))
    client = client_of(server)
    slow = asyncio.ensure_future(client_of(server).create(CASE))
    assert await happened(server.speaking)
    assert (await client.create(CASE)).content == "Rest."
    server.released.set()
    assert (await slow).content == "Slow."


# Without a server


def test_an_estimate_is_rather_too_high() -> None:
    client = client_of(CLOSED, context_length=512)
    english, thai = ((UserMessage(content=text, source="u"),) for text in ("Fever for three days.", "ไข้สามวัน"))
    assert (client.count_tokens(english), client.count_tokens(thai)) == (17, 17)
    assert client.remaining_tokens(english) == 495


async def test_a_form_without_a_schema_is_refused() -> None:
    with pytest.raises(EngineError, match="needs a schema"):
        await client_of(CLOSED).create(CASE, json_output=True)


async def test_an_option_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="temprature"):
        await client_of(CLOSED).create(CASE, extra_create_args={"temprature": 0.2})
