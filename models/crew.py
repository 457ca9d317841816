"""A thread with one lane, and the seats in it.

While a crew has one text, that text is computed alone and can be computed again to the last bit; with more, each step
decodes one token of every text that speaks and a slice of one that is being read. Knows nothing of other lanes, nor of
who waits.
"""

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from models.errors import ContextOverflow, EngineError, MalformedOutput, MalformedWeights
from models.generation import Asked, Generation
from models.llama import Due, Lane, LaneInterrupted, Weights
from models.prefixes import Prefixes, common_prefix
from models.protocol import EngineSettings, Event, Failed, Piece

WORTH_SAVING = 16  # tokens; fewer are prefilled sooner than copied
_REPORTED = (ContextOverflow, MalformedOutput, MalformedWeights)

Send = Callable[[Event], None]


def failure(id: int, error: Exception) -> Failed:
    """The error as the parent will raise it."""
    kind = next((k.__name__ for k in _REPORTED if isinstance(error, k)), "EngineError")
    return Failed.model_validate({"id": id, "error": kind, "message": str(error)})


class Planner(Protocol):
    """Who seats requests, and is told what became of them."""

    changed: threading.Condition
    closing: bool
    prefixes: Prefixes
    send: Send
    sequences: int

    def share(self) -> int:
        """Compute threads for each crew now."""

    def belongs(self, seat: "Seat") -> None:
        """What the seat holds from now on is of the conversation for which it works."""

    def put(self, seat: "Seat", owner: str, tokens: list[int], state: bytes) -> None:
        """Save what a seat holds of a conversation, unless that was forgotten meanwhile."""

    def remember(self, seat: "Seat", text: str, tokens: list[int]) -> None:
        """Which tokens an answer was made of."""

    def passed(self, generation: Generation) -> None:
        """A marked place was reached and saved."""

    def left(self, seat: "Seat", id: int) -> None:
        """A request has ended and its seat is free."""


