"""One generation in one lane: reuse what the lane holds, prefill the rest, decode until done.

Emits whole characters only. Knows nothing of processes or queues.
"""

import codecs
import time
from collections.abc import Callable, Iterator
from typing import Literal

from models.errors import ContextOverflow, GenerationStopped
from models.llama import Lane
from models.protocol import Finished, Generate
from models.sampler import Sampler

Reason = Literal["stop", "length", "stopped"]


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


def _common_prefix(a: list[int], b: list[int]) -> int:
    n = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        n += 1
    return n


class Generation:
    """A request while it runs. `threads` tells how many compute threads to use at each step."""

    def __init__(
        self,
        request: Generate,
        lane: Lane,
        lane_number: int,
        threads: Callable[[], int],
        stopped: Callable[[], bool],
        emit: Callable[[str], None],
    ) -> None:
        self._request, self._lane, self._lane_number = request, lane, lane_number
        self._threads, self._stopped, self._emit = threads, stopped, emit

    def run(self, *, reuse: bool, queued_s: float) -> Finished:
        """Generate to the end. `reuse` says that the lane's cache belongs to the same conversation.

        Raises ContextOverflow, MalformedOutput, EngineError.
        """
        tokens, budget = self._fit()
        # The last prompt token is always decoded again: its logits choose the first new token.
        cached = min(_common_prefix(self._lane.tokens, tokens), len(tokens) - 1) if reuse else 0
        started = time.perf_counter()
        prefilled = started
        produced: int = 0
        reason: Reason = "stopped"
        sampler = Sampler(self._lane.weights, self._request.sampling, self._request.output_schema)
        try:
            self._prefill(tokens, cached)
            prefilled = time.perf_counter()
            for step in self._decode(sampler, budget):
                produced, reason = step
        except GenerationStopped:
            reason = "stopped"
        finally:
            sampler.close()
        return Finished(
            id=self._request.id,
            reason=reason,
            lane=self._lane_number,
            prompt_tokens=len(tokens),
            cached_tokens=cached,
            completion_tokens=produced,
            queued_s=queued_s,
            prefill_s=prefilled - started,
            decode_s=time.perf_counter() - prefilled,
        )

    def _fit(self) -> tuple[list[int], int]:
        tokens = self._lane.weights.tokenize(self._request.prompt)
        room = self._lane.context_length - len(tokens)
        if room < min(self._request.sampling.max_tokens, 64):
            raise ContextOverflow(
                f"The prompt has {len(tokens)} tokens and the model's context holds {self._lane.context_length}; "
                "shorten the case or set engine.context_length higher."
            )
        return tokens, min(room, self._request.sampling.max_tokens)

    def _prefill(self, tokens: list[int], cached: int) -> None:
        self._lane.keep(cached)
        for start in range(cached, len(tokens), self._lane.slice_length):
            self._step(tokens[start : start + self._lane.slice_length])

    def _step(self, tokens: list[int]) -> None:
        if self._stopped():
            raise GenerationStopped("The generation was stopped.")
        self._lane.use_threads(self._threads())
        self._lane.decode(tokens)

    def _decode(self, sampler: Sampler, budget: int) -> Iterator[tuple[int, Reason]]:
        text = TextStream(self._request.sampling.stop)
        for produced in range(1, budget + 1):
            token = sampler.next(self._lane, remaining=budget - produced + 1)
            if self._lane.weights.ends_generation(token):
                self._show(text.close())
                yield produced, "stop"
                return
            self._show(text.feed(self._lane.weights.piece(token)))
            if text.stopped:
                yield produced, "stop"
                return
            if produced < budget:
                self._step([token])
            yield produced, "stopped"
        self._show(text.close())
        yield budget, "length"

    def _show(self, text: str) -> None:
        if text:
            self._emit(text)
