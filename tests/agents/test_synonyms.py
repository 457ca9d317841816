"""Which concepts are the same under two names, on vectors small enough to be followed by hand."""

import numpy as np

from agents.concept import describe
from agents.synonyms import Pair, Synonyms

FEVER, COUGH, RASH = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def pairs(
    rule: Synonyms, english: dict[str, tuple[float, ...]], local: dict[str, tuple[float, ...]]
) -> list[tuple[str, str]]:
    ours = [describe(name, "", "en") for name in english]
    theirs = [describe(name, "", "es") for name in local]
    vectors = [np.array(list(side.values()), np.float32) for side in (english, local)]
    found: tuple[Pair, ...] = rule(ours, theirs, *vectors)
    return [(ours[pair.english].name, theirs[pair.local].name) for pair in found]


def test_synonyms_are_each_others_nearest() -> None:
    english = {"fever": FEVER, "cough": COUGH}

    assert pairs(Synonyms(0.5), english, {"tos": (0.1, 1, 0), "fiebre": (1, 0.1, 0)}) == [
        ("cough", "tos"),
        ("fever", "fiebre"),
    ]


def test_of_two_that_are_near_to_one_concept_only_the_nearer_is_its_synonym() -> None:
    assert pairs(Synonyms(0.5), {"fever": FEVER}, {"calor": (1, 0.5, 0), "fiebre": (1, 0.1, 0)}) == [
        ("fever", "fiebre")
    ]


def test_without_a_lead_over_the_second_nothing_is_decided() -> None:
    english, local = {"fever": FEVER, "cough": COUGH}, {"malestar": (1.0, 0.9, 0.0)}

    assert pairs(Synonyms(0.5, lead=0.2), english, local) == []
    assert pairs(Synonyms(0.5, lead=0.01), english, local) == [("fever", "malestar")]


def test_what_is_below_the_threshold_is_no_synonym() -> None:
    assert pairs(Synonyms(0.9), {"fever": FEVER}, {"escalofríos": (1.0, 1.0, 0.0)}) == []


def test_a_denied_concept_is_the_same_concept() -> None:
    assert pairs(Synonyms(0.9), {"fever": FEVER, "rash": RASH}, {"sin fiebre": (1, 0.1, 0)}) == [
        ("fever", "sin fiebre")
    ]
