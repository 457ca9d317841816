"""The few calls of llama.cpp that the engine needs: open weights, hold a context, decode, read logits.

A `Lane` is one context over shared weights with room for one or more sequences; it is used by one thread at a time
and remembers which tokens its key-value cache holds. Knows nothing of requests, queues or sampling rules.
"""

import ctypes
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import llama_cpp
import numpy as np
import numpy.typing as npt

from models.chat_template import Segment
from models.errors import EngineError, MalformedWeights
from models.protocol import EngineSettings

_LOG_TAIL = 6
_ABORTED = 2
_EVERY_LAYER = 1 << 16
_FLASH_ATTENTION = {
    "auto": llama_cpp.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "on": llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}
_CACHE_TYPES = {"f16": llama_cpp.GGML_TYPE_F16, "q8_0": llama_cpp.GGML_TYPE_Q8_0}
_SPLIT_MODES = {
    "none": llama_cpp.LLAMA_SPLIT_MODE_NONE,
    "layer": llama_cpp.LLAMA_SPLIT_MODE_LAYER,
    "row": llama_cpp.LLAMA_SPLIT_MODE_ROW,
}
_DECISIVE = {"exact", "prefill_slice", "gpu_layers", "split_mode", "main_gpu", "cache_keys", "cache_values"}
# Before each operation of a decode, some thousand a token, llama.cpp asks whether to leave it. A function of ours would
# have to wait for the interpreter each time; of a byte with a zero behind it, C's strlen says whether the byte is set.
_IS_SET = llama_cpp.ggml_abort_callback(ctypes.cast(ctypes.CDLL(None).strlen, ctypes.c_void_p).value)
_log: list[str] = []


def _remember(_level: int, text: bytes, _user: object) -> None:
    _log.append(text.decode("utf-8", "replace"))
    del _log[:-_LOG_TAIL]


_keep_log = llama_cpp.llama_log_callback(_remember)


def _last_words() -> str:
    return " ".join("".join(_log).split())[-300:]


def state_fingerprint(settings: EngineSettings, lanes: int, threads: int, processor: Sequence[str]) -> str:
    """Names what the bytes of a key-value state depend on, beside weights and tokens."""
    kept = settings.model_dump(include=_DECISIVE)
    # Flash attention divides the keys among threads.
    shares = () if settings.attention == "off" else (lanes, threads)
    facts = (sorted({**kept, "flash_attention": settings.attention}.items()), shares, processor)
    return f"{llama_cpp.__version__} {facts}"


