"""Who is computed when and where: users take turns, texts go to lanes, and lanes compute them together.

A `Crew` is a thread with one lane. While it has one text, that text is computed alone and can be computed again to
the last bit; with more, each step decodes one token of every text that speaks and a slice of one that is being read.
Knows nothing of pipes and processes.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import partial

from models.errors import ContextOverflow, EngineError, MalformedOutput, MalformedWeights, ModelError
from models.generation import Asked, Generation
from models.llama import Due, Lane, LaneInterrupted, Weights
from models.prefixes import Prefixes, common_prefix
from models.protocol import EngineSettings, Event, Failed, Generate, Piece

_CONVERSATIONS = 256  # whose answers' tokens are remembered
_WORTH_SAVING = 16  # tokens; fewer are prefilled sooner than copied
_WORTH_WAITING = 64  # tokens that somebody else is reading already
_REPORTED = (ContextOverflow, MalformedOutput, MalformedWeights)

Send = Callable[[Event], None]


def failure(id: int, error: Exception) -> Failed:
    """The error as the parent will raise it."""
    kind = next((k.__name__ for k in _REPORTED if isinstance(error, k)), "EngineError")
    return Failed.model_validate({"id": id, "error": kind, "message": str(error)})


class TurnQueue:
    """Those who wait: users take turns, each user's requests in the order in which they came."""

    def __init__(self) -> None:
        self._users: OrderedDict[str, deque[Asked]] = OrderedDict()

    def put(self, asked: Asked) -> None:
        """At the end of the user's own requests."""
        self._users.setdefault(asked.request.user, deque()).append(asked)

    def next(self) -> Asked | None:
        """Whose turn it is; that user's next turn comes after everyone else's."""
        if not self._users:
            return None
        user, waiting = self._users.popitem(last=False)
        asked = waiting.popleft()
        if waiting:
            self._users[user] = waiting
        return asked

    def remove(self, id: int) -> bool:
        """Forget a request; whether it was here."""
        for user, waiting in self._users.items():
            for asked in waiting:
                if asked.request.id == id:
                    waiting.remove(asked)
                    if not waiting:
                        del self._users[user]
                    return True
        return False


class Seat:
    """One sequence of a lane: it works for one conversation, and holds what belongs to the `owner`, perhaps another.

    Either is empty where that is nobody, or somebody who was forgotten. They change under the scheduler's lock.
    The first `alone` tokens that it holds were computed without other texts in their batches.
    """

    def __init__(self, crew: "Crew", sequence: int) -> None:
        self.crew, self.sequence = crew, sequence
        self.conversation = self.owner = ""
        self.used = 0.0
        self.serves: int | None = None
        self.alone = 0

    @property
    def taken(self) -> bool:
        """Whether it serves a request."""
        return self.serves is not None

    @property
    def has_neighbour(self) -> bool:
        """Whether the sequence before or after it serves a request."""
        return any(seat.taken and abs(seat.sequence - self.sequence) == 1 for seat in self.crew.seats)

    @property
    def held(self) -> list[int]:
        """The tokens in its cache; while it is taken only read by its lane's thread."""
        return self.crew.lane.held[self.sequence]

    @property
    def shared(self) -> bool:
        """Whether something that it holds was computed in a batch with other texts."""
        return len(self.held) > self.alone

    def useful(self, asked: Asked) -> int:
        """How many of the request's tokens it may serve from its own cache."""
        mine = bool(self.owner) and self.owner == asked.request.conversation
        return common_prefix(self.held, asked.tokens) if mine else 0


