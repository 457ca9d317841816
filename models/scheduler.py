"""Who is computed when and where: users take turns, texts go to lanes, and lanes compute them together.

Knows nothing of how a lane computes, nor of pipes and processes.
"""

import threading
import time
from collections import OrderedDict

from models.crew import WORTH_SAVING, Crew, Seat, Send, failure
from models.errors import ModelError
from models.generation import Asked, Generation
from models.llama import Weights
from models.prefixes import Prefixes, common_prefix
from models.protocol import EngineSettings, Generate
from models.turns import TurnQueue

_CONVERSATIONS = 256  # whose answers' tokens are remembered
_WORTH_WAITING = 64  # tokens that somebody else is reading already


class Scheduler:
    """Seats requests in lanes, a conversation where its cache is, others where least is going on."""

    def __init__(
        self, weights: Weights, settings: EngineSettings, lanes: int, threads: int, prefixes: Prefixes, send: Send
    ) -> None:
        self.changed = threading.Condition()
        self.closing = False
        self.prefixes, self.send = prefixes, send
        self._exact = settings.exact
        self._steady = settings.exact and settings.attention != "off"
        self.sequences = 1 if settings.exact else -(-max(settings.sequences, lanes) // lanes)
        self._weights, self._threads = weights, threads
        self._queue = TurnQueue()
        self._following: dict[int, list[Asked]] = {}
        self._said: OrderedDict[str, dict[str, list[int]]] = OrderedDict()
        self._crews = [Crew(number, self, weights, settings) for number in range(lanes)]
        self.context_length = self._crews[0].lane.context_length

    @property
    def seats(self) -> tuple[Seat, ...]:
        """All of them, lane by lane."""
        return tuple(seat for crew in self._crews for seat in crew.seats)

    def start(self) -> None:
        """Set the crews to work."""
        self._threads_at_work = [threading.Thread(target=crew.work, daemon=True) for crew in self._crews]
        for thread in self._threads_at_work:
            thread.start()

    def close(self) -> None:
        """Abandon everything and give the contexts' memory back."""
        with self.changed:
            self.closing = True
            for crew in self._crews:
                crew.interrupt()
            self.changed.notify_all()
        for thread in self._threads_at_work:
            thread.join()

    def submit(self, request: Generate) -> None:
        """Queue a request, or report why it cannot be done."""
        try:
            said = self._said.get(request.conversation, {})
            asked = Asked.of(request, self._weights, self.context_length, said)
        except ModelError as error:
            self.send(failure(request.id, error))
            return
        with self.changed:
            if not self._follow(asked):
                self._queue.put(asked)
            self._place()

    def stop(self, id: int) -> None:
        """Stop a request; one that waits is forgotten without an answer."""
        with self.changed:
            for following in self._following.values():
                following[:] = [asked for asked in following if asked.request.id != id]
            if not self._queue.remove(id):
                for crew in self._crews:
                    crew.stop(id)
                self.changed.notify_all()

    def forget(self, conversation: str) -> None:
        """Wipe what is kept of a conversation, in seats and among the saved states; what is being computed for it is
        not kept either."""
        with self.changed:
            self._said.pop(conversation, None)
            for seat in self.seats:
                if seat.conversation == conversation:
                    seat.conversation = ""
                if seat.owner == conversation:
                    seat.owner = ""
                    seat.crew.wipe(seat)
            self.prefixes.forget(conversation)
            self.changed.notify_all()

    def belongs(self, seat: Seat) -> None:
        """What the seat holds from now on is of the conversation for which it works."""
        with self.changed:
            seat.owner = seat.conversation

    def put(self, seat: Seat, owner: str, tokens: list[int], state: bytes) -> None:
        """Save what a seat holds of a conversation, unless that was forgotten meanwhile."""
        with self.changed:
            if owner in (seat.owner, seat.conversation):
                self.prefixes.put(owner, tokens, state, shared=seat.shared)

    def remember(self, seat: Seat, text: str, tokens: list[int]) -> None:
        """Which tokens an answer was made of: when the conversation goes on, its cache fits only those."""
        with self.changed:
            if seat.conversation:
                self._said.setdefault(seat.conversation, {})[text] = tokens
                self._said.move_to_end(seat.conversation)
                while len(self._said) > _CONVERSATIONS:
                    self._said.popitem(last=False)

    def share(self) -> int:
        """Compute threads for each crew now: the cores divided by the crews at work.

        By all crews where the last bits depend on it and must not change.
        """
        crews = len(self._crews) if self._steady else sum(crew.load > 0 for crew in self._crews)
        return max(1, self._threads // max(1, crews))

    def left(self, seat: Seat, id: int) -> None:
        """A request has ended and its seat is free."""
        with self.changed:
            seat.serves, seat.conversation, seat.used = None, "", time.perf_counter()
            if not seat.owner:
                seat.crew.wipe(seat)
            for asked in self._following.pop(id, ()):
                self._queue.put(asked)
            self._place()

    def passed(self, generation: Generation) -> None:
        """A marked place was reached and saved: those who waited for it go on from there."""
        with self.changed:
            following = self._following.pop(generation.asked.request.id, [])
            still = [a for a in following if self._shareable(generation.asked, a) > generation.prefilled]
            if still:
                self._following[generation.asked.request.id] = still
            for asked in following:
                if asked not in still:
                    self._queue.put(asked)
            self._place()

    @staticmethod
    def _shareable(one: Asked, other: Asked) -> int:
        """How many tokens two requests may share: all that are alike within a conversation, else public ones."""
        alike = common_prefix(one.tokens, other.tokens)
        same = bool(one.request.conversation) and one.request.conversation == other.request.conversation
        return min(alike, len(other.tokens) - 1) if same else min(alike, one.public, other.public)

    def _follow(self, asked: Asked) -> bool:
        """Whether somebody is reading the same beginning just now; then this one waits for that place."""
        for reader, prefilled in (pair for crew in self._crews for pair in crew.reading()):
            shareable = self._shareable(reader, asked)
            if self._exact and shareable not in (reader.static, reader.public):
                continue
            if shareable - prefilled >= _WORTH_WAITING:
                reader.marks.add(shareable)
                self._following.setdefault(reader.request.id, []).append(asked)
                return True
        return False

    def _place(self) -> None:
        while any(not seat.taken for seat in self.seats) and (asked := self._queue.next()):
            seat = self._seat_for(asked)
            seat.crew.seat(seat, asked)
        self.changed.notify_all()

    def _seat_for(self, asked: Asked) -> Seat:
        """The free seat that holds most of the conversation, else one in the least busy lane, beside one that is taken
        (neighbours are computed together), and of those the longest unused."""
        free = [seat for seat in self.seats if not seat.taken]
        useful = {seat: seat.useful(asked) for seat in free}
        best = max(free, key=lambda seat: useful[seat])
        if useful[best] >= asked.public + WORTH_SAVING or (useful[best] and not best.crew.load):
            return best
        return min(free, key=lambda seat: (seat.crew.load, not seat.has_neighbour, bool(seat.held), seat.used))
