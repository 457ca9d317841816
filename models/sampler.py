"""Sampling: a chain of llama.cpp samplers, and a grammar that a sampled token must satisfy.

The grammar is asked about the freely sampled token first, then about the best few hundred candidates, then about
those that could stand outside of a string, and about the whole vocabulary only if all of those are refused. Near the
end of the token budget a token is taken only if the form can still be ended after it, so that the budget never cuts
the JSON. Knows nothing of lanes' threads or requests.
"""

import ctypes
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import lru_cache, partial
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt
from llama_cpp.llama_grammar import json_schema_to_gbnf

from models.errors import EngineError, MalformedOutput
from models.llama import Lane, Weights
from models.protocol import Sampling

_TRIAL = 256
_PROMISING = 12.0  # nats below the best logit; what is further down is not tried before the whole vocabulary
_PENALTY_WINDOW = 128
_CLOSING_WINDOW = 96  # tokens; a form whose shortest ending is longer than this may be cut
_GROWTH = 32  # tokens by which a shortest ending may become longer on the way, such as when another record is opened
# Bytes in the order in which the shortest ending takes them outside of strings; the last ones complete a character, or
# begin one that the form itself has.
_CLOSING_BYTES = bytes(
    dict.fromkeys([*b'}],:"0123456789', *range(0x21, 0x7F), 0x20, *range(0x80, 0xC0), *range(0xC2, 0xF5)])
)
_SPACE = 0x20
_ASCII = bytes(range(0x20, 0x7F))
_CANDIDATE = np.dtype([("id", "<i4"), ("logit", "<f4"), ("p", "<f4")])
# The library's rule lets raw line breaks into JSON strings, which JSON forbids (RFC 8259, section 7).
_LOOSE_CHARACTER = r'[^"\\]'
_STRICT_CHARACTER = r'[^"\\\x7F\x00-\x1F]'


@lru_cache(maxsize=64)
def grammar_for(output_schema: str) -> str:
    """The GBNF of a JSON schema, with bounded whitespace and no control characters in strings."""
    return str(json_schema_to_gbnf(output_schema)).replace(_LOOSE_CHARACTER, _STRICT_CHARACTER)


@lru_cache(maxsize=1)
def _closing_tokens(weights: Weights) -> npt.NDArray[np.int32]:
    """The end token and those of _CLOSING_BYTES that the vocabulary has, in that order."""
    one_byte = [weights.byte_tokens[byte] for byte in _CLOSING_BYTES if byte in weights.byte_tokens]
    return np.array([weights.end_token, *one_byte], np.int32)


