"""The paper's insertion rule and the two strategies, on vectors small enough to be followed by hand."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pytest

from agents.concept import describe
from agents.fusion import EmbedConcepts, FusionStrategy, GroundedFusion, PaperFusion, SideBySide, promote
from agents.messages import ConceptChain, Decision, FusedChain, FusedConcept
from agents.scaffold import place
from agents.synonyms import Synonyms, Vectors

# Three perpendicular English concepts; a local concept's cosines to them are its own coordinates, once normalised.
AXES = {"fever": (1, 0, 0), "cough": (0, 1, 0), "dyspnoea": (0, 0, 1)}
JUST_BELOW = np.nextafter(np.float32(0.7), np.float32(0))


def embedding(vectors: Mapping[str, tuple[float, ...]]) -> EmbedConcepts:
    return lambda names: np.array([vectors[name] for name in names], np.float32)


def nothing_to_embed(names: Sequence[str]) -> Vectors:
    raise AssertionError(f"{names} need not be embedded")


def grounded(synonym: float, related: float, lead: float = 0.0) -> GroundedFusion:
    return GroundedFusion(Synonyms(synonym, lead), related)


def chain(side: Literal["english", "local"], language: str, names: Sequence[str]) -> ConceptChain:
    concepts = tuple(describe(name, "", language) for name in names)
    return ConceptChain(side=side, language=language, status="listed" if names else "empty", concepts=concepts)


def english(*concepts: str) -> ConceptChain:
    return chain("english", "en", concepts)


def local(*concepts: str) -> ConceptChain:
    return chain("local", "es", concepts)


def fuse(strategy: FusionStrategy, **added: tuple[float, ...]) -> FusedChain:
    return strategy(english(*AXES), local(*added), embedding({**AXES, **added}))


def names(concepts: Sequence[FusedConcept]) -> list[str]:
    return [concept.name for concept in concepts]


@pytest.mark.parametrize(
    ("similarities", "position"),
    [
        pytest.param([0.9, 0.1, 0.2], 1, id="nearest to the first: after it, though the right is nearer"),
        pytest.param([0.9, 0.5, 0.1], 1, id="nearest to the first: after it"),
        pytest.param([0.1, 0.2, 0.9], 2, id="nearest to the last: before it"),
        pytest.param([0.5, 0.9, 0.3], 1, id="left mean greater: left"),
        pytest.param([0.3, 0.9, 0.5], 2, id="right mean greater: right"),
        pytest.param([0.4, 0.9, 0.4], 2, id="equal means: right"),
        pytest.param([0.6, 0.1, 0.9, 0.4], 3, id="the mean decides, not the greatest: right"),
        pytest.param([0.1, 0.6, 0.9, 0.4], 3, id="the mean decides, not the neighbour: right"),
        pytest.param([0.3, 0.3, 0.9, 0.4], 3, id="the mean decides, not the sum: right"),
        pytest.param([0.8, 0.8, 0.1], 1, id="a tie goes to the first of the nearest"),
        pytest.param([0.9, 0.1], 1, id="two: after the first"),
        pytest.param([0.1, 0.9], 1, id="two: before the last"),
        pytest.param([0.9], 1, id="one: after it"),
    ],
)
def test_a_concept_is_placed_by_its_nearest_neighbour(similarities: list[float], position: int) -> None:
    assert place(np.array(similarities, np.float32), 0.7).position == position


@pytest.mark.parametrize(
    ("similarity", "threshold", "accepted"),
    [(0.7, 0.7, True), (0.5, 0.5, True), (JUST_BELOW, 0.7, False), (0.6, 0.7, False), (0.6, 0.5, True)],
)
def test_a_concept_is_accepted_from_the_threshold_on(similarity: float, threshold: float, accepted: bool) -> None:
    placement = place(np.array([0.1, similarity], np.float32), threshold)

    assert (placement.position is not None) == accepted
    assert placement.anchor == 1
    assert placement.similarity == pytest.approx(similarity)


@pytest.mark.parametrize(
    ("vector", "chain", "anchor"),
    [
        ((4, 3, 0), ["fever", "local", "cough", "dyspnoea"], "fever"),
        ((0, 3, 4), ["fever", "cough", "local", "dyspnoea"], "dyspnoea"),
        ((12, 20, 9), ["fever", "local", "cough", "dyspnoea"], "cough"),
        ((9, 20, 12), ["fever", "cough", "local", "dyspnoea"], "cough"),
        ((1, 2, 1), ["fever", "cough", "local", "dyspnoea"], "cough"),
    ],
    ids=["first", "last", "left", "right", "equal"],
)
def test_the_papers_rule_inserts_among_the_english_concepts(
    vector: tuple[float, ...], chain: list[str], anchor: str
) -> None:
    fused = fuse(PaperFusion(), local=vector)

    assert names(fused.concepts) == chain
    inserted = fused.concepts[chain.index("local")]
    assert (inserted.origin, inserted.status, inserted.anchor) == ("local", "inserted", anchor)
    assert fused.aside == ()


def test_vectors_of_any_length_are_compared_by_their_angle() -> None:
    (concept,) = (c for c in fuse(PaperFusion(), local=(400, 300, 0)).concepts if c.origin == "local")

    assert concept.similarity == pytest.approx(0.8)


def test_an_inserted_concept_is_a_neighbour_of_those_after_it() -> None:
    # beside is nearer to the inserted concept (0.928) than to cough (0.8), and fever (0.6) outweighs the right (0.4).
    fused = fuse(PaperFusion(), inserted=(12, 20, 9), beside=(3, 4, 0))

    assert names(fused.concepts) == ["fever", "beside", "inserted", "cough", "dyspnoea"]
    assert fused.concepts[1].anchor == "inserted"
    assert [c.position for c in fused.concepts] == [0, 1, 2, 3, 4]


def test_local_concepts_are_placed_in_their_order() -> None:
    fused = fuse(PaperFusion(), beside=(3, 4, 0), inserted=(12, 20, 9))

    assert names(fused.concepts) == ["fever", "beside", "inserted", "cough", "dyspnoea"]
    assert fused.concepts[1].anchor == "cough"


@pytest.mark.parametrize(("threshold", "rejected"), [(0.7, True), (0.5, False)])
def test_the_papers_two_thresholds_differ_on_a_concept_between_them(threshold: float, rejected: bool) -> None:
    # Its greatest cosine is 2/3.
    fused = fuse(PaperFusion(threshold), local=(2, 2, 1))

    assert names(fused.aside) == (["local"] if rejected else [])
    assert ("local" in names(fused.concepts)) == (not rejected)
    assert (fused.strategy, fused.threshold) == ("paper", threshold)


def test_what_the_paper_rejects_is_listed_aside_with_its_similarity() -> None:
    (rejected,) = fuse(PaperFusion(), local=(2, 1, 2)).aside

    assert (rejected.name, rejected.origin, rejected.status) == ("local", "local", "rejected")
    assert (rejected.anchor, rejected.position) == ("fever", None)
    assert rejected.similarity == pytest.approx(2 / 3)


def test_a_concept_without_direction_is_near_to_nothing() -> None:
    (rejected,) = fuse(PaperFusion(), local=(0, 0, 0)).aside

    assert (rejected.status, rejected.similarity) == ("rejected", 0)


def test_a_chain_of_one_concept_is_continued() -> None:
    vectors = {"fever": (1.0, 0.0), "escalofríos": (4.0, 3.0)}

    fused = PaperFusion()(english("fever"), local("escalofríos"), embedding(vectors))

    assert names(fused.concepts) == ["fever", "escalofríos"]


@pytest.mark.parametrize("strategy", [PaperFusion(), grounded(0.9, 0.7)], ids=["paper", "grounded"])
@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ((), ("tos", "fiebre"), [("tos", "local", "inserted", 0), ("fiebre", "local", "inserted", 1)]),
        (("cough", "fever"), (), [("cough", "english", "scaffold", 0), ("fever", "english", "scaffold", 1)]),
        ((), (), []),
    ],
    ids=["no English", "no local", "neither"],
)
def test_where_a_chain_is_empty_the_other_is_the_result(
    strategy: FusionStrategy, ours: tuple[str, ...], theirs: tuple[str, ...], expected: list[tuple[object, ...]]
) -> None:
    fused = strategy(english(*ours), local(*theirs), nothing_to_embed)

    assert [(c.name, c.origin, c.status, c.position) for c in fused.concepts] == expected
    assert fused.aside == ()


def test_a_synonym_is_merged_into_its_english_concept() -> None:
    fused = fuse(grounded(synonym=0.9, related=0.7), tos=(7, 24, 0))

    assert names(fused.concepts) == ["fever", "cough", "dyspnoea"]
    merged = fused.concepts[1]
    assert (merged.local_name, merged.origin, merged.status) == ("tos", "both", "merged")
    assert merged.similarity == pytest.approx(0.96)


def test_a_related_concept_is_inserted_by_the_papers_rule() -> None:
    fused = fuse(grounded(synonym=0.9, related=0.7), flema=(12, 20, 9))

    assert names(fused.concepts) == ["fever", "flema", "cough", "dyspnoea"]
    assert (fused.concepts[1].status, fused.concepts[1].anchor) == ("inserted", "cough")


def test_what_is_related_to_nothing_english_waits_in_the_local_only_lane() -> None:
    fused = fuse(grounded(synonym=0.9, related=0.7), dengue=(2, 1, 2))

    assert names(fused.concepts) == ["fever", "cough", "dyspnoea"]
    (waiting,) = fused.aside
    assert (waiting.name, waiting.status, waiting.anchor, waiting.position) == ("dengue", "unconfirmed", "fever", None)


@pytest.mark.parametrize(
    ("synonym", "related", "status"),
    [(0.5, 0.4, "merged"), (0.51, 0.5, "inserted"), (0.6, 0.51, "unconfirmed")],
)
def test_both_thresholds_of_the_grounded_strategy_are_inclusive(synonym: float, related: float, status: str) -> None:
    # The cosine is 0.5 to the last bit.
    vectors = {"fever": (1.0, 0.0, 0.0, 0.0), "local": (1.0, 1.0, 1.0, 1.0)}

    fused = grounded(synonym, related)(english("fever"), local("local"), embedding(vectors))

    assert [c.status for c in (*fused.concepts, *fused.aside) if "local" in (c.name, c.local_name)] == [status]


def test_a_second_synonym_of_a_merged_concept_is_inserted_beside_it() -> None:
    # tusiva leans to dyspnoea, hence right of cough.
    fused = fuse(grounded(synonym=0.9, related=0.7), tos=(7, 24, 0), tusiva=(0, 24, 7))

    assert names(fused.concepts) == ["fever", "cough", "tusiva", "dyspnoea"]
    assert [c.status for c in fused.concepts] == ["scaffold", "merged", "inserted", "scaffold"]
    assert fused.concepts[1].local_name == "tos"


def test_a_synonym_of_an_inserted_concept_is_inserted_too() -> None:
    fused = fuse(grounded(synonym=0.9, related=0.7), flema=(12, 20, 9), esputo=(12, 20, 9))

    assert [c.status for c in fused.concepts] == ["scaffold", "inserted", "inserted", "scaffold", "scaffold"]
    assert {c.anchor for c in fused.concepts if c.name == "esputo"} == {"flema"}


def test_without_a_predecessor_what_passages_support_is_promoted_to_the_end_of_the_chain() -> None:
    fused = fuse(grounded(synonym=0.9, related=0.7), dengue=(2, 1, 2), mal_de_ojo=(2, 2, 1))

    promoted = promote(fused, [("dengue", ("psg_1", "psg_2")), ("mal_de_ojo", ())])

    assert names(promoted.concepts) == ["fever", "cough", "dyspnoea", "dengue"]
    assert (promoted.concepts[3].status, promoted.concepts[3].position) == ("promoted", 3)
    assert promoted.concepts[3].passages == ("psg_1", "psg_2")
    assert [(c.name, c.status) for c in promoted.aside] == [("mal_de_ojo", "unconfirmed")]


def test_what_passages_support_is_promoted_behind_what_came_before_it_in_the_local_chain() -> None:
    fused = fuse(grounded(synonym=0.9, related=0.7), tos=(7, 24, 0), dengue=(2, 1, 2), chikunguña=(2, 2, 1))

    promoted = promote(fused, [("dengue", ("psg_1",)), ("chikunguña", ("psg_2",))])

    assert names(promoted.concepts) == ["fever", "cough", "dengue", "chikunguña", "dyspnoea"]
    assert [c.position for c in promoted.concepts] == [0, 1, 2, 3, 4]


def test_what_the_paper_rejects_is_not_promoted() -> None:
    fused = fuse(PaperFusion(), dengue=(2, 1, 2))

    assert promote(fused, [("dengue", ("psg_1",))]) == fused


# What a denied concept is compared by is its core, so the vectors are those of the cores.
DENIED = {"tos": (7.0, 24.0, 0.0), "flema": (12.0, 20.0, 9.0)}


def denied(strategy: FusionStrategy, *names: str) -> FusedChain:
    return strategy(english(*AXES), local(*names), embedding({**AXES, **DENIED}))


def test_what_one_side_denies_and_the_other_asserts_is_a_contradiction() -> None:
    fused = denied(grounded(synonym=0.9, related=0.7), "sin tos")

    (found,) = fused.contradictions
    assert (found.english, found.english_polarity, found.local, found.local_polarity) == (
        "cough",
        "present",
        "sin tos",
        "absent",
    )
    assert found.similarity == pytest.approx(0.96)


def test_a_contradiction_never_enters_the_chain() -> None:
    fused = denied(grounded(synonym=0.9, related=0.7), "sin tos")

    assert names(fused.concepts) == ["fever", "cough", "dyspnoea"]
    assert [(c.name, c.status, c.polarity) for c in fused.aside] == [("sin tos", "contradicted", "absent")]


def test_what_both_sides_deny_is_merged() -> None:
    vectors = {"fever": (1.0, 0.0), "fiebre": (24.0, 7.0)}

    fused = grounded(0.9, 0.7)(english("no fever"), local("sin fiebre"), embedding(vectors))

    (merged,) = fused.concepts
    assert (merged.status, merged.polarity, fused.contradictions) == ("merged", "absent", ())


@pytest.mark.parametrize(
    ("ours", "theirs"), [("no aspirin", "aspirina contraindicada"), ("avoid aspirin", "sin aspirina")]
)
def test_what_one_side_denies_and_the_other_forbids_is_forbidden(ours: str, theirs: str) -> None:
    vectors = {"aspirin": (1.0, 0.0), "aspirina": (24.0, 7.0)}

    fused = grounded(0.9, 0.7)(english(ours), local(theirs), embedding(vectors))

    (merged,) = fused.concepts
    assert (merged.status, merged.polarity, fused.contradictions) == ("merged", "contraindicated", ())


def dosed(ours: str, theirs: str, strategy: FusionStrategy | None = None) -> FusedChain:
    """An English concept and a local one that are taken for the same."""
    vectors = {ours: (1.0, 0.0), theirs: (24.0, 7.0)}
    return (strategy or grounded(0.9, 0.7))(english(ours), local(theirs), embedding(vectors))


DOSES = ("amoxicillin 40 mg/kg", "amoxicilina 80 mg/kg")


def test_two_doses_of_one_medicine_are_a_contradiction() -> None:
    fused = dosed(*DOSES)

    (found,) = fused.contradictions
    assert (found.english, found.local, found.of_dose) == (*DOSES, True)
    assert [(c.name, c.local_name) for c in fused.concepts] == [(DOSES[0], None)]
    assert [(c.name, c.status) for c in fused.aside] == [(DOSES[1], "contradicted")]
    assert [(step.outcome, step.rule) for step in fused.decisions] == [("contradicted", "another_dose")]


def test_two_doses_are_a_contradiction_though_it_is_not_certain_that_the_medicine_is_one() -> None:
    vectors = {**CORNERS, DOSES[0]: CORNERS["cough"], DOSES[1]: CORNERS["tos"]}
    ours, theirs = english("fever", DOSES[0], "rash", "pain"), local("fiebre", DOSES[1], "exantema", "dolor")

    fused = DOUBTS(ours, theirs, embedding(vectors))

    assert [(c.english, c.local) for c in fused.contradictions] == [DOSES]


def test_what_one_side_denies_is_no_matter_of_its_dose() -> None:
    vectors = {DOSES[0]: (1.0, 0.0), DOSES[1]: (24.0, 7.0)}

    (found,) = grounded(0.9, 0.7)(english(DOSES[0]), local(f"evitar {DOSES[1]}"), embedding(vectors)).contradictions

    assert (found.of_dose, found.local_polarity) == (False, "contraindicated")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("amoxicillin 40 mg/kg", "amoxicilina"),
        ("amoxicillin 40 mg/kg/day", "amoxicilina 40 mg por kg al día"),
        ("paracetamol 1 g", "paracetamol 1000 mg"),
        ("paracetamol 1,000 mg", "paracetamol 1 g"),
        ("amoxicillin 1.5 g", "amoxicilina 1,5 g"),
        ("digoxin 0.125 mg", "digoxina 125 mcg"),
        ("saline 1 litre", "suero salino 1000 ml"),
        ("fever for 3 days", "fiebre de 5 días"),
    ],
)
def test_one_dose_in_other_words_is_merged(ours: str, theirs: str) -> None:
    fused = dosed(ours, theirs)

    assert [(c.local_name, c.status) for c in fused.concepts] == [(theirs, "merged")]
    assert fused.contradictions == ()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("amoxicillin 40 mg/kg", "amoxicilina 40 mg"),
        ("amoxicillin 40 mg/kg/day", "amoxicilina 40 mg/kg"),
        ("amoxicillin 40 mg", "amoxicilina 40 g"),
        ("amoxicillin 40-45 mg/kg", "amoxicilina 40-90 mg/kg"),
        ("amoxicillin 40-90 mg/kg", "amoxicilina 40 mg/kg"),
        ("paracetamol 1 mg", "paracetamol 1.000 mg"),
        ("insulin 10 units", "insulina 10 ml"),
        ("avoid aspirin 100 mg", "evitar aspirina 300 mg"),
    ],
)
def test_where_two_doses_cannot_be_told_to_be_one_they_are_a_contradiction(ours: str, theirs: str) -> None:
    cores = [chain.concepts[0].compared for chain in (english(ours), local(theirs))]
    vectors = dict(zip(cores, ((1.0, 0.0), (24.0, 7.0)), strict=True))

    fused = grounded(0.9, 0.7)(english(ours), local(theirs), embedding(vectors))

    assert [found.of_dose for found in fused.contradictions] == [True]


def test_the_paper_knows_no_doses() -> None:
    fused = dosed(*DOSES, PaperFusion())

    assert (fused.contradictions, fused.aside) == ((), ())


def test_a_denied_concept_is_not_inserted_beside_an_asserted_one() -> None:
    fused = denied(grounded(synonym=0.9, related=0.7), "sin flema")

    assert names(fused.concepts) == ["fever", "cough", "dyspnoea"]
    assert [(c.name, c.status) for c in fused.aside] == [("sin flema", "unconfirmed")]
    assert fused.decisions[0].rule == "opposite_polarity"


def test_a_contradiction_is_not_promoted() -> None:
    fused = denied(grounded(synonym=0.9, related=0.7), "sin tos")

    assert promote(fused, [("sin tos", ("psg_1",))]) == fused


def test_of_two_equally_near_concepts_the_one_that_is_denied_alike_is_the_synonym() -> None:
    vectors = {"fever": (1.0, 0.0), "fiebre": (24.0, 7.0)}

    fused = grounded(0.9, 0.7)(english("fever"), local("sin fiebre", "fiebre"), embedding(vectors))

    assert [(c.name, c.local_name) for c in fused.concepts] == [("fever", "fiebre")]


def replayed(scaffold: Sequence[str], decisions: Sequence[Decision]) -> list[tuple[str, str | None]]:
    """The chain that the decisions make of an English one: names, and local names of merged ones."""
    made: list[tuple[str, str | None]] = [(name, None) for name in scaffold]
    for step in decisions:
        if step.outcome == "merged":
            made = [(name, step.concept if name == step.anchor else known) for name, known in made]
        elif step.outcome in ("inserted", "promoted"):
            assert step.position is not None
            made.insert(step.position, (step.concept, None))
    return made


def test_the_decisions_alone_lead_from_the_english_chain_to_the_fused_one() -> None:
    vectors = {**AXES, **DENIED, "dengue": (2.0, 1.0, 2.0), "mal de ojo": (2.0, 2.0, 1.0)}
    chains = english(*AXES), local("tos", "dengue", "mal de ojo", "flema")

    fused = promote(grounded(0.9, 0.7)(*chains, embedding(vectors)), [("dengue", ("psg_1",))])

    assert replayed(list(AXES), fused.decisions) == [(c.name, c.local_name) for c in fused.concepts]
    assert [(step.concept, step.outcome, step.rule) for step in fused.decisions] == [
        ("tos", "merged", "synonym"),
        ("dengue", "local_only", "unrelated"),
        ("mal de ojo", "local_only", "unrelated"),
        ("flema", "inserted", "nearer_left"),
        ("dengue", "promoted", "behind_predecessor"),
        ("mal de ojo", "unconfirmed", "no_passage"),
    ]


# Each language in a corner of its own, and what a concept means a small part of its vector.
CORNERS = {
    "fever": (9, 0, 1, 0, 0),
    "cough": (9, 0, 0, 1, 0),
    "rash": (9, 0, 0, 0, 1),
    "pain": (9, 0, -1, -1, -1),
    "fiebre": (9, 7, 1, 0, 0),
    "tos": (9, 7, 0, 1, 0),
    "exantema": (9, 7, 0, 0, 1),
    "dolor": (9, 7, -1, -1, -1),
}
DOUBTS = GroundedFusion(Synonyms(0.9, centred=0.6, certain=1.1), 1.1)


def doubted(*supported: str) -> FusedChain:
    """Four synonyms, all of them uncertain, of which passages have some."""
    ours, theirs = list(CORNERS)[:4], list(CORNERS)[4:]
    fused = DOUBTS(english(*ours), local(*theirs), embedding(CORNERS))
    return promote(fused, [(name, ("psg_1",)) for name in supported])


def test_an_uncertain_synonym_that_no_passage_has_is_merged() -> None:
    fused = doubted()

    assert [c.local_name for c in fused.concepts] == ["fiebre", "tos", "exantema", "dolor"]
    assert {(d.outcome, d.rule) for d in fused.decisions[4:]} == {("merged", "synonym")}
    assert fused.aside == ()


def test_an_uncertain_synonym_that_a_passage_has_is_a_concept_of_its_own_behind_its_anchor() -> None:
    fused = doubted("tos")

    assert names(fused.concepts) == ["fever", "cough", "tos", "rash", "pain"]
    assert (fused.concepts[2].status, fused.concepts[2].passages) == ("promoted", ("psg_1",))
    assert fused.concepts[1].local_name is None


@pytest.mark.parametrize("supported", [(), ("fiebre",), ("tos", "dolor"), ("fiebre", "tos", "exantema", "dolor")])
def test_decisions_in_doubt_lead_to_the_chain_too(supported: tuple[str, ...]) -> None:
    fused = doubted(*supported)

    assert replayed(list(CORNERS)[:4], fused.decisions) == [(c.name, c.local_name) for c in fused.concepts]


def test_an_uncertain_synonym_that_says_the_opposite_is_a_contradiction_all_the_same() -> None:
    vectors = {**CORNERS, "sin tos": CORNERS["tos"]}
    ours = list(CORNERS)[:4]

    fused = DOUBTS(english(*ours), local("fiebre", "sin tos", "exantema", "dolor"), embedding(vectors))

    assert [(c.english, c.local) for c in fused.contradictions] == [("cough", "sin tos")]


def test_the_papers_decisions_lead_to_its_chain_too() -> None:
    fused = fuse(PaperFusion(), rejected=(2, 1, 2), inserted=(12, 20, 9), beside=(3, 4, 0))

    assert replayed(list(AXES), fused.decisions) == [(name, None) for name in names(fused.concepts)]
    assert [step.outcome for step in fused.decisions] == ["rejected", "inserted", "inserted"]


def test_the_paper_knows_no_polarity() -> None:
    fused = PaperFusion()(english(*AXES), local("sin tos"), embedding({**AXES, "sin tos": (7.0, 24.0, 0.0)}))

    assert (names(fused.aside), fused.contradictions) == ([], ())


def test_side_by_side_the_local_chain_follows_the_english_one_and_nothing_is_embedded() -> None:
    fused = SideBySide()(english("fever", "cough"), local("tos", "fiebre"), nothing_to_embed)

    assert names(fused.concepts) == ["fever", "cough", "tos", "fiebre"]
    assert [concept.origin for concept in fused.concepts] == ["english", "english", "local", "local"]
    assert [(decision.outcome, decision.position) for decision in fused.decisions] == [("inserted", 2), ("inserted", 3)]


def test_side_by_side_a_denied_concept_stands_beside_what_it_denies() -> None:
    fused = SideBySide()(english("fever"), local("sin fiebre"), nothing_to_embed)

    assert (names(fused.concepts), fused.contradictions, fused.aside) == (["fever", "sin fiebre"], (), ())
