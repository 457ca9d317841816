"""One generation in one sequence of a lane: what is due next, and what was chosen.

Emits whole characters only. Knows nothing of processes, queues, or the other sequences of its lane.
"""

import codecs
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from models.errors import ContextOverflow
from models.llama import Due, Lane, Weights
from models.protocol import Finished, Generate
from models.sampler import Sampler

Reason = Literal["stop", "length", "repetition", "time", "stopped"]

_MIN_ROOM = 64
_SHOWN_EVERY_S = 0.03
_LONGEST_PERIOD = 48
_REPEATED_TOKENS = 96
_REPEATED_TIMES = 4
_WATCHED_EVERY = 8  # tokens


class TextStream:
    """Token bytes to text: characters are emitted whole, and stop strings are found across token borders."""

    def __init__(self, stop: tuple[str, ...]) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = tuple(s for s in stop if s)
        self._held = ""
        self.stopped = False

    def feed(self, raw: bytes) -> str:
        """Text that can be shown now; sets `stopped` when a stop string is complete."""
        return self._release(self._held + self._decoder.decode(raw))

    def close(self) -> str:
        """What was held back at the end; a character that the token budget cut is dropped."""
        held, self._held = self._held, ""
        return held

    def _release(self, text: str) -> str:
        found = [i for s in self._stop if (i := text.find(s)) >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        keep = max((_overlap(text, s) for s in self._stop), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of `text` that begins `stop`."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)


def repeats(tokens: Sequence[int]) -> bool:
    """Whether the last tokens say the same few over and over; a model that does so does not find out by itself."""
    for period in range(1, _LONGEST_PERIOD + 1):
        length = max(_REPEATED_TOKENS, _REPEATED_TIMES * period)
        if len(tokens) >= length and tokens[-length + period :] == tokens[-length:-period]:
            return True
    return False


class Asked(NamedTuple):
    """A request with its prompt's tokens; the first `public` of them, and among these `static`, are no conversation's.

    `marks` are the places in the prompt at which reading pauses for a save.
    """

    request: Generate
    tokens: list[int]
    static: int
    public: int
    budget: int
    since: float
    marks: set[int]

    @classmethod
    def of(cls, request: Generate, weights: Weights, context_length: int, said: Mapping[str, Sequence[int]]) -> "Asked":
        """The request, if it fits. `said` are the conversation's own answers with the tokens that made them, which are
        not always those that a tokenizer would choose. Raises ContextOverflow, EngineError.
        """
        static = weights.tokenize(request.prompt[: request.static])
        public = [*static, *weights.tokenize(request.prompt[request.static : request.public])]
        tokens = list(public)
        for segment in request.prompt[max(request.static, request.public) :]:
            known = None if segment.control else said.get(segment.text)
            tokens += known if known is not None else weights.tokenize((segment,))
        room = context_length - len(tokens)
        if room < min(request.sampling.max_tokens, _MIN_ROOM):
            raise ContextOverflow(
                f"The prompt has {len(tokens)} tokens and the model's context holds {context_length}; "
                "shorten the case or set engine.context_length higher."
            )
        return cls(
            request,
            tokens,
            len(static),
            len(public),
            min(room, request.sampling.max_tokens),
            time.perf_counter(),
            set(),
        )


class Generation:
    """A request while it runs; `shared` while other texts are in its batches, or were when its cache was computed."""

    def __init__(
        self, asked: Asked, lane: Lane, number: int, sequence: int, shared: bool, emit: Callable[[str], None]
    ) -> None:
        self.asked, self.sequence = asked, sequence
        self.shared = shared
        self._lane, self._number, self._emit = lane, number, emit
        self._cached = len(lane.held[sequence])
        self._sampler = Sampler(lane.weights, asked.request.sampling, asked.request.output_schema)
        self._text = TextStream(asked.request.sampling.stop)
        self._chosen: list[int] = []
        self._said = ""
        self._unseen, self._shown_at = "", 0.0
        self._started = self._prefilled = time.perf_counter()

    @property
    def prefilled(self) -> int:
        """How much of the prompt is in the cache."""
        return min(len(self._lane.held[self.sequence]), len(self.asked.tokens))

    @property
    def prefilling(self) -> bool:
        """Whether some of the prompt is still to be read."""
        return not self._chosen

    @property
    def seconds(self) -> float:
        """Since it has a lane."""
        return time.perf_counter() - self._started

    def due(self, room: int) -> Due:
        """What to decode next: the last token chosen, or at most `room` tokens of the prompt."""
        if self._chosen:
            return Due(self.sequence, self._chosen[-1:], True)
        start, tokens = self.prefilled, self.asked.tokens
        end = min(start + room, min((m for m in list(self.asked.marks) if m > start), default=len(tokens)))
        return Due(self.sequence, tokens[start:end], end >= len(tokens))

    def took(self, row: int) -> Finished | None:
        """What was due is decoded: choose the next token from the logits in `row`; the figures when that was the last.

        Raises MalformedOutput, EngineError.
        """
        if self.prefilling:
            if self.prefilled < len(self.asked.tokens):
                return None
            self._prefilled = time.perf_counter()
        token = self._sampler.next(self._lane, row, remaining=self.asked.budget - len(self._chosen))
        self._chosen.append(token)
        # A control token that ends nothing begins a turn that is not the model's to speak; it is never shown.
        if self._silent(token):
            return self.end("stop")
        self._show(self._text.feed(self._lane.weights.piece(token)))
        if self._text.stopped:
            return self.end("stop")
        if len(self._chosen) >= self.asked.budget:
            return self.end("length")
        free = self.asked.request.output_schema is None
        if free and len(self._chosen) % _WATCHED_EVERY == 0 and repeats(self._chosen):
            return self.end("repetition")
        return None

    def end(self, reason: Reason) -> Finished:
        """The figures, now; what was held back is shown."""
        if not self._text.stopped:
            self._unseen += self._text.close()
        if self._unseen:
            self._say()
        finished = time.perf_counter()
        prefilled = self._prefilled if self._chosen else finished
        return Finished(
            id=self.asked.request.id,
            reason=reason,
            lane=self._number,
            shared=self.shared,
            prompt_tokens=len(self.asked.tokens),
            cached_tokens=self._cached,
            completion_tokens=len(self._chosen),
            tokens=tuple(self._chosen),
            tokens_sha256=hashlib.sha256(b"".join(t.to_bytes(4, "little") for t in self._chosen)).hexdigest(),
            queued_s=self._started - self.asked.since,
            prefill_s=prefilled - self._started,
            decode_s=finished - prefilled,
        )

    def _show(self, text: str) -> None:
        """Text that comes fast is shown in a few words at a time: each message costs time that the model needs."""
        self._unseen += text
        now = time.perf_counter()
        if self._unseen and now - self._shown_at >= _SHOWN_EVERY_S:
            self._say()
            self._shown_at = now

    def _say(self) -> None:
        self._emit(self._unseen)
        self._said += self._unseen
        self._unseen = ""

    @property
    def said(self) -> tuple[str, list[int]] | None:
        """The text so far and its tokens; nothing where a stop string or the budget cut the text but not the tokens."""
        weights = self._lane.weights
        ended = self._chosen and self._silent(self._chosen[-1])
        tokens = self._chosen[:-1] if ended else list(self._chosen)
        if any(map(self._silent, tokens)):
            return None
        whole = b"".join(weights.piece(token) for token in tokens) == self._said.encode()
        return (self._said, tokens) if whole and tokens else None

    def _silent(self, token: int) -> bool:
        return self._lane.weights.ends_generation(token) or not self._lane.weights.piece(token)

    def close(self) -> None:
        """Free the native samplers."""
        self._sampler.close()