class Weights:
    """An opened GGUF. Raises MalformedWeights where llama.cpp refuses it."""

    def __init__(self, path: str, settings: EngineSettings) -> None:
        llama_cpp.llama_log_set(_keep_log, None)
        llama_cpp.llama_backend_init()
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = settings.gpu_layers if settings.gpu_layers >= 0 else _EVERY_LAYER
        parameters.split_mode = _SPLIT_MODES[settings.split_mode]
        parameters.main_gpu = settings.main_gpu
        self.model: Any = llama_cpp.llama_model_load_from_file(path.encode(), parameters)
        if not self.model:
            raise MalformedWeights(
                f"llama.cpp could not open the weights ({_last_words()}); pull or import the model again."
            )
        self.vocabulary: Any = llama_cpp.llama_model_get_vocab(self.model)
        self.vocabulary_size = int(llama_cpp.llama_vocab_n_tokens(self.vocabulary))

    @property
    def trained_context(self) -> int:
        """The context length that the model was trained for, in tokens."""
        return int(llama_cpp.llama_model_n_ctx_train(self.model))

    @property
    def description(self) -> str:
        """llama.cpp's own name for the model, such as `qwen2 1.5B Q4_K - Medium`."""
        buffer = ctypes.create_string_buffer(256)
        llama_cpp.llama_model_desc(self.model, buffer, 256)
        return buffer.value.decode("utf-8", "replace")

    def tokenize(self, segments: Sequence[Segment]) -> list[int]:
        """Token ids of a prompt; only control segments may yield special tokens."""
        return [token for segment in segments for token in self._tokenize(segment)]

    def _tokenize(self, segment: Segment) -> list[int]:
        raw = segment.text.encode("utf-8", "replace")
        room = len(raw) + 8
        ids = (llama_cpp.llama_token * room)()
        n = llama_cpp.llama_tokenize(self.vocabulary, raw, len(raw), ids, room, False, segment.control)
        if n < 0:
            raise EngineError("llama.cpp could not tokenize the prompt; report this with the case's text.")
        return list(ids[:n])

    def tokenize_plain(self, text: str) -> list[int]:
        """Token ids of plain text."""
        return self._tokenize(Segment(text=text))

    def piece(self, token: int) -> bytes:
        """The bytes of one token (a character may span several); control tokens have none."""
        buffer = ctypes.create_string_buffer(128)
        n = llama_cpp.llama_token_to_piece(self.vocabulary, token, buffer, 128, 0, False)
        if n < 0:
            buffer = ctypes.create_string_buffer(-n)
            n = llama_cpp.llama_token_to_piece(self.vocabulary, token, buffer, -n, 0, False)
        return buffer.raw[:n]

    @cached_property
    def pieces(self) -> tuple[bytes, ...]:
        """The bytes of every token, by id."""
        return tuple(self.piece(token) for token in range(self.vocabulary_size))

    @cached_property
    def by_first_byte(self) -> dict[int, npt.NDArray[np.int32]]:
        """The tokens that begin with a byte, after at most one space; a lone space under itself."""
        groups: dict[int, list[int]] = {}
        for token, piece in enumerate(self.pieces):
            if lead := piece.removeprefix(b" ") or piece:
                groups.setdefault(lead[0], []).append(token)
        return {lead: np.array(tokens, np.int32) for lead, tokens in groups.items()}

    @cached_property
    def byte_tokens(self) -> dict[int, int]:
        """The token that is one byte and no more, for each byte that has one."""
        return {piece[0]: token for token, piece in reversed(tuple(enumerate(self.pieces))) if len(piece) == 1}

    @cached_property
    def spoken(self) -> npt.NDArray[np.bool_]:
        """Whether a token can be part of an answer, shape [vocabulary]: it has text, or it ends the turn."""
        return np.array([bool(piece) or self.ends_generation(token) for token, piece in enumerate(self.pieces)])

    @property
    def end_token(self) -> int:
        """A token that closes the assistant's turn."""
        return int(llama_cpp.llama_vocab_eos(self.vocabulary))

    def ends_generation(self, token: int) -> bool:
        """Whether the token closes the assistant's turn."""
        return bool(llama_cpp.llama_vocab_is_eog(self.vocabulary, token))

    def close(self) -> None:
        """Give the memory back."""
        if self.model:
            llama_cpp.llama_model_free(self.model)
            self.model = None


class Due(NamedTuple):
    """Tokens that a sequence is to hold next, and whether something is to be chosen after the last of them."""

    sequence: int
    tokens: Sequence[int]
    wants_logits: bool


class LaneInterrupted(Exception):
    """A decode was abandoned because of `Lane.interrupt`; every sequence holds what it held before."""