def _best(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
    """The tokens with the largest logits, a few hundred at most."""
    promising = np.flatnonzero(logits > logits.max() - _PROMISING)
    if promising.size > _TRIAL:
        promising = promising[np.argpartition(logits[promising], -_TRIAL)[-_TRIAL:]]
    return promising.astype(np.int32)


class Grammar:
    """A grammar's position in the text written so far."""

    def __init__(self, weights: Weights, native: Any) -> None:
        self._weights, self._sampler = weights, native

    @classmethod
    def begin(cls, weights: Weights, gbnf: str) -> "Grammar":
        """The grammar before the first token."""
        native = llama_cpp.llama_sampler_init_grammar(weights.vocabulary, gbnf.encode(), b"root")
        if not native:
            raise EngineError("The output schema could not be turned into a grammar; report this.")
        return cls(weights, native)

    def copy(self) -> "Grammar":
        """Another grammar at the same position."""
        return Grammar(self._weights, llama_cpp.llama_sampler_clone(self._sampler))

    def allowed(self, ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Those of `ids` that may come next, in their order."""
        candidates, array = _candidates(ids, np.zeros(len(ids), np.float32))
        llama_cpp.llama_sampler_apply(self._sampler, ctypes.byref(array))
        # llama.cpp reads a control token as the text of its name, which a JSON string may hold; it is never shown.
        kept: npt.NDArray[np.int32] = candidates["id"][np.isfinite(candidates["logit"]) & self._weights.spoken[ids]]
        return kept

    def structural(self) -> npt.NDArray[np.int32]:
        """Outside of strings, every token that may come next and some that may not; inside, none.

        Those whose first byte after at most one space could stand there.
        """
        ascii_tokens = self._weights.byte_tokens
        may_come = self.allowed(np.array([ascii_tokens[b] for b in _ASCII if b in ascii_tokens], np.int32))
        leads = {self._weights.pieces[token][0] for token in may_come.tolist()}
        if {ord("}"), ord("a")} <= leads:  # only a string's inside takes both
            return np.array([], np.int32)
        if _SPACE in leads:
            with closing(self.copy()) as after:
                after.accept(ascii_tokens[_SPACE])
                leads |= {
                    self._weights.pieces[t][0] for t in after.allowed(_closing_tokens(self._weights))[1:].tolist()
                }
        groups = [self._weights.by_first_byte[lead] for lead in sorted(leads) if lead in self._weights.by_first_byte]
        return np.concatenate([np.array([self._weights.end_token], np.int32), *groups])

    def accept(self, token: int) -> None:
        """Move on by one token."""
        llama_cpp.llama_sampler_accept(self._sampler, token)

    def leads_to_end(self, tokens: Sequence[int]) -> bool:
        """Whether `tokens` may follow one after the other and end the form."""
        with closing(self.copy()) as trial:
            for token in tokens:
                if not trial.allowed(np.array([token], np.int32)).size:
                    return False
                trial.accept(token)
            return trial._ended()

    def ending(self) -> list[int]:
        """Tokens of the shortest text that ends the form here, after the rest of a character that was begun."""
        path: list[int] = []
        with closing(self.copy()) as trial:
            while (token := trial._nearer_to_end()) != self._weights.end_token:
                path.append(token)
                trial.accept(token)
        pieces = b"".join(self._weights.pieces[token] for token in path)
        rest = pieces.lstrip(bytes(range(0x80, 0xC0)))
        short = path[: len(pieces) - len(rest)] + self._weights.tokenize_plain(rest.decode())
        return short if self.leads_to_end(short) else path

    def _ended(self) -> bool:
        return self.allowed(np.array([self._weights.end_token], np.int32)).size > 0

    def _nearer_to_end(self) -> int:
        """The end token if it may come, else the byte's that comes nearest to it; short strings are filled up."""
        kept = self.allowed(_closing_tokens(self._weights))
        if not kept.size:
            raise EngineError("The output's form has no end that can be written; report this.")
        quote, brace, letter, space = (self._weights.byte_tokens[byte] for byte in b'"}a ')
        if {brace, letter} <= (may_come := set(kept.tolist())):  # only a string's inside takes both
            return quote if quote in may_come else space
        return int(kept[0])

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
        self._grammar = Grammar.begin(weights, grammar_for(output_schema)) if output_schema else None
        self._ending: list[int] | None = None
        self._near = 0
        # A repetition penalty on quotes and brackets would push a JSON list apart; constrained text goes without.
        self._chain = _chain(
            weights, sampling.model_copy(update={"repeat_penalty": 1.0}) if output_schema else sampling
        )

    def next(self, lane: Lane, row: int, remaining: int) -> int:
        """The next token after a row of the lane's last decode; with it, `remaining` tokens may still come."""
        if self._grammar is None:
            return int(llama_cpp.llama_sampler_sample(self._chain, lane.context, row))
        token = self._constrained(self._grammar, lane, row)
        if remaining <= _CLOSING_WINDOW:
            token = self._or_closing(self._grammar, token, remaining - 1)
        self._grammar.accept(token)
        return token

    def _constrained(self, grammar: Grammar, lane: Lane, row: int) -> int:
        free = int(llama_cpp.llama_sampler_sample(self._chain, lane.context, row))
        if grammar.allowed(np.array([free], np.int32)).size:
            return free
        logits = lane.logits(row)
        everything = partial(np.arange, len(logits), dtype=np.int32)
        ways: tuple[Callable[[], npt.NDArray[np.int32]], ...] = (partial(_best, logits), grammar.structural, everything)
        for candidates in ways:
            if (kept := grammar.allowed(candidates())).size:
                return self._choose(kept, logits)
        raise MalformedOutput("The model could not continue in the asked form; try another model for this role.")

    def _or_closing(self, grammar: Grammar, token: int, room: int) -> int:
        """`token` where the form can be ended in `room` tokens after it, else the next of the shortest ending."""
        self._near = self._near or len(grammar.ending()) + _GROWTH
        if room > self._near:
            return token
        known = grammar.ending() if self._ending is None else self._ending
        with closing(grammar.copy()) as after:
            after.accept(token)
            ending = known if len(known) <= room and after.leads_to_end(known) else after.ending()
        if len(ending) > room:
            token, *ending = known
        self._ending = ending
        return token

    def _choose(self, ids: npt.NDArray[np.int32], logits: npt.NDArray[np.float32]) -> int:
        _table, array = _candidates(ids, logits[ids])
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(array))
        return int(array.data[array.selected].id)

    def close(self) -> None:
        """Free the native samplers."""
        llama_cpp.llama_sampler_free(self._chain)
        if self._grammar is not None:
            self._grammar.close()
