"""The few calls of llama.cpp that the engine needs: open weights, hold a context, decode, read logits.

A `Lane` is one context over shared weights; it is used by one thread at a time and remembers which tokens its
key-value cache holds. Knows nothing of requests, queues or sampling rules.
"""

import ctypes
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from models.chat_template import Segment
from models.errors import EngineError, GenerationStopped, MalformedWeights

_LOG_TAIL = 6
_log: list[str] = []


def _remember(_level: int, text: bytes, _user: object) -> None:
    _log.append(text.decode("utf-8", "replace"))
    del _log[:-_LOG_TAIL]


_keep_log = llama_cpp.llama_log_callback(_remember)


def _last_words() -> str:
    return " ".join("".join(_log).split())[-300:]


class Weights:
    """An opened GGUF. Raises MalformedWeights where llama.cpp refuses it."""

    def __init__(self, path: str, gpu_layers: int = 0) -> None:
        llama_cpp.llama_log_set(_keep_log, None)
        llama_cpp.llama_backend_init()
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = gpu_layers
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


class Lane:
    """One context over the weights. `stopped` is asked throughout a decode and ends it at once when true."""

    def __init__(self, weights: Weights, context_length: int, slice_length: int, stopped: Callable[[], bool]) -> None:
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = context_length
        parameters.n_batch = slice_length
        parameters.n_ubatch = slice_length
        parameters.n_seq_max = 1
        parameters.no_perf = True
        self.context: Any = llama_cpp.llama_init_from_model(weights.model, parameters)
        if not self.context:
            raise EngineError(
                f"There is not enough memory for a context of {context_length} tokens ({_last_words()}); "
                "set engine.context_length lower."
            )
        self.weights = weights
        self.context_length = context_length
        self.slice_length = slice_length
        self.tokens: list[int] = []
        self._memory: Any = llama_cpp.llama_get_memory(self.context)
        self._abort = llama_cpp.ggml_abort_callback(lambda _: stopped())
        llama_cpp.llama_set_abort_callback(self.context, self._abort, None)

    def use_threads(self, threads: int) -> None:
        """Compute with this many threads from the next decode on; the tokens do not depend on it."""
        llama_cpp.llama_set_n_threads(self.context, threads, threads)

    def keep(self, n: int) -> None:
        """Forget everything in the cache after the first `n` tokens."""
        llama_cpp.llama_memory_seq_rm(self._memory, 0, n, -1)
        del self.tokens[n:]

    def decode(self, tokens: Sequence[int]) -> None:
        """Append at most `slice_length` tokens to the cache. Raises GenerationStopped, EngineError."""
        ids = (llama_cpp.llama_token * len(tokens))(*tokens)
        code = llama_cpp.llama_decode(self.context, llama_cpp.llama_batch_get_one(ids, len(tokens)))
        if code == 0:
            self.tokens.extend(tokens)
            return
        self.keep(0)
        if code == 2:
            raise GenerationStopped("The generation was stopped.")
        raise EngineError(f"llama.cpp could not decode (code {code}: {_last_words()}); try the case again.")

    def logits(self) -> npt.NDArray[np.float32]:
        """Logits after the last decoded token, shape [vocabulary]; valid until the next decode."""
        pointer = llama_cpp.llama_get_logits_ith(self.context, -1)
        return np.ctypeslib.as_array(pointer, shape=(self.weights.vocabulary_size,))

    def close(self) -> None:
        """Give the context's memory back."""
        if self.context:
            llama_cpp.llama_free(self.context)
            self.context = None
