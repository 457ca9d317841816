"""The waiting room: a few cases are argued at once, the others wait in the order they came and are told how long.

Knows nothing of pages, nor of what is done with a turn.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from math import ceil
from statistics import median
from types import TracebackType
from typing import NamedTuple, Self

from autogen_core import CancellationToken

from ui.errors import RoomFull

_USUAL_S = 120.0  # until one has been argued
_REMEMBERED = 20


class Wait(NamedTuple):
    """Cases that are argued or wait before one's own, none where it may begin, and the seconds that this will take."""

    cases: int
    seconds: float


class Turn:
    """A place in the line, kept as long as its block runs. Belongs to the event loop in which it waits."""

    def __init__(self, room: "WaitingRoom") -> None:
        self._room = room
        self._moved = asyncio.Event()
        self._began: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._room.leave(self, None if self._began is None else time.monotonic() - self._began)

    def move(self) -> None:
        """Somebody before it has left."""
        self._moved.set()

    async def wait(self, token: CancellationToken) -> AsyncIterator[Wait]:
        """What there is to wait for, each time that it may have changed, until there is nothing.

        Raises CancelledError where `token` is cancelled.
        """
        while (before := self._room.before(self)).cases:
            yield before
            await token.link_future(asyncio.ensure_future(self._moved.wait()))
            self._moved.clear()
        self._began = time.monotonic()
        yield before


class WaitingRoom:
    """A line whose first `at_once` have their turn; no more than `places` may wait behind them."""

    def __init__(self, at_once: int, places: int) -> None:
        self._at_once = at_once
        self._places = places
        self._line: list[Turn] = []
        self._taken_s: deque[float] = deque(maxlen=_REMEMBERED)

    def line_up(self) -> Turn:
        """The last place in the line. Raises RoomFull where there is none."""
        waiting = len(self._line) - self._at_once
        if waiting >= self._places:
            raise RoomFull(waiting, self._seconds(1))
        turn = Turn(self)
        self._line.append(turn)
        return turn

    def before(self, turn: Turn) -> Wait:
        """What `turn` waits for."""
        ahead = self._line.index(turn)
        return Wait(ahead, self._seconds(ahead - self._at_once + 1)) if ahead >= self._at_once else Wait(0, 0.0)

    def leave(self, turn: Turn, taken_s: float | None) -> None:
        """Give the place back; `taken_s` is how many seconds the turn took, if it came."""
        self._line.remove(turn)
        if taken_s is not None:
            self._taken_s.append(taken_s)
        for waiting in self._line:
            waiting.move()

    def _seconds(self, to_leave: int) -> float:
        """Until so many have left."""
        return ceil(to_leave / self._at_once) * (median(self._taken_s) if self._taken_s else _USUAL_S)
