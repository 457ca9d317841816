"""A consultation on the board again: at its pace or faster, event by event, from wherever one likes.

Knows nothing of Gradio. The board shows at every moment what it showed then.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence

from agents.messages import Alignment
from agents.retold import Shown, told
from transcripts.event import Event
from ui.board import Board


class Playback:
    """One reader's place in a consultation; `board` makes an empty one."""

    def __init__(self, events: Sequence[Event], board: Callable[[], Board]) -> None:
        self.events = events
        self._shown: list[Shown] = told(events)
        self._empty = board
        self.board = board()
        self._at = 0
        self._playing = 0

    @property
    def event(self) -> Event | None:
        """The event that was shown last."""
        return self.events[self._shown[self._at - 1].seq] if self._at else None

    @property
    def ended(self) -> bool:
        """Whether everything was shown."""
        return self._at >= len(self._shown)

    def pause(self) -> None:
        """Whatever is playing stops where it is."""
        self._playing += 1

    def step(self) -> None:
        """On to the end of the next event."""
        self.pause()
        if not self.ended:
            seq = self._shown[self._at].seq
            while not self.ended and self._shown[self._at].seq == seq:
                self._next()

    def jump(self, seq: int) -> None:
        """To the moment when event `seq` had been shown, forwards or backwards."""
        self.pause()
        reached = max((at for at, shown in enumerate(self._shown, start=1) if shown.seq == seq), default=self._at)
        if reached < self._at:
            # What was drawn is still there, so that only what is otherwise is drawn again.
            former, self.board = self.board, self._empty()
            self.board.drawn_as(former)
            self._at = 0
        while self._at < reached:
            self._next()

    async def play(self, speed: float, redraw_s: float) -> AsyncGenerator[None, None]:
        """Go on to the end, `speed` times as fast as it was (0: without waiting); yields whenever to draw again."""
        if self.ended:
            self.jump(self._shown[0].seq if self._shown else 0)
        self.pause()
        mine, drawn = self._playing, 0.0
        began, first = time.monotonic(), self._offset
        while not self.ended:
            due = began + (self._offset - first) / speed if speed else 0.0
            now = time.monotonic()
            if due > now or now - drawn >= redraw_s:
                yield
                drawn = now
                # Also with nothing to wait for: others have their turn, and may pause this.
                await asyncio.sleep(max(0.0, due - now))
            if self._playing != mine:
                return
            if isinstance(self._shown[self._at].progress, Alignment):
                await asyncio.to_thread(self._next)  # it opens documents, which may lie on a server
            else:
                self._next()
        yield

    @property
    def _offset(self) -> float:
        return self._shown[self._at].offset

    def _next(self) -> None:
        progress = self._shown[self._at].progress
        self._at += 1
        if progress is not None:
            self.board.take(progress)
