"""What the engine is measured against: the same weights and messages through other people's interfaces.

One `Llama` that is asked one after the other, AutoGen's own llama.cpp client, llama-cpp-python's server, and the bare
calls of llama.cpp. Each answers greedily and tells what it said. Flash attention is as each has it by itself: off but
in a llama-server. Nothing here is part of the product.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from models.chat_template import ChatMessage, Segment
from models.llama import Weights
from models.protocol import EngineSettings

CONTEXT = 2048
_PATIENCE_S = 600.0

Messages = tuple[ChatMessage, ...]


class Said(NamedTuple):
    """Answers to some questions: their texts, their tokens together, and the seconds until the last one's end."""

    texts: tuple[str, ...]
    tokens: int
    seconds: float


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


def _plain(messages: Messages) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


class OneLlama:
    """`llama_cpp.Llama` with every core, asked one after the other."""

    def __init__(self, path: Path) -> None:
        from llama_cpp import Llama

        self._llama: Any = Llama(str(path), n_ctx=CONTEXT, n_threads=cores(), n_threads_batch=cores(), verbose=False)

    async def ask(self, questions: Sequence[Messages], max_tokens: int) -> Said:
        """Each question to its end, then the next."""
        return await asyncio.to_thread(self._ask, questions, max_tokens)

    def _ask(self, questions: Sequence[Messages], max_tokens: int) -> Said:
        start, texts, tokens = time.perf_counter(), [], 0
        for messages in questions:
            self._llama.reset()
            answer = self._llama.create_chat_completion(
                messages=_plain(messages), temperature=0.0, repeat_penalty=1.0, max_tokens=max_tokens
            )
            texts.append(answer["choices"][0]["message"]["content"])
            tokens += answer["usage"]["completion_tokens"]
        return Said(tuple(texts), tokens, time.perf_counter() - start)

    def close(self) -> None:
        """Unload."""
        self._llama.close()


class AutoGenClients:
    """AutoGen's own llama.cpp client, one an agent, as its documentation shows it; asked at once."""

    def __init__(self, path: Path, agents: int) -> None:
        from autogen_ext.models.llama_cpp import LlamaCppChatCompletionClient

        self._clients: list[Any] = [
            LlamaCppChatCompletionClient(model_path=str(path), n_ctx=CONTEXT, verbose=False) for _ in range(agents)
        ]

    async def ask(self, questions: Sequence[Messages], max_tokens: int) -> Said:
        """All questions at once, an agent each."""
        from autogen_core.models import SystemMessage, UserMessage

        def turned(message: ChatMessage) -> Any:
            if message.role == "system":
                return SystemMessage(content=message.content)
            return UserMessage(content=message.content, source="clinician")

        start = time.perf_counter()
        options = {"temperature": 0.0, "repeat_penalty": 1.0, "max_tokens": max_tokens}
        for client in self._clients:
            client.llm.reset()
        answers = await asyncio.gather(
            *(
                client.create([turned(message) for message in messages], extra_create_args=options)
                for client, messages in zip(self._clients, questions, strict=True)
            )
        )
        tokens = sum(answer.usage.completion_tokens for answer in answers)
        return Said(tuple(str(answer.content) for answer in answers), tokens, time.perf_counter() - start)

    def close(self) -> None:
        """Unload."""
        for client in self._clients:
            client.llm.close()


class Server:
    """A server that speaks OpenAI's protocol, with several clients at once: llama-cpp-python's, or a llama-server."""

    def __init__(self, path: Path, slots: int, binary: str | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        own = [sys.executable, "-m", "llama_cpp.server", "--model", str(path), "--n_ctx", str(CONTEXT)]
        own += ["--n_threads", str(cores()), "--n_threads_batch", str(cores())]
        other = [str(binary), "--model", str(path), "--ctx-size", str(CONTEXT * slots), "--parallel", str(slots)]
        other += ["--threads", str(cores()), "--no-webui"]
        command = [*(other if binary else own), "--host", "127.0.0.1", "--port", str(port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._address = f"http://127.0.0.1:{port}"
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError("the server ended while it was opening the weights")
            try:
                if httpx.get(f"{self._address}/v1/models", trust_env=False).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise RuntimeError("the server did not begin to answer")

    async def ask(self, questions: Sequence[Messages], max_tokens: int) -> Said:
        """All questions at once, a client each."""
        start = time.perf_counter()
        async with httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False) as client:
            answers = await asyncio.gather(*(self._one(client, messages, max_tokens) for messages in questions))
        texts = tuple(str(answer["choices"][0]["message"]["content"]) for answer in answers)
        tokens = sum(int(answer["usage"]["completion_tokens"]) for answer in answers)
        return Said(texts, tokens, time.perf_counter() - start)

    async def _one(self, client: httpx.AsyncClient, messages: Messages, max_tokens: int) -> dict[str, Any]:
        body = {"messages": _plain(messages), "max_tokens": max_tokens, "temperature": 0.0, "repeat_penalty": 1.0}
        body |= {"cache_prompt": False, "top_k": 1}
        answer = await client.post(f"{self._address}/v1/chat/completions", json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()


class BareLoop:
    """Nothing but llama.cpp's own calls: one context, every core, greedy; the floor under any engine's cost."""

    def __init__(self, path: Path) -> None:
        import llama_cpp

        self._native = llama_cpp
        self._weights = Weights(str(path), EngineSettings())
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx, parameters.n_batch, parameters.n_ubatch = CONTEXT, 512, 512
        parameters.n_threads = parameters.n_threads_batch = cores()
        self._context: Any = llama_cpp.llama_init_from_model(self._weights.model, parameters)
        self._sampler: Any = llama_cpp.llama_sampler_init_greedy()

    def ask(self, prompt: Sequence[Segment], max_tokens: int) -> Said:
        """Read the prompt, then choose `max_tokens` tokens or until the model ends."""
        native, start = self._native, time.perf_counter()
        native.llama_memory_clear(native.llama_get_memory(self._context), True)
        due, chosen, raw = self._weights.tokenize(prompt), 0, b""
        while True:
            ids = (native.llama_token * len(due))(*due)
            if native.llama_decode(self._context, native.llama_batch_get_one(ids, len(due))):
                raise RuntimeError("llama.cpp could not decode")
            token = native.llama_sampler_sample(self._sampler, self._context, -1)
            chosen += 1
            if self._weights.ends_generation(token):
                break
            raw += self._weights.piece(token)
            if chosen == max_tokens:
                break
            due = [token]
        return Said((raw.decode("utf-8", "replace"),), chosen, time.perf_counter() - start)

    def close(self) -> None:
        """Unload."""
        self._native.llama_sampler_free(self._sampler)
        self._native.llama_free(self._context)
        self._weights.close()
