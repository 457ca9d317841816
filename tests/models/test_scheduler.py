"""Lanes, batches, shared prefixes, turns and stops, on real weights in this process."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.chat_template import ChatMessage, Segment, chat_template, render, system_segments
from models.generation import Asked
from models.llama import Weights
from models.prefixes import Prefixes
from models.protocol import EngineSettings, Event, Failed, Finished, Generate, Piece, Sampling
from models.scheduler import Scheduler
from models.turns import TurnQueue
from tests.models.generations import FEVER, RASH, asked, greedy

CHATML = chat_template("chatml")
SYSTEM = "You are a careful clinician. " + "Say what the findings mean, what fits and what must be done. " * 8
LONG = "The child coughs and has fever. " * 40
WAIT_S = 120


def under_system(question: str) -> tuple[Segment, ...]:
    """A prompt under the system message that all conversations share."""
    return render(CHATML, (ChatMessage(role="system", content=SYSTEM), ChatMessage(role="user", content=question)))


class Heard:
    """Collects a scheduler's events by request."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._text: dict[int, str] = {}
        self._last: dict[int, Finished | Failed] = {}

    def send(self, event: Event) -> None:
        with self._changed:
            if isinstance(event, Piece):
                self._text[event.id] = self._text.get(event.id, "") + event.text
            elif isinstance(event, Finished | Failed):
                self._last[event.id] = event
            self._changed.notify_all()

    def speaks(self, id: int) -> None:
        """Wait until a request has said something."""
        self._wait(lambda: id in self._text)

    def finished(self, id: int) -> Finished:
        """Wait for a request's end."""
        self._wait(lambda: id in self._last)
        last = self._last[id]
        assert isinstance(last, Finished), last
        return last

    def failed(self, id: int) -> Failed:
        """Wait for a request's failure."""
        self._wait(lambda: id in self._last)
        last = self._last[id]
        assert isinstance(last, Failed), last
        return last

    def text(self, id: int) -> str:
        """What a request said to its end."""
        self.finished(id)
        return self._text.get(id, "")

    def ended(self) -> list[int]:
        """The requests that have ended, in that order."""
        return list(self._last)

    def _wait(self, done: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(done, WAIT_S)


class Desk(Heard):
    """A scheduler, what it says, and numbers for requests."""

    def __init__(self, weights: Weights, folder: Path | None, **settings: object) -> None:
        super().__init__()
        usual = {"context_length": 1024, "lanes": 1, "sequences": 1}
        chosen = EngineSettings.model_validate({**usual, **settings})
        self.prefixes = Prefixes(chosen.prefix_memory, folder, "these tests")
        self.scheduler = Scheduler(weights, chosen, chosen.lanes, 2, self.prefixes, self.send)
        self.scheduler.start()
        self._ids = itertools.count(1)

    def ask(
        self,
        prompt: tuple[Segment, ...],
        sampling: Sampling,
        conversation: str = "",
        *,
        static: bool = False,
        user: str = "",
        output_schema: str | None = None,
    ) -> int:
        request = Generate(
            id=next(self._ids),
            conversation=conversation,
            prompt=prompt,
            sampling=sampling,
            static=system_segments(CHATML) if static else 0,
            public=system_segments(CHATML) if static else 0,
            user=user,
            output_schema=output_schema,
        )
        self.scheduler.submit(request)
        return request.id


class SlowDesk(Desk):
    """Keeps the lane waiting that reports a failure."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        self.told, self.goes_on = threading.Event(), threading.Event()
        super().__init__(*arguments, **settings)

    def send(self, event: Event) -> None:
        if isinstance(event, Failed):
            self.told.set()
            assert self.goes_on.wait(WAIT_S)
        super().send(event)


class DeafDesk(Desk):
    """Takes no news of a stop."""

    def send(self, event: Event) -> None:
        if isinstance(event, Finished) and event.reason == "stopped":
            raise OSError("nobody listens")
        super().send(event)


OpenDesk = Callable[..., Desk]


@pytest.fixture
def open_desk(weights: Weights) -> Iterator[OpenDesk]:
    desks: list[Desk] = []

    def open_(folder: Path | None = None, kind: type[Desk] = Desk, **settings: object) -> Desk:
        desks.append(kind(weights, folder, **settings))
        return desks[-1]

    yield open_
    for desk in desks:
        desk.scheduler.close()


def request(id: int, user: str) -> Asked:
    asked_for = Generate(id=id, conversation="", prompt=asked(FEVER), sampling=greedy(1), user=user)
    return Asked(asked_for, [1], 0, 0, 1, 0.0, set())


def drained(turns: TurnQueue) -> list[int]:
    return [waiting.request.id for waiting in iter(turns.next, None)]


def test_users_take_turns() -> None:
    turns = TurnQueue()
    for id, user in enumerate(["a", "a", "a", "b", "c", "b"]):
        turns.put(request(id, user))
    assert drained(turns) == [0, 3, 4, 1, 5, 2]


def test_who_leaves_the_queue_leaves_it_whole() -> None:
    turns = TurnQueue()
    for id, user in enumerate(["a", "b", "a"]):
        turns.put(request(id, user))
    assert turns.remove(1)
    assert not turns.remove(1)
    assert drained(turns) == [0, 2]
    assert turns.next() is None


def test_one_user_with_many_questions_does_not_keep_another_waiting(open_desk: OpenDesk) -> None:
    desk = open_desk()
    many = [desk.ask(asked(FEVER), greedy(8), user="many") for _ in range(4)]
    one = desk.ask(asked(RASH), greedy(8), user="one")
    desk.finished(many[-1])
    assert desk.ended().index(one) <= 2


def test_a_text_alone_in_its_lane_is_not_shared_and_says_the_same_in_any_lane(open_desk: OpenDesk) -> None:
    desk = open_desk(lanes=2, sequences=2)
    ids = [desk.ask(asked(question), greedy(24)) for question in (FEVER, RASH, FEVER, RASH)]
    finished = [desk.finished(id) for id in ids]
    assert not any(f.shared for f in finished)
    assert finished[0].tokens_sha256 == finished[2].tokens_sha256
    assert finished[1].tokens_sha256 == finished[3].tokens_sha256
    assert finished[0].tokens_sha256 != finished[1].tokens_sha256


def test_texts_in_one_batch_say_that_they_shared_it(open_desk: OpenDesk) -> None:
    desk = open_desk(sequences=4)
    ids = [desk.ask(asked(f"{RASH} Number {n}."), greedy(24)) for n in range(4)]
    assert all(desk.finished(id).shared for id in ids)
    assert all(desk.finished(id).completion_tokens > 8 for id in ids)
    assert all(desk.text(id).strip() for id in ids)


def test_a_text_joins_a_batch_and_leaves_it_at_any_step(open_desk: OpenDesk) -> None:
    desk = open_desk(sequences=2)
    long = desk.ask(asked(RASH), greedy(64))
    desk.speaks(long)
    short = desk.ask(asked(FEVER), greedy(4))
    desk.finished(short)
    assert desk.ended() == [short]
    assert desk.finished(long).completion_tokens > 8


def test_a_long_prompt_does_not_stall_who_speaks(open_desk: OpenDesk) -> None:
    desk = open_desk(sequences=2, shared_slice=16)
    speaking = desk.ask(asked(RASH), greedy(16))
    desk.speaks(speaking)
    reading = desk.ask(asked(LONG), greedy(1))
    # Reading takes more slices than the other has tokens left; read at once, it would end first.
    assert desk.finished(reading).prompt_tokens > 16 * 16
    assert desk.ended() == [speaking, reading]


def test_slices_beside_who_speaks_are_never_more_than_a_batch_has_room_for(open_desk: OpenDesk) -> None:
    desk = open_desk(sequences=2, prefill_slice=16, shared_slice=64)

    speaking = desk.ask(asked(RASH), greedy(80))
    desk.speaks(speaking)
    reading = desk.ask(asked(LONG), greedy(4))

    assert desk.finished(reading).prompt_tokens > 64
    assert desk.finished(speaking).completion_tokens > 8


def test_texts_at_once_sit_beside_each_other(open_desk: OpenDesk) -> None:
    desk = open_desk(sequences=4)
    seats = desk.scheduler.seats
    for number in range(3):  # so that the longest unused seats are not those at the beginning
        desk.finished(desk.ask(asked(FEVER), greedy(2), f"before {number}"))

    both = [desk.ask(asked(RASH), greedy(60), "one"), desk.ask(asked(FEVER), greedy(60), "two")]
    for id in both:
        desk.speaks(id)
    taken = [seat.sequence for seat in seats if seat.taken]

    assert len(taken) == 2
    assert taken[1] - taken[0] == 1
    for id in both:
        desk.finished(id)


def test_what_goes_on_from_a_shared_batch_says_so(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk, next_process = open_desk(tmp_path, sequences=2), open_desk(tmp_path, sequences=2)
    beside = desk.ask(asked(RASH), greedy(900))
    desk.speaks(beside)
    first = desk.finished(desk.ask(under_system(FEVER), greedy(2), "one", static=True))
    desk.scheduler.stop(beside)
    desk.finished(beside)
    after = [d.finished(d.ask(under_system(RASH), greedy(2), "two", static=True)) for d in (desk, next_process)]
    assert all(f.shared and f.cached_tokens > 100 for f in after)
    assert first.shared
    assert not desk.finished(desk.ask(asked(RASH), greedy(2), "one")).shared


def test_what_goes_on_from_a_text_alone_is_not_shared(open_desk: OpenDesk, tmp_path: Path) -> None:
    desk, next_process = open_desk(tmp_path, sequences=2), open_desk(tmp_path, sequences=2)
    desk.finished(desk.ask(under_system(FEVER), greedy(2), "one", static=True))
    after = [d.finished(d.ask(under_system(RASH), greedy(2), "two", static=True)) for d in (desk, next_process)]
    assert all(f.cached_tokens > 100 and not f.shared for f in after)


def test_exact_lanes_never_share(open_desk: OpenDesk) -> None:
    desk = open_desk(lanes=2, sequences=8, exact=True)
    ids = [desk.ask(asked(f"{RASH} Number {n}."), greedy(8)) for n in range(6)]
    assert not any(desk.finished(id).shared for id in ids)


def test_a_stop_in_the_middle_of_prefill_shows_nothing_and_frees_the_lane(open_desk: OpenDesk) -> None:
    desk = open_desk(prefill_slice=512)
    undisturbed = desk.finished(desk.ask(asked(LONG), greedy(8))).tokens_sha256
    stopped = desk.ask(asked(LONG), greedy(8))
    time.sleep(0.05)  # into the only slice
    desk.scheduler.stop(stopped)
    finished = desk.finished(stopped)
    assert (finished.reason, finished.completion_tokens, desk.text(stopped)) == ("stopped", 0, "")
    assert desk.finished(desk.ask(asked(LONG), greedy(8))).tokens_sha256 == undisturbed


def test_a_stop_of_one_text_leaves_the_others_of_its_batch_alone(open_desk: OpenDesk) -> None:
    desk = open_desk(sequences=3)
    ids = [desk.ask(asked(f"{RASH} Number {n}."), greedy(32)) for n in range(3)]
    for id in ids:
        desk.speaks(id)
    desk.scheduler.stop(ids[1])
    assert desk.finished(ids[1]).reason == "stopped"
    assert [desk.finished(id).reason for id in (ids[0], ids[2])] == ["length", "length"]


def test_who_comes_right_after_a_stop_gets_the_lane_that_it_frees(open_desk: OpenDesk) -> None:
    desk = open_desk(lanes=2, sequences=4)
    stopped, staying = desk.ask(asked(LONG), greedy(8)), desk.ask(asked(RASH), greedy(48))
    desk.speaks(staying)
    desk.scheduler.stop(stopped)
    following = desk.finished(desk.ask(asked(FEVER), greedy(8)))
    assert following.lane != desk.finished(staying).lane
    assert not following.shared


def test_a_stop_of_who_comes_while_another_is_admitted_is_not_lost(open_desk: OpenDesk) -> None:
    desk = open_desk(kind=SlowDesk, sequences=2)
    assert isinstance(desk, SlowDesk)
    desk.ask(asked(FEVER), greedy(4), output_schema="no schema")
    assert desk.told.wait(WAIT_S)
    stopped = desk.ask(asked(RASH), greedy(48))
    desk.scheduler.stop(stopped)
    desk.goes_on.set()
    assert desk.finished(stopped).reason == "stopped"


def test_a_lane_that_fails_ends_all_its_texts_and_goes_on(open_desk: OpenDesk) -> None:
    desk = open_desk(kind=DeafDesk, sequences=2)
    stopped, beside = desk.ask(asked(RASH), greedy(900)), desk.ask(asked(FEVER), greedy(900))
    desk.speaks(stopped)
    desk.speaks(beside)
    desk.scheduler.stop(stopped)
    failed = desk.failed(beside)
    assert (failed.error, "nobody listens" in failed.message) == ("EngineError", True)
    assert desk.finished(desk.ask(asked(FEVER), greedy(4))).completion_tokens == 4


def test_a_stop_while_waiting_is_forgotten_without_an_answer(open_desk: OpenDesk) -> None:
    desk = open_desk()
    running, waiting = desk.ask(asked(RASH), greedy(16)), desk.ask(asked(FEVER), greedy(16))
    desk.scheduler.stop(waiting)
    after = desk.ask(asked(FEVER), greedy(1))
    desk.finished(after)
    assert desk.ended() == [running, after]


def test_a_time_limit_ends_a_text_with_what_it_said(open_desk: OpenDesk) -> None:
    desk = open_desk(time_limit_s=0.3)
    id = desk.ask(asked(RASH), greedy(900))
    assert desk.finished(id).reason == "time"
    assert desk.text(id)


def test_a_control_token_that_a_model_speaks_ends_its_turn(open_desk: OpenDesk) -> None:
    desk = open_desk()
    before_the_assistants_turn = asked(FEVER)[:-1]
    id = desk.ask(before_the_assistants_turn, greedy(8), "forged")
    assert (desk.finished(id).reason, desk.finished(id).completion_tokens, desk.text(id)) == ("stop", 1, "")


def test_a_static_prefix_is_read_once_for_all_conversations_and_changes_no_token(open_desk: OpenDesk) -> None:
    desk, fresh = open_desk(), open_desk(prefix_memory=0)
    ids = [desk.ask(under_system(q), greedy(16), f"c{n}", static=True) for n, q in enumerate((FEVER, RASH))]
    alone = [fresh.ask(under_system(q), greedy(16), f"c{n}", static=True) for n, q in enumerate((FEVER, RASH))]
    first, second = (desk.finished(id) for id in ids)
    assert first.cached_tokens == 0
    assert second.cached_tokens > 100
    assert [fresh.finished(id).cached_tokens for id in alone] == [0, 0]
    assert [first.tokens_sha256, second.tokens_sha256] == [fresh.finished(id).tokens_sha256 for id in alone]


def test_a_state_for_which_there_is_no_room_leaves_the_others(open_desk: OpenDesk) -> None:
    desk = open_desk(prefix_memory=12_000_000)  # the system message fits, the long case does not
    desk.finished(desk.ask(under_system(FEVER), greedy(2), "short", static=True))
    desk.finished(desk.ask(asked(LONG * 2), greedy(2), "long"))
    for name in ("third", "fourth"):
        assert desk.finished(desk.ask(under_system(RASH), greedy(2), name, static=True)).cached_tokens > 100


def test_a_static_prefix_on_disk_serves_the_next_process(open_desk: OpenDesk, tmp_path: Path) -> None:
    before, after = open_desk(tmp_path), open_desk(tmp_path)
    first = before.finished(before.ask(under_system(FEVER), greedy(16), "one", static=True))
    second = after.finished(after.ask(under_system(FEVER), greedy(16), "two", static=True))
    assert (first.cached_tokens, first.tokens_sha256) == (0, second.tokens_sha256)
    assert second.cached_tokens > 100
    assert [file.stat().st_mode & 0o777 for file in tmp_path.iterdir()] == [0o600]


def test_an_altered_prefix_on_disk_is_thrown_away(open_desk: OpenDesk, tmp_path: Path) -> None:
    before = open_desk(tmp_path)
    first = before.finished(before.ask(under_system(FEVER), greedy(16), "one", static=True))
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    file.write_bytes(content)
    after = open_desk(tmp_path)
    second = after.finished(after.ask(under_system(FEVER), greedy(16), "two", static=True))
    assert (second.cached_tokens, second.tokens_sha256) == (0, first.tokens_sha256)
    assert file.read_bytes() != content


def test_two_questions_at_once_on_one_long_case_read_it_once(open_desk: OpenDesk) -> None:
    desk = open_desk(lanes=2, sequences=2)
    one = desk.ask(asked(LONG + FEVER), greedy(4), "case")
    other = desk.ask(asked(LONG + RASH), greedy(4), "case")
    first, second = desk.finished(one), desk.finished(other)
    assert first.cached_tokens == 0
    assert second.cached_tokens > 200
    assert first.lane != second.lane


def test_two_conversations_at_once_do_not_share_what_is_theirs(open_desk: OpenDesk) -> None:
    desk = open_desk(lanes=2, sequences=2)
    ids = [desk.ask(asked(LONG + FEVER), greedy(4), name) for name in ("mine", "yours")]
    assert [desk.finished(id).cached_tokens for id in ids] == [0, 0]


def test_a_conversation_finds_its_cache_again_after_others_had_its_seat(open_desk: OpenDesk) -> None:
    desk = open_desk()
    first = desk.ask(asked(LONG + FEVER), greedy(8), "kept")
    said = desk.text(first)
    desk.finished(desk.ask(asked(RASH), greedy(4), "between"))
    again = desk.finished(desk.ask(asked(LONG + FEVER, said, "And then?"), greedy(4), "kept"))
    assert again.cached_tokens >= desk.finished(first).prompt_tokens


def test_an_answer_goes_on_from_the_tokens_that_made_it(open_desk: OpenDesk) -> None:
    desk = open_desk()
    first = desk.ask(asked(RASH), Sampling(temperature=1.5, seed=3, max_tokens=40), "odd")
    said = desk.text(first)
    before = desk.finished(first)
    after = desk.finished(desk.ask(asked(RASH, said, "Go on."), greedy(1), "odd"))
    assert after.cached_tokens >= before.prompt_tokens + before.completion_tokens - 1


def test_a_forgotten_conversation_begins_anew(open_desk: OpenDesk) -> None:
    desk = open_desk()
    desk.finished(desk.ask(asked(LONG + FEVER), greedy(4), "over"))
    desk.finished(desk.ask(asked(RASH), greedy(4), "between"))
    desk.scheduler.forget("over")
    assert desk.finished(desk.ask(asked(LONG + FEVER), greedy(4), "over")).cached_tokens == 0


def test_what_was_forgotten_while_it_was_computed_is_not_kept(open_desk: OpenDesk) -> None:
    desk = open_desk()
    running = desk.ask(asked(LONG + FEVER), greedy(16), "over")
    desk.speaks(running)
    desk.scheduler.forget("over")
    desk.finished(running)
    again = desk.finished(desk.ask(asked(LONG + FEVER), greedy(1), "over"))
    assert again.cached_tokens == 0
    assert desk.finished(desk.ask(asked(LONG + FEVER), greedy(1), "over")).cached_tokens > 200


def test_what_was_forgotten_while_another_gets_its_seat_is_not_kept(open_desk: OpenDesk) -> None:
    desk = open_desk(kind=SlowDesk, sequences=2)
    assert isinstance(desk, SlowDesk)
    desk.finished(desk.ask(asked(LONG + FEVER), greedy(2), "over"))
    desk.ask(asked(FEVER), greedy(2), output_schema="no schema")
    assert desk.told.wait(WAIT_S)
    others = [desk.ask(asked(RASH), greedy(2), name) for name in ("beside", "instead")]
    desk.scheduler.forget("over")
    desk.goes_on.set()
    for other in others:
        desk.finished(other)
    assert desk.finished(desk.ask(asked(LONG + FEVER), greedy(1), "over")).cached_tokens == 0


def test_the_seat_of_a_forgotten_conversation_is_wiped(open_desk: OpenDesk) -> None:
    desk = open_desk(sequences=2)
    desk.finished(desk.ask(asked(FEVER), greedy(2), "over"))
    desk.scheduler.forget("over")
    desk.finished(desk.ask(asked(RASH), greedy(2), "after"))
    assert [len(seat.held) for seat in desk.scheduler.seats if seat.owner != "after"] == [0]


def test_no_conversation_of_two_hundred_sees_another(open_desk: OpenDesk) -> None:
    """Each tells a secret and asks for it later; what it hears is what it hears on a machine of its own."""
    crowd, alone = open_desk(lanes=2, sequences=2, exact=True), open_desk(prefix_memory=0)
    secrets = [f"{word}{n:03}" for n, word in enumerate(["amber", "birch", "cedar", "dune", "ember"] * 40)]
    prompts = [under_system(f"The code word is {secret}. Repeat the code word.") for secret in secrets]
    told = [crowd.ask(prompt, greedy(12), secret, static=True) for prompt, secret in zip(prompts, secrets, strict=True)]
    heard = [crowd.text(id) for id in told]
    leaks = [(a, b) for a, text in zip(secrets, heard, strict=True) for b in secrets if b != a and b in text]
    own = sum(secret in text for secret, text in zip(secrets, heard, strict=True))
    sample = range(0, len(secrets), 10)
    apart = [alone.ask(prompts[n], greedy(12), secrets[n], static=True) for n in sample]
    assert own > len(secrets) // 2
    assert leaks == []
    assert [crowd.finished(told[n]).tokens_sha256 for n in sample] == [alone.finished(id).tokens_sha256 for id in apart]
