"""One generation in one lane: how bytes become text, and what a stop leaves behind."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from models.generation import Generation, TextStream
from models.llama import Lane, Weights
from models.protocol import Finished, Generate, Sampling
from tests.models.generations import FEVER, asked, greedy

SLICE = 32
LONG = asked("The child coughs. " * 30 + FEVER)
IN_PREFILL = 1500  # a slice asks some 500 times whether to stop


class StoppableLane:
    """A lane whose work is stopped when `when` says so, which it is asked all the time."""

    def __init__(self, weights: Weights) -> None:
        self.when: Callable[[], bool] = lambda: False
        self.lane = Lane(weights, 512, SLICE, lambda: self.when())

    def run(self, sampling: Sampling, emit: Callable[[str], None] = lambda _: None, *, reuse: bool = False) -> Finished:
        request = Generate(id=1, conversation="c", prompt=LONG, sampling=sampling)
        generation = Generation(request, self.lane, 0, lambda: 1, lambda: self.when(), emit)
        return generation.run(reuse=reuse, queued_s=0.0)

    def text(self, sampling: Sampling, *, reuse: bool = False) -> str:
        pieces: list[str] = []
        self.run(sampling, pieces.append, reuse=reuse)
        return "".join(pieces)


@pytest.fixture
def stoppable(weights: Weights) -> Iterator[StoppableLane]:
    stoppable = StoppableLane(weights)
    yield stoppable
    stoppable.lane.close()


@pytest.fixture(scope="module")
def undisturbed(weights: Weights) -> str:
    """What a lane says that nobody stops."""
    fresh = StoppableLane(weights)
    text = fresh.text(greedy(8))
    fresh.lane.close()
    return text


def streamed(raw: bytes, *stop: str, width: int = 1) -> list[str]:
    """What a stream shows of `raw` when tokens are `width` bytes long, and at its end; empty strings left out."""
    stream = TextStream(stop)
    shown = []
    for start in range(0, len(raw), width):
        shown.append(stream.feed(raw[start : start + width]))
        if stream.stopped:
            break
    return [text for text in (*shown, stream.close()) if text]


@pytest.mark.parametrize("text", ["発熱は39.2℃", "حمى شديدة", "ไข้สูง", "🫁👩‍⚕️", "naïve"])
@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_characters_split_over_tokens_are_shown_whole(text: str, width: int) -> None:
    shown = streamed(text.encode(), width=width)
    assert "".join(shown) == text


def test_a_character_is_shown_with_its_last_byte() -> None:
    stream = TextStream(())
    assert [stream.feed(bytes([byte])) for byte in "熱".encode()] == ["", "", "熱"]


def test_a_character_that_the_budget_cut_is_not_shown() -> None:
    assert streamed("高熱".encode()[:-1]) == ["高"]


def test_bytes_that_are_no_character_are_replaced() -> None:
    assert "".join(streamed(b"38\xff39")) == "38\ufffd39"


@pytest.mark.parametrize("width", range(1, 8))
def test_a_stop_string_is_found_across_the_borders_of_tokens(width: int) -> None:
    assert "".join(streamed(b"Fever.\nUser: more", "\nUser:", width=width)) == "Fever."


def test_no_part_of_a_stop_string_is_shown_before_it_is_complete() -> None:
    assert streamed(b"ab\nUser:", "\nUser:") == ["a", "b"]


def test_what_only_began_like_a_stop_string_is_shown() -> None:
    assert "".join(streamed(b"a\nUse soap\nUs", "\nUser:")) == "a\nUse soap\nUs"


def test_a_stop_string_may_begin_inside_a_false_start() -> None:
    assert "".join(streamed(b"x#####!y", "###!")) == "x##"


def test_the_first_of_two_stop_strings_counts() -> None:
    assert "".join(streamed(b"one two three", "three", "two", width=20)) == "one "


def test_a_stop_string_of_wide_characters_is_found_between_their_bytes() -> None:
    assert "".join(streamed("熱が出た。以上".encode(), "。以")) == "熱が出た"


def test_a_stop_in_the_middle_of_prefill_shows_nothing(stoppable: StoppableLane) -> None:
    asked_times = itertools.count()
    stoppable.when = lambda: next(asked_times) > IN_PREFILL
    shown: list[str] = []
    finished = stoppable.run(greedy(8), shown.append)
    assert next(asked_times) > IN_PREFILL
    assert (finished.reason, finished.completion_tokens, shown) == ("stopped", 0, [])


def test_a_lane_that_was_stopped_in_prefill_speaks_as_ever(stoppable: StoppableLane, undisturbed: str) -> None:
    asked_times = itertools.count()
    stoppable.when = lambda: next(asked_times) > IN_PREFILL
    stoppable.run(greedy(8))
    stoppable.when = lambda: False
    assert stoppable.text(greedy(8), reuse=True) == undisturbed


def test_a_stop_in_the_middle_of_decode_ends_it_there(stoppable: StoppableLane, undisturbed: str) -> None:
    shown: list[str] = []
    stoppable.when = lambda: len(shown) >= 3
    finished = stoppable.run(greedy(64), shown.append)
    assert (finished.reason, len(shown)) == ("stopped", 3)
    assert undisturbed.startswith("".join(shown))


def test_a_lane_that_was_stopped_in_decode_speaks_as_ever(stoppable: StoppableLane, undisturbed: str) -> None:
    shown: list[str] = []
    stoppable.when = lambda: len(shown) >= 3
    stoppable.run(greedy(64), shown.append)
    stoppable.when = lambda: False
    assert stoppable.text(greedy(8), reuse=True) == undisturbed
