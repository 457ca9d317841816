"""What says the same again is told to be so, and what does not is not."""

import pytest

from evaluation.duplicates import Seen

pytest.importorskip("datasketch", reason="datasketch is not installed: pip install 'med-coreasoner[evaluation]'")

TEXT = (
    "A child of three with cough and 52 breaths per minute has pneumonia without danger signs. "
    "Give oral amoxicillin for five days, tell the mother when to come back, and look at the child again in two days."
)


def seen(*texts: str, threshold: float = 0.8) -> Seen:
    kept = Seen(threshold)
    for text in texts:
        kept.again(text)
    return kept


def test_a_first_text_is_like_none() -> None:
    assert seen().again(TEXT) == ""


@pytest.mark.parametrize("again", [TEXT, TEXT.upper(), f"  {TEXT.replace(' ', '  ')}\n"])
def test_the_same_letters_are_an_exact_duplicate_in_whatever_case_and_spacing(again: str) -> None:
    assert seen(TEXT).again(again) == "exact duplicate"


def test_a_word_more_is_a_near_duplicate() -> None:
    assert seen(TEXT).again(f"{TEXT} Then write it down.") == "near duplicate"


@pytest.mark.parametrize(
    "other", ["Use an adrenaline injection into the thigh, now.", "三歳の女児に咳と発熱がある。肺炎を考える。", "a", ""]
)
def test_another_text_is_like_none(other: str) -> None:
    assert seen(TEXT).again(other) == ""


def test_what_was_left_out_does_not_count_as_seen() -> None:
    drifting = [f"{TEXT} {' '.join(f'Reason number {n} speaks for it.' for n in range(count))}" for count in range(12)]

    kept = seen(threshold=0.8)
    found = [kept.again(text) for text in drifting]

    assert found[0] == ""
    assert found[1] == "near duplicate"
    assert "" in found[2:]
