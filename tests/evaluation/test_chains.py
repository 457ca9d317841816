"""Simulated chains: what is known of them is so, and they are the same every time."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from agents.polarity import judge
from evaluation.chains import DENIED, ENGLISH, SHARED, Pair, neighbours, pairs
from evaluation.terms import Term, TermSet

TERMS = tuple(Term(f"term {number}", f"término {number}") for number in range(40))


def in_a_row(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Terms whose neighbours are those of the nearest numbers: unit vectors on a quarter of a circle."""
    angles = np.array([int(text.split()[1]) for text in texts]) ** 1.01 / 40
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def drawn() -> tuple[Pair, ...]:
    return pairs("es", TERMS, neighbours(TERMS, in_a_row), 20, deny=True)


def test_a_terms_neighbour_is_the_nearest_other_term() -> None:
    # Numbers lie a little farther apart the greater they are, so the nearest one is the smaller.
    assert neighbours(TERMS, in_a_row)["term 20"].english == "term 19"


def test_chains_share_what_they_are_said_to_share(drawn: tuple[Pair, ...]) -> None:
    for pair in drawn:
        assert (len(pair.english), len(pair.shared)) == (ENGLISH, SHARED)
        assert set(pair.local_names()) & {t.english for t in pair.english} == {t.english for t in pair.shared}


def test_both_chains_keep_the_known_order(drawn: tuple[Pair, ...]) -> None:
    for pair in drawn:
        order = [term.english for term in pair.order]
        assert [name for name in order if name in pair.english_chain().names] == list(pair.english_chain().names)


def test_a_neighbour_stands_after_the_concept_that_it_is_near_to(drawn: tuple[Pair, ...]) -> None:
    near = neighbours(TERMS, in_a_row)

    for pair in drawn:
        for other in pair.neighbours:
            owners = [term for term in pair.english if near[term.english] == other]
            assert min(map(pair.order.index, owners)) < pair.order.index(other)


def test_the_denied_concept_is_denied_by_the_local_side_only(drawn: tuple[Pair, ...]) -> None:
    for pair in drawn:
        assert [c.polarity for c in pair.local_chain().concepts].count("absent") == 1
        assert {c.polarity for c in pair.english_chain().concepts} == {"present"}


def test_chains_are_the_same_every_time(drawn: tuple[Pair, ...]) -> None:
    assert pairs("es", TERMS, neighbours(TERMS, in_a_row), 20, deny=True) == drawn


@pytest.mark.parametrize("language", sorted(DENIED))
def test_the_denials_of_the_chains_are_seen_in_every_language(language: str) -> None:
    assert judge(DENIED[language].format("malaria"), language) == ("absent", "malaria")


def test_every_term_belongs_to_one_half() -> None:
    whole = TermSet("x", "es", TERMS)

    halves = [term for half in ("tuning", "held-out") for term in whole.half(half).terms]
    assert sorted(halves) == sorted(TERMS)
