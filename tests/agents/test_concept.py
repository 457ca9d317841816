"""Concepts out of what a reasoner has listed."""

import pytest

from agents.concept import MAX_CONCEPTS, concepts, describe
from agents.messages import ConceptChain


def test_concepts_keep_their_order_and_come_once() -> None:
    found = concepts(["Fever", " dry  cough", "fever", "...", 7], "", "en")

    assert [concept.name for concept in found] == ["Fever", "dry cough"]


def test_a_concept_and_its_denial_are_two() -> None:
    found = concepts(["fever", "no fever"], "", "en")

    assert [(c.compared, c.polarity) for c in found] == [("fever", "present"), ("fever", "absent")]


def test_the_letters_of_options_are_no_concepts() -> None:
    found = concepts(["A, B, C, D, E", "A-B-C-D", "D.", "hepatitis B", "K 6.1", "vitamin C", "A B"], "", "en")

    assert [concept.name for concept in found] == ["hepatitis B", "K 6.1", "vitamin C"]


def test_a_chain_has_an_end() -> None:
    assert len(concepts([f"finding {letter}" for letter in "abcdefghijkl"], "", "en")) == MAX_CONCEPTS


def test_the_argument_decides_where_the_name_does_not() -> None:
    (concept,) = concepts(["chest indrawing"], "Fast breathing. No chest indrawing.", "en")

    assert (concept.name, concept.polarity) == ("chest indrawing", "absent")


@pytest.mark.parametrize(
    ("language", "name", "kind"),
    [
        ("en", "amoxicillin", "drug"),
        ("es", "amoxicilina 40 mg/kg", "drug"),
        ("ja", "アモキシシリン", "drug"),
        ("en", "chest x-ray", "investigation"),
        ("zh", "胸部X线检查", "investigation"),
        ("en", "oxygen", "treatment"),
        ("fr", "facteur de risque", "risk"),
        ("sw", "dawa za asili", "local_practice"),
        ("ko", "발열", "finding"),
        ("en", "appendicitis", "diagnosis"),
        ("en", "reassurance", None),
        ("pl", "gorączka", None),
    ],
)
def test_the_kind_is_told_by_the_words_of_the_name(language: str, name: str, kind: str | None) -> None:
    assert describe(name, "", language).kind == kind


def test_a_dose_is_kept_beside_its_drug() -> None:
    assert describe("amoxicillin 40 mg/kg", "", "en").dose == "40 mg/kg"


def test_what_is_no_dose_is_none() -> None:
    assert describe("breathing 60 per minute", "", "en").dose == ""


def test_chains_of_before_concepts_had_kinds_are_read_as_asserted() -> None:
    chain = ConceptChain.model_validate(
        {"side": "local", "language": "es", "status": "listed", "concepts": ["fiebre"], "reason": ""}
    )

    assert (chain.names, chain.concepts[0].polarity, chain.concepts[0].kind) == (("fiebre",), "present", None)