class Seat:
    """One sequence of a lane: it works for one conversation, and holds what belongs to the `owner`, perhaps another.

    Either is empty where that is nobody, or somebody who was forgotten. They change under the planner's lock.
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
    """A thread and its lane: admits what the planner seats, and computes until nothing is left."""

    def __init__(self, number: int, planner: Planner, weights: Weights, settings: EngineSettings) -> None:
        self._planner, self._settings = planner, settings
        self._number = number
        self._arriving: deque[tuple[Seat, Asked]] = deque()
        self._running: list[tuple[Seat, Generation]] = []
        self._stopping: set[int] = set()
        self._wiping: set[Seat] = set()
        self.lane = Lane(weights, settings, planner.sequences)
        self.seats = [Seat(self, sequence) for sequence in range(planner.sequences)]

    @property
    def load(self) -> int:
        """How many texts it has that are not about to end."""
        return sum(seat.taken and seat.serves not in self._stopping for seat in self.seats)

    def seat(self, seat: Seat, asked: Asked) -> None:
        """Hand it a request. The planner's lock is held."""
        seat.serves, seat.conversation = asked.request.id, asked.request.conversation
        self._arriving.append((seat, asked))

    def stop(self, id: int) -> None:
        """End a request at once, whatever it is doing; nothing where it is not here. The planner's lock is held."""
        if any(seat.serves == id for seat in self.seats):
            self._stopping.add(id)
            self.lane.interrupt()

    def reading(self) -> list[tuple[Asked, int]]:
        """Those that still read their prompts, and how far they are."""
        arriving = [(asked, 0) for _, asked in list(self._arriving)]
        return arriving + [(g.asked, g.prefilled) for _, g in list(self._running) if g.prefilling]

    def wipe(self, seat: Seat) -> None:
        """Let a free seat hold nothing any more. The planner's lock is held."""
        self._wiping.add(seat)

    def work(self) -> None:
        """The thread's life, until the planner closes."""
        while self._wait():
            try:
                self._turn()
            except Exception as error:  # otherwise its seats would stay taken, and who sits there wait for ever
                self._fail(error)
        for _, generation in self._running:
            generation.close()
        self.lane.close()

    def _wait(self) -> bool:
        """Until there is something to do; False when the planner closes."""
        with self._planner.changed:
            self._planner.changed.wait_for(self._wanted)
            return not self._planner.closing

    def _wanted(self) -> bool:
        waits = self._arriving or self._running or self._stopping or self._wiping
        return bool(waits or self._planner.closing)

    def _turn(self) -> None:
        self._wipe()
        for seat, asked in list(self._arriving):
            self._guarded(asked, seat, partial(self._admit, seat, asked))
            self._arriving.popleft()
        self._end_stopped()
        if self._running:
            self._step()

    def _wipe(self) -> None:
        with self._planner.changed:
            for seat in self._wiping:
                if not seat.taken:  # whoever sits there by now wipes what is not its own
                    self.lane.keep(seat.sequence, 0)
            self._wiping.clear()

    def _fail(self, error: Exception) -> None:
        """Something went wrong that concerns no single text: end them all."""
        with self._planner.changed:
            self._arriving.clear()
            seated = [(seat, seat.serves) for seat in self.seats]
        reason = EngineError(f"The engine failed in the middle of its work ({error}); ask the case again.")
        for seat, id in seated:
            if id is not None:
                self._drop(seat, id, failure(id, reason))

    def interrupt(self) -> None:
        """Leave the decode that is under way."""
        self.lane.interrupt()

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
        asked.marks.update(place for place in (asked.static, asked.public) if place >= WORTH_SAVING)
        self._running.append((seat, generation))

    def _emit(self, id: int, text: str) -> None:
        self._planner.send(Piece(id=id, text=text))

    def _prepare(self, seat: Seat, asked: Asked) -> None:
        """Leave in the seat what the request can use: its own conversation's, or a saved state, or nothing.

        An exact engine goes on only from where every run of the case comes by, so that what is read at once does not
        depend on what was asked before.
        """
        useful = min(seat.useful(asked), len(asked.tokens) - 1)
        places = {asked.static, asked.public} if self._settings.exact else None
        if places and useful < max(places) + WORTH_SAVING:
            useful = 0
        saved = self._planner.prefixes.longest(asked.request.conversation, asked.tokens, asked.static, places)
        better = min(common_prefix(saved.tokens, asked.tokens), len(asked.tokens) - 1) if saved else 0
        if seat.owner and (not useful or seat.owner != asked.request.conversation):
            self._put_by(seat)
        if saved and better >= useful + WORTH_SAVING and self.lane.restore(seat.sequence, saved.tokens, saved.state):
            useful = better
            seat.alone = 0 if saved.shared else better
        if seat.alone < useful < WORTH_SAVING:  # not worth that the text be called shared
            useful = 0
        # The last prompt token is always decoded again: its logits choose the first new token.
        seat.alone = min(seat.alone, self.lane.keep(seat.sequence, useful))
        self._planner.belongs(seat)

    def _put_by(self, seat: Seat) -> None:
        """Another conversation needs the seat: keep what this one will want again."""
        owner, held = seat.owner, seat.held
        if owner and len(held) >= WORTH_SAVING and self._can_save(seat):
            self._planner.put(seat, owner, held, self.lane.save(seat.sequence))

    def _can_save(self, seat: Seat) -> bool:
        """Asked first: a state is copied twice before it can be refused."""
        return self._planner.prefixes.has_room(self.lane.size(seat.sequence))

    def _step(self) -> None:
        step = self._due()
        self.lane.use_threads(self._planner.share())
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
        self._planner.passed(generation)

    def _save(self, seat: Seat, asked: Asked, held: list[int]) -> None:
        if len(held) <= asked.public:
            if not self._planner.prefixes.holds(held):
                lasting = len(held) <= asked.static
                state = self.lane.save(seat.sequence)
                self._planner.prefixes.put("", held, state, lasting=lasting, shared=seat.shared)
        elif seat.conversation:
            self._planner.put(seat, asked.request.conversation, held, self.lane.save(seat.sequence))

    def _end_stopped(self) -> None:
        with self._planner.changed:
            stopped = [pair for pair in self._running if pair[1].asked.request.id in self._stopping]
            # Who came while others were admitted is stopped as soon as it is admitted itself.
            self._stopping &= {asked.request.id for _, asked in self._arriving}
            self.lane.resume()
        for seat, generation in stopped:
            self._drop(seat, generation.asked.request.id, generation.end("stopped"))

    def _drop(self, seat: Seat, id: int, last: Event) -> None:
        """The request has ended, in whatever way: free its seat, then tell."""
        for pair in [pair for pair in self._running if pair[1].asked.request.id == id]:
            self._running.remove(pair)
            generation = pair[1]
            if (said := generation.said) and not isinstance(last, Failed):
                self._planner.remember(seat, *said)
            generation.close()
        if isinstance(last, Failed):
            self.lane.keep(seat.sequence, 0)
        self._planner.left(seat, id)
        self._planner.send(last)
