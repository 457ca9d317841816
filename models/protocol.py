"""What an engine and its worker process say to each other: one JSON object a line, nothing pickled.

Knows nothing of processes, threads or llama.cpp.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from models.chat_template import Segment


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EngineSettings(_Message):
    """How weights are run.

    `lanes` 0 lets a calibration choose; each of at most `sequences` texts at once has `context_length` tokens of its
    own. `exact` never lets two of them share a batch, so that every text can be computed again to the last bit.
    `threads` 0 takes every core; `gpu_layers` -1 puts the whole model on the GPU. Prompts are read `prefill_slice`
    tokens at a time, `shared_slice` while others speak in the same lane. `prefix_memory` bytes of key-value states
    are kept for prompts that begin alike.
    """

    context_length: int = Field(8192, ge=256)
    lanes: int = Field(0, ge=0, le=64)
    sequences: int = Field(4, ge=1, le=64)
    exact: bool = False
    threads: int = Field(0, ge=0)
    gpu_layers: int = Field(0, ge=-1)
    split_mode: Literal["none", "layer", "row"] = "layer"
    main_gpu: int = Field(0, ge=0)
    flash_attention: Literal["auto", "on", "off"] = "auto"
    cache_keys: Literal["f16", "q8_0"] = "f16"
    cache_values: Literal["f16", "q8_0"] = "f16"
    prefill_slice: int = Field(256, ge=16, le=4096)
    shared_slice: int = Field(32, ge=1, le=4096)
    prefix_memory: int = Field(256_000_000, ge=0)
    queue_length: int = Field(32, ge=1)
    time_limit_s: float = Field(900.0, gt=0.0)

    @property
    def attention(self) -> Literal["auto", "on", "off"]:
        """Flash attention as it is run: on a processor it wins no time, and the last bits of it depend on the number of
        threads, among whom llama.cpp divides the keys; so it is used there only where values are quantized."""
        plain = not self.gpu_layers and self.cache_values == "f16"
        return "off" if plain and self.flash_attention == "auto" else self.flash_attention

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.cache_values != "f16" and self.flash_attention == "off":
            raise ValueError("engine.cache_values q8_0 needs flash attention; set engine.flash_attention to on")
        return self


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
    """Parent to worker, first: the weights to open (already hashed by the parent) and how.

    `cache` is a folder for calibrations and static prefixes of exactly these weights; nothing is kept without one.
    """

    op: Literal["load"] = "load"
    path: str
    settings: EngineSettings
    cache: str | None = None


class Generate(_Message):
    """Parent to worker: continue `prompt`. `output_schema` forces the output to be JSON of that schema.

    `conversation` names whose key-value cache may be reused: never another conversation's, and nobody's if empty.
    The first `public` segments hold no word of any conversation, so that their cache may serve everyone; the first
    `static` ones moreover come back in every case, so that theirs is kept on disk. `user` says who waits, so that
    users take turns.
    """

    op: Literal["generate"] = "generate"
    id: int
    conversation: str
    prompt: tuple[Segment, ...]
    sampling: Sampling
    output_schema: str | None = None
    static: int = Field(0, ge=0)
    public: int = Field(0, ge=0)
    user: str = ""


class Count(_Message):
    """Parent to worker: how many tokens is this prompt?"""

    op: Literal["count"] = "count"
    id: int
    prompt: tuple[Segment, ...]


class Stop(_Message):
    """Parent to worker: abandon generation `id`, wherever it is; one that waits is forgotten without an answer."""

    op: Literal["stop"] = "stop"
    id: int


class Forget(_Message):
    """Parent to worker: wipe what is kept of a conversation; no answer."""

    op: Literal["forget"] = "forget"
    conversation: str


class Calibration(_Message):
    """How many lanes serve these weights best here: milliseconds a token of each text, by texts at once, by lanes."""

    lanes: int
    measured_ms: dict[int, dict[int, float]]


class Ready(_Message):
    """Worker to parent: the weights are open, in `lanes` contexts of `sequences` texts each."""

    event: Literal["ready"] = "ready"
    description: str
    context_length: int
    lanes: int
    sequences: int
    threads: int
    calibration: Calibration | None = None


class Piece(_Message):
    """Worker to parent: some more text, always whole characters."""

    event: Literal["piece"] = "piece"
    id: int
    text: str


class Finished(_Message):
    """Worker to parent: generation `id` ended. Times in seconds.

    `cached_tokens` were not prefilled again. `shared` says that other texts were computed in the same batches as this
    one, or as what was cached of it, which changes the logits in their last digits: such a text can be replayed but
    perhaps not computed again.
    `tokens` are the new ones, `tokens_sha256` is over them as 4-byte little-endian integers.
    """

    event: Literal["finished"] = "finished"
    id: int
    reason: Literal["stop", "length", "repetition", "time", "stopped"]
    lane: int
    shared: bool
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    tokens: tuple[int, ...] = ()
    tokens_sha256: str
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


Command = Annotated[Load | Generate | Count | Stop | Forget, Field(discriminator="op")]
Event = Annotated[Ready | Piece | Finished | Counted | Failed, Field(discriminator="event")]
COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
EVENT: TypeAdapter[Event] = TypeAdapter(Event)
