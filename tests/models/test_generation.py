"""How bytes become text, and how a model that goes round in circles is noticed."""

import pytest

from models.generation import TextStream, repeats


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


@pytest.mark.parametrize("period", [1, 2, 7, 24, 48])
def test_going_round_in_circles_is_noticed(period: int) -> None:
    assert repeats([*range(1000, 1050), *list(range(period)) * 200])


@pytest.mark.parametrize("period", [3, 24, 48])
def test_saying_something_three_times_is_no_circle(period: int) -> None:
    assert not repeats([*range(1000, 1050), *list(range(period)) * 3])


def test_a_circle_that_was_left_is_none() -> None:
    assert not repeats([*[7] * 200, 8])