class Crew:
    """A thread and its lane: admits what the scheduler seats, and computes until nothing is left."""

    def __init__(self, number: int, scheduler: "Scheduler", weights: Weights, settings: EngineSettings) -> None:
        self._scheduler, self._settings = scheduler, settings
        self._number = number
        self._interrupted = False
        self._arriving: deque[tuple[Seat, Asked]] = deque()
        self._running: list[tuple[Seat, Generation]] = []
        self._stopping: set[int] = set()
        self._wiping: set[Seat] = set()
        self.lane = Lane(weights, settings, scheduler.sequences, lambda: self._interrupted)
        self.seats = [Seat(self, sequence) for sequence in range(scheduler.sequences)]

    @property
    def load(self) -> int:
        """How many texts it has that are not about to end."""
        return sum(seat.taken and seat.serves not in self._stopping for seat in self.seats)

    def seat(self, seat: Seat, asked: Asked) -> None:
        """Hand it a request. The scheduler's lock is held."""
        seat.serves, seat.conversation = asked.request.id, asked.request.conversation
        self._arriving.append((seat, asked))

    def stop(self, id: int) -> None:
        """End a request at once, whatever it is doing; nothing where it is not here. The scheduler's lock is held."""
        if any(seat.serves == id for seat in self.seats):
            self._stopping.add(id)
            self._interrupted = True

    def reading(self) -> list[tuple[Asked, int]]:
        """Those that still read their prompts, and how far they are."""
        arriving = [(asked, 0) for _, asked in list(self._arriving)]
        return arriving + [(g.asked, g.prefilled) for _, g in list(self._running) if g.prefilling]

    def wipe(self, seat: Seat) -> None:
        """Let a free seat hold nothing any more. The scheduler's lock is held."""
        self._wiping.add(seat)

    def work(self) -> None:
        """The thread's life, until the scheduler closes."""
        while self._wait():
            try:
                self._turn()
            except Exception as error:  # otherwise its seats would stay taken, and who sits there wait for ever
                self._fail(error)
        for _, generation in self._running:
            generation.close()
        self.lane.close()

    def _wait(self) -> bool:
        """Until there is something to do; False when the scheduler closes."""
        with self._scheduler.changed:
            self._scheduler.changed.wait_for(self._wanted)
            return not self._scheduler.closing

    def _wanted(self) -> bool:
        waits = self._arriving or self._running or self._stopping or self._wiping
        return bool(waits or self._scheduler.closing)

    def _turn(self) -> None:
        self._wipe()
        for seat, asked in list(self._arriving):
            self._guarded(asked, seat, partial(self._admit, seat, asked))
            self._arriving.popleft()
        self._end_stopped()
        if self._running:
            self._step()

    def _wipe(self) -> None:
        with self._scheduler.changed:
            for seat in self._wiping:
                if not seat.taken:  # whoever sits there by now wipes what is not its own
                    self.lane.keep(seat.sequence, 0)
            self._wiping.clear()

    def _fail(self, error: Exception) -> None:
        """Something went wrong that concerns no single text: end them all."""
        with self._scheduler.changed:
            self._arriving.clear()
            seated = [(seat, seat.serves) for seat in self.seats]
        reason = EngineError(f"The engine failed in the middle of its work ({error}); ask the case again.")
        for seat, id in seated:
            if id is not None:
                self._drop(seat, id, failure(id, reason))

    def interrupt(self) -> None:
        """Leave the decode that is under way."""
        self._interrupted = True

    def _guarded(self, asked: Asked, seat: Seat, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:
            self._drop(seat, asked.request.id, failure(asked.request.id, error))

    def _admit(self, seat: Seat, asked: Asked) -> None:
        self._prepare(seat, asked)
        emit = partial(self._emit, asked.request.id)
        generation = Generation(asked, self.lane, self._number, seat.sequence, seat.shared, emit)
        # Borders of slices also where they are saved already: the same tokens either way.
        asked.marks.update(place for place in (asked.static, asked.public) if place >= _WORTH_SAVING)
        self._running.append((seat, generation))

    def _emit(self, id: int, text: str) -> None:
        self._scheduler.send(Piece(id=id, text=text))

    def _prepare(self, seat: Seat, asked: Asked) -> None:
        """Leave in the seat what the request can use: its own conversation's, or a saved state, or nothing.

        An exact engine goes on only from where every run of the case comes by, so that what is read at once does not
        depend on what was asked before.
        """
        useful = min(seat.useful(asked), len(asked.tokens) - 1)
        places = {asked.static, asked.public} if self._settings.exact else None
        if places and useful < max(places) + _WORTH_SAVING:
            useful = 0
        saved = self._scheduler.prefixes.longest(asked.request.conversation, asked.tokens, asked.static, places)
        better = min(common_prefix(saved.tokens, asked.tokens), len(asked.tokens) - 1) if saved else 0
        if seat.owner and (not useful or seat.owner != asked.request.conversation):
            self._put_by(seat)
        if saved and better >= useful + _WORTH_SAVING and self.lane.restore(seat.sequence, saved.tokens, saved.state):
            useful = better
            seat.alone = 0 if saved.shared else better
        if seat.alone < useful < _WORTH_SAVING:  # not worth that the text be called shared
            useful = 0
        # The last prompt token is always decoded again: its logits choose the first new token.
        seat.alone = min(seat.alone, self.lane.keep(seat.sequence, useful))
        self._scheduler.belongs(seat)

    def _put_by(self, seat: Seat) -> None:
        """Another conversation needs the seat: keep what this one will want again."""
        owner, held = seat.owner, seat.held
        if owner and len(held) >= _WORTH_SAVING and self._can_save(seat):
            self._scheduler.put(seat, owner, held, self.lane.save(seat.sequence))

    def _can_save(self, seat: Seat) -> bool:
        """Asked first: a state is copied twice before it can be refused."""
        return self._scheduler.prefixes.has_room(self.lane.size(seat.sequence))

    def _step(self) -> None:
        step = self._due()
        self.lane.use_threads(self._scheduler.share())
        try:
            rows = self.lane.decode([due for _, _, due in step])
        except LaneInterrupted:
            return
        except EngineError as error:
            for seat, generation, _ in step:
                self._drop(seat, generation.asked.request.id, failure(generation.asked.request.id, error))
            return
        for (seat, generation, _), row in zip(step, rows, strict=True):
            generation.shared = generation.shared or len(step) > 1
            if not generation.shared:
                seat.alone = len(seat.held)
            self._save_marked(seat, generation)
            self._guarded(generation.asked, seat, partial(self._took, seat, generation, row))

    def _due(self) -> list[tuple[Seat, Generation, Due]]:
        """One token of everyone who speaks, and slices of those who read while there is room."""
        speaking = [(s, g, g.due(1)) for s, g in self._running if not g.prefilling]
        whole = self._settings.prefill_slice
        room = min(self._settings.shared_slice, whole) if speaking else whole
        reading: list[tuple[Seat, Generation, Due]] = []
        for seat, generation in self._running:
            if generation.prefilling and room > 0:
                due = generation.due(room)
                room -= len(due.tokens)
                reading.append((seat, generation, due))
        return speaking + reading

    def _took(self, seat: Seat, generation: Generation, row: int) -> None:
        finished = generation.took(row)
        if finished is None and generation.seconds > self._settings.time_limit_s:
            finished = generation.end("time")
        if finished is not None:
            self._drop(seat, generation.asked.request.id, finished)

    def _save_marked(self, seat: Seat, generation: Generation) -> None:
        asked, held = generation.asked, self.lane.held[generation.sequence]
        # A place that was marked while a slice was under way may lie behind; what is held still begins with it.
        reached = [mark for mark in list(asked.marks) if mark <= len(held)]
        if not reached:
            return
        asked.marks.difference_update(reached)
        if self._can_save(seat):
            self._save(seat, asked, held)
        self._scheduler.passed(generation)

    def _save(self, seat: Seat, asked: Asked, held: list[int]) -> None:
        if len(held) <= asked.public:
            if not self._scheduler.prefixes.holds(held):
                lasting = len(held) <= asked.static
                state = self.lane.save(seat.sequence)
                self._scheduler.prefixes.put("", held, state, lasting=lasting, shared=seat.shared)
        elif seat.conversation:
            self._scheduler.put(seat, asked.request.conversation, held, self.lane.save(seat.sequence))

    def _end_stopped(self) -> None:
        with self._scheduler.changed:
            stopped = [pair for pair in self._running if pair[1].asked.request.id in self._stopping]
            # Who came while others were admitted is stopped as soon as it is admitted itself.
            self._stopping &= {asked.request.id for _, asked in self._arriving}
            self._interrupted = False
        for seat, generation in stopped:
            self._drop(seat, generation.asked.request.id, generation.end("stopped"))

    def _drop(self, seat: Seat, id: int, last: Event) -> None:
        """The request has ended, in whatever way: free its seat, then tell."""
        for pair in [pair for pair in self._running if pair[1].asked.request.id == id]:
            self._running.remove(pair)
            generation = pair[1]
            if (said := generation.said) and not isinstance(last, Failed):
                self._scheduler.remember(seat, *said)
            generation.close()
        if isinstance(last, Failed):
            self.lane.keep(seat.sequence, 0)
        self._scheduler.left(seat, id)
        self._scheduler.send(last)


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
        if useful[best] >= asked.public + _WORTH_SAVING or (useful[best] and not best.crew.load):
            return best
        return min(free, key=lambda seat: (seat.crew.load, not seat.has_neighbour, bool(seat.held), seat.used))
