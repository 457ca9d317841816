"""Asks the engine and keeps what was heard, with the times between which it was."""

import asyncio
import json
import time
from typing import NamedTuple

from pydantic import BaseModel

from models.chat_template import ChatMessage, Segment, chat_template, render
from models.engine import Engine
from models.protocol import Finished, Piece, Sampling

FEVER = "Why does a child with pneumonia breathe fast?"
RASH = "Write three sentences about measles."


class Heard(NamedTuple):
    """One generation; `first` and `last` are when its first and its last event came, in seconds of one clock."""

    text: str
    finished: Finished
    first: float
    last: float


def asked(*turns: str) -> tuple[Segment, ...]:
    """The prompt of a conversation in which user and assistant take turns, the user first and last."""
    roles = ("user", "assistant")
    messages = (ChatMessage.model_validate({"role": roles[i % 2], "content": turn}) for i, turn in enumerate(turns))
    return render(chat_template("chatml"), tuple(messages))


def greedy(max_tokens: int, **options: object) -> Sampling:
    """Sampling that leaves nothing to chance."""
    return Sampling.model_validate({"temperature": 0.0, "max_tokens": max_tokens, **options})


async def hear(
    engine: Engine,
    prompt: tuple[Segment, ...],
    sampling: Sampling,
    *,
    conversation: str = "",
    form: type[BaseModel] | None = None,
) -> Heard:
    """Listen to a generation until it ends."""
    schema = json.dumps(form.model_json_schema()) if form else None
    text, first = "", 0.0
    async for event in engine.generate(conversation, prompt, sampling, schema):
        first = first or time.perf_counter()
        if isinstance(event, Piece):
            text += event.text
        else:
            finished = event
    return Heard(text, finished, first, time.perf_counter())


async def submitted(engine: Engine) -> None:
    """Two round trips to the worker: a task that was made before them has asked it by now."""
    for _ in range(2):
        await asyncio.to_thread(engine.count, asked(FEVER))