class Lane:
    """One context over the weights, with room for `sequences` texts of `context_length` tokens each.

    Used by one thread at a time, but for `interrupt`.
    """

    def __init__(self, weights: Weights, settings: EngineSettings, sequences: int) -> None:
        self.context_length = min(settings.context_length, weights.trained_context)
        self.sequences = sequences
        parameters = _context_parameters(settings, self.context_length, sequences)
        self.context: Any = llama_cpp.llama_init_from_model(weights.model, parameters)
        if not self.context:
            raise EngineError(
                f"There is not enough memory for {sequences} contexts of {self.context_length} tokens "
                f"({_last_words()}); set engine.context_length or engine.sequences lower."
            )
        self.weights = weights
        self.held: list[list[int]] = [[] for _ in range(sequences)]
        self._memory: Any = llama_cpp.llama_get_memory(self.context)
        self._room = settings.prefill_slice + sequences
        self._batch = llama_cpp.llama_batch_init(self._room, 0, 1)
        self._interrupted = ctypes.create_string_buffer(2)
        llama_cpp.llama_set_abort_callback(self.context, _IS_SET, ctypes.addressof(self._interrupted))

    def interrupt(self) -> None:
        """End the decode that is under way, and every other one until `resume`; from any thread."""
        self._interrupted[0] = b"\x01"

    def resume(self) -> None:
        """Decode again."""
        self._interrupted[0] = b"\0"

    def use_threads(self, threads: int) -> None:
        """Compute with this many threads from the next decode on; without flash attention not a bit depends on it."""
        llama_cpp.llama_set_n_threads(self.context, threads, threads)

    def keep(self, sequence: int, n: int) -> int:
        """Forget what a sequence holds after its first `n` tokens; how many are left (a model may keep none)."""
        held = self.held[sequence]
        if n < len(held) and not llama_cpp.llama_memory_seq_rm(self._memory, sequence, n, -1):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
            n = 0
        del held[n:]
        return len(held)

    def decode(self, step: Sequence[Due]) -> list[int]:
        """Append tokens to sequences, at most `prefill_slice` in all and one more a sequence.

        The row of the logits after each one's last token. Raises LaneInterrupted, EngineError; then every sequence
        holds what it held before.
        """
        rows = self._fill(step)
        code = llama_cpp.llama_decode(self.context, self._batch)
        if code == 0:
            for due in step:
                self.held[due.sequence].extend(due.tokens)
            return rows
        for due in step:
            self._take_back(due.sequence)
        if code == _ABORTED:
            raise LaneInterrupted
        raise EngineError(f"llama.cpp could not decode (code {code}: {_last_words()}); try the case again.")

    def _fill(self, step: Sequence[Due]) -> list[int]:
        if (asked := sum(len(due.tokens) for due in step)) > self._room:
            raise EngineError(f"A step of {asked} tokens is more than the {self._room} that the engine has room for.")
        rows: dict[int, int] = {}
        batch, n = self._batch, 0
        # llama.cpp computes sequences together where they follow each other by number, and others one by one.
        for due in sorted(step, key=lambda due: due.sequence):
            for position, token in enumerate(due.tokens, start=len(self.held[due.sequence])):
                batch.token[n], batch.pos[n], batch.logits[n] = token, position, 0
                batch.n_seq_id[n], batch.seq_id[n][0] = 1, due.sequence
                n += 1
            batch.logits[n - 1] = due.wants_logits
            rows[due.sequence] = n - 1
        batch.n_tokens = n
        return [rows[due.sequence] for due in step]

    def _take_back(self, sequence: int) -> None:
        held = len(self.held[sequence])
        if not llama_cpp.llama_memory_seq_rm(self._memory, sequence, held, -1):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
            self.held[sequence].clear()

    def size(self, sequence: int) -> int:
        """How many bytes `save` would give."""
        return int(llama_cpp.llama_state_seq_get_size(self.context, sequence))

    def save(self, sequence: int) -> bytes:
        """What the sequence holds, keys and values: for `restore` in a lane over the same weights."""
        size = self.size(sequence)
        buffer = (ctypes.c_uint8 * size)()
        written = llama_cpp.llama_state_seq_get_data(self.context, buffer, size, sequence)
        return bytes(memoryview(buffer)[:written])

    def restore(self, sequence: int, tokens: Sequence[int], state: bytes) -> bool:
        """Make the sequence hold `tokens`, whose saved state this is; False where it does not fit."""
        self.keep(sequence, 0)
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        if not llama_cpp.llama_state_seq_set_data(self.context, buffer, len(state), sequence):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
            return False
        self.held[sequence] = list(tokens)
        return True

    def logits(self, row: int) -> npt.NDArray[np.float32]:
        """Logits of a row of the last decode, shape [vocabulary]; valid until the next one."""
        pointer = llama_cpp.llama_get_logits_ith(self.context, row)
        return np.ctypeslib.as_array(pointer, shape=(self.weights.vocabulary_size,))

    def close(self) -> None:
        """Give the context's memory back."""
        if self.context:
            llama_cpp.llama_batch_free(self._batch)
            llama_cpp.llama_free(self.context)
            self.context = None


def _context_parameters(settings: EngineSettings, context_length: int, sequences: int) -> Any:
    parameters = llama_cpp.llama_context_default_params()
    parameters.n_ctx = context_length * sequences
    parameters.n_batch = settings.prefill_slice + sequences
    parameters.n_ubatch = settings.prefill_slice + sequences
    parameters.n_seq_max = sequences
    parameters.kv_unified = False  # each sequence attends to its own cells only
    parameters.flash_attn_type = _FLASH_ATTENTION[settings.attention]
    parameters.type_k = _CACHE_TYPES[settings.cache_keys]
    parameters.type_v = _CACHE_TYPES[settings.cache_values]
    parameters.offload_kqv = settings.gpu_layers != 0
    parameters.no_perf = True
    return parameters
