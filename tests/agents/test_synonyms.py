"""Which concepts are the same under two names, on vectors small enough to be followed by hand."""

from collections.abc import Mapping

import numpy as np

from agents.concept import describe
from agents.synonyms import Pair, Synonyms

FEVER, COUGH, RASH = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


Named = Mapping[str, tuple[float, ...]]


def pairs(rule: Synonyms, english: Named, local: Named) -> list[tuple[str, str]]:
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


# Each language in a corner of its own, and what a concept means a small part of its vector.
ENGLISH = {
    "fever": (9, 0, 0, 1, 0, 0),
    "cough": (9, 0, 0, 0, 1, 0),
    "rash": (9, 0, 0, 0, 0, 1),
    "pain": (9, 0, 0, -1, -1, -1),
}
SPANISH = {
    "fiebre": (9, 7, 0, 1, 0, 0),
    "tos": (9, 7, 0, 0, 1, 0),
    "exantema": (9, 7, 0, 0, 0, 1),
    "cansancio": (9, 7, 2, 0, 0, 0),
}


def test_without_the_mean_of_their_chain_concepts_of_far_languages_are_near() -> None:
    same = [("fever", "fiebre"), ("cough", "tos"), ("rash", "exantema")]

    assert pairs(Synonyms(0.9), ENGLISH, SPANISH) == []
    assert pairs(Synonyms(0.9, centred=0.6), ENGLISH, SPANISH) == same


def test_a_short_chain_has_no_mean_to_be_held_against() -> None:
    few = {"fiebre": SPANISH["fiebre"], "tos": SPANISH["tos"], "exantema": SPANISH["exantema"]}

    assert pairs(Synonyms(0.9, centred=0.6), ENGLISH, few) == []
