"""Sampling: a chain of llama.cpp samplers, and a grammar that a sampled token must satisfy.

The grammar is asked about the freely sampled token first, then about the best few hundred candidates, and about
the whole vocabulary only if all of those are refused. Near the end of the token budget the sampler steers to the
brackets that close the JSON, so that the budget never cuts it. Knows nothing of lanes' threads or of requests.
"""

import ctypes
from functools import lru_cache
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt
from llama_cpp.llama_grammar import json_schema_to_gbnf

from models.errors import EngineError, MalformedOutput
from models.llama import Lane, Weights
from models.protocol import Sampling

_TRIAL = 256
_PENALTY_WINDOW = 128
_CLOSERS = ('"', '"}', '"]', '"}]', "]", "}", "]}", "}]", '"]}', "}]}", '"}]}')
_CANDIDATE = np.dtype([("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])
# The library's rule lets raw line breaks into JSON strings, which JSON forbids (RFC 8259, section 7).
_LOOSE_CHARACTER = r'[^"\\]'
_STRICT_CHARACTER = r'[^"\\\x7F\x00-\x1F]'


@lru_cache(maxsize=64)
def grammar_for(output_schema: str) -> str:
    """The GBNF of a JSON schema, with bounded whitespace and no control characters in strings."""
    return str(json_schema_to_gbnf(output_schema)).replace(_LOOSE_CHARACTER, _STRICT_CHARACTER)


class Grammar:
    """A grammar's position in the text written so far."""

    def __init__(self, weights: Weights, gbnf: str) -> None:
        self._sampler: Any = llama_cpp.llama_sampler_init_grammar(weights.vocabulary, gbnf.encode(), b"root")
        if not self._sampler:
            raise EngineError("The output schema could not be turned into a grammar; report this.")
        tokens = ((weights.tokenize_plain(closer), closer) for closer in _CLOSERS)
        self._closers = np.array([ids[0] for ids, _ in tokens if len(ids) == 1], dtype=np.int32)

    def allowed(self, ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Those of `ids` that may come next."""
        candidates, array = _candidates(ids, np.zeros(len(ids), np.float32))
        llama_cpp.llama_sampler_apply(self._sampler, ctypes.byref(array))
        kept: npt.NDArray[np.int32] = candidates["id"][np.isfinite(candidates["logit"])]
        return kept

    def closing(self) -> npt.NDArray[np.int32]:
        """Tokens of quotes and brackets alone that may come next."""
        return self.allowed(self._closers)

    def accept(self, token: int) -> None:
        """Move on by one token."""
        llama_cpp.llama_sampler_accept(self._sampler, token)

    def close(self) -> None:
        """Free the native grammar."""
        llama_cpp.llama_sampler_free(self._sampler)


def _candidates(ids: npt.NDArray[np.int32], logits: npt.NDArray[np.float32]) -> tuple[npt.NDArray[Any], Any]:
    table = np.zeros(len(ids), _CANDIDATE)
    table["id"], table["logit"] = ids, logits
    array = llama_cpp.llama_token_data_array()
    array.data = table.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token_data))
    array.size, array.selected, array.sorted = len(ids), -1, False
    return table, array


def _chain(weights: Weights, sampling: Sampling) -> Any:
    chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
    if sampling.repeat_penalty > 1.0:
        penalties = llama_cpp.llama_sampler_init_penalties(
            weights.vocabulary_size, _PENALTY_WINDOW, sampling.repeat_penalty, 0.0, 0.0
        )
        llama_cpp.llama_sampler_chain_add(chain, penalties)
    if sampling.temperature == 0.0:
        llama_cpp.llama_sampler_chain_add(chain, llama_cpp.llama_sampler_init_greedy())
        return chain
    for sampler in (
        llama_cpp.llama_sampler_init_top_k(sampling.top_k),
        llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1),
        llama_cpp.llama_sampler_init_temp(sampling.temperature),
        llama_cpp.llama_sampler_init_dist(sampling.seed),
    ):
        llama_cpp.llama_sampler_chain_add(chain, sampler)
    return chain


class Sampler:
    """Chooses the next token of one generation; remembers penalties and the grammar's position."""

    def __init__(self, weights: Weights, sampling: Sampling, output_schema: str | None) -> None:
        self._grammar = Grammar(weights, grammar_for(output_schema)) if output_schema else None
        # A repetition penalty on quotes and brackets would push a JSON list apart; constrained text goes without.
        self._chain = _chain(
            weights, sampling.model_copy(update={"repeat_penalty": 1.0}) if output_schema else sampling
        )

    def next(self, lane: Lane, *, closing: bool) -> int:
        """The next token after the lane's last decode; `closing` steers constrained output to its end."""
        if self._grammar is None:
            return int(llama_cpp.llama_sampler_sample(self._chain, lane.context, -1))
        token = self._constrained(self._grammar, lane, closing)
        self._grammar.accept(token)
        return token

    def _constrained(self, grammar: Grammar, lane: Lane, closing: bool) -> int:
        logits = lane.logits()
        if closing and (enders := grammar.closing()).size:
            return self._choose(enders, logits)
        free = int(llama_cpp.llama_sampler_sample(self._chain, lane.context, -1))
        if grammar.allowed(np.array([free], np.int32)).size:
            return free
        best = np.argpartition(logits, -_TRIAL)[-_TRIAL:].astype(np.int32)
        for ids in (best, np.arange(len(logits), dtype=np.int32)):
            if (kept := grammar.allowed(ids)).size:
                return self._choose(kept, logits)
        raise MalformedOutput("The model could not continue in the asked form; try another model for this role.")

    def _choose(self, ids: npt.NDArray[np.int32], logits: npt.NDArray[np.float32]) -> int:
        _table, array = _candidates(ids, logits[ids])
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(array.data[array.selected].id)

    def close(self) -> None:
        """Free the native samplers."""
        llama_cpp.llama_sampler_free(self._chain)
        if self._grammar is not None:
            self._grammar.close()
