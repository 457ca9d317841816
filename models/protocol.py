"""What an engine and its worker process say to each other: one JSON object a line, nothing pickled.

Knows nothing of processes, threads or llama.cpp.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from models.chat_template import Segment


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EngineSettings(_Message):
    """How weights are run. `threads` 0 takes every core; `gpu_layers` -1 puts the whole model on the GPU."""

    context_length: int = Field(8192, ge=256)
    lanes: int = Field(2, ge=1, le=64)
    threads: int = Field(0, ge=0)
    gpu_layers: int = 0
    prefill_slice: int = Field(256, ge=16, le=4096)
    queue_length: int = Field(32, ge=1)


class Sampling(_Message):
    """Sampling parameters of one generation. `temperature` 0 is greedy; `repeat_penalty` 1 is none."""

    temperature: float = Field(0.0, ge=0.0, le=2.0)
    top_k: int = Field(40, ge=0)
    top_p: float = Field(0.95, gt=0.0, le=1.0)
    repeat_penalty: float = Field(1.1, ge=1.0, le=2.0)
    seed: int = Field(0, ge=0, lt=0xFFFFFFFF)  # the last one means "choose any" to llama.cpp
    max_tokens: int = Field(256, ge=1)
    stop: tuple[str, ...] = ()


class Load(_Message):
    """Parent to worker, first: the weights to open (already hashed by the parent) and how."""

    op: Literal["load"] = "load"
    path: str
    settings: EngineSettings


class Generate(_Message):
    """Parent to worker: continue `prompt`. `output_schema` forces the output to be JSON of that schema.

    `conversation` names whose key-value cache may be reused: never another conversation's, and nobody's if empty.
    """

    op: Literal["generate"] = "generate"
    id: int
    conversation: str
    prompt: tuple[Segment, ...]
    sampling: Sampling
    output_schema: str | None = None


class Count(_Message):
    """Parent to worker: how many tokens is this prompt?"""

    op: Literal["count"] = "count"
    id: int
    prompt: tuple[Segment, ...]


class Stop(_Message):
    """Parent to worker: abandon generation `id`, wherever it is; one that waits is forgotten without an answer."""

    op: Literal["stop"] = "stop"
    id: int


class Ready(_Message):
    """Worker to parent: the weights are open."""

    event: Literal["ready"] = "ready"
    description: str
    context_length: int
    lanes: int
    threads: int


class Piece(_Message):
    """Worker to parent: some more text, always whole characters."""

    event: Literal["piece"] = "piece"
    id: int
    text: str


class Finished(_Message):
    """Worker to parent: generation `id` ended. Times in seconds; `cached_tokens` were not prefilled again."""

    event: Literal["finished"] = "finished"
    id: int
    reason: Literal["stop", "length", "stopped"]
    lane: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    queued_s: float
    prefill_s: float
    decode_s: float


class Counted(_Message):
    """Worker to parent: the answer to Count."""

    event: Literal["counted"] = "counted"
    id: int
    tokens: int


class Failed(_Message):
    """Worker to parent: generation `id` (or loading, id -1) could not be done."""

    event: Literal["failed"] = "failed"
    id: int
    error: Literal["ContextOverflow", "MalformedOutput", "MalformedWeights", "EngineError"]
    message: str


Command = Annotated[Load | Generate | Count | Stop, Field(discriminator="op")]
Event = Annotated[Ready | Piece | Finished | Counted | Failed, Field(discriminator="event")]
COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
