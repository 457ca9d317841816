"""What the conclusion of a case may be, and how a model's text is read as one."""

import pytest

from agents.conclusions import (
    LABELS,
    admitted,
    closing,
    constrained,
    meaning,
    named,
    options,
    positions,
    read,
    request,
    stated,
)
from agents.consultation import prepare
from agents.errors import BadOptions, TwoTasks
from agents.languages import languages
from agents.messages import Case
from agents.reasoner import ListedConcepts
from tests.agents.cases import SPANISH

FOUR = ("amoxicilina", "ceftriaxona", "gentamicina", "ninguno")
TEN = tuple(f"opción {number}" for number in range(10))
STATEMENT = "La niña respira deprisa."


def choice(*listed: str) -> Case:
    return prepare(SPANISH, spoken="es", options=listed)


def entailment(language: str = "es") -> Case:
    return prepare(SPANISH, spoken=language, hypothesis=STATEMENT)


def test_a_case_in_free_text_admits_any_sentence() -> None:
    case = prepare(SPANISH, spoken="es")

    assert (admitted(case), read(" Neumonía. ", case), meaning("Neumonía.", case, "es")) == ((), "Neumonía.", "")


@pytest.mark.parametrize(("listed", "last"), [(FOUR, "D"), (TEN, "J")])
def test_options_admit_their_letters(listed: tuple[str, ...], last: str) -> None:
    letters = admitted(choice(*listed))

    assert (letters[0], letters[-1], len(letters)) == ("A", last, len(listed))


def test_a_hypothesis_admits_three_labels() -> None:
    assert admitted(entailment()) == LABELS == ("entailment", "neutral", "contradiction")


@pytest.mark.parametrize(
    ("written", "letter"),
    [
        ("B", "B"),
        ("b.", "B"),
        ("(B) ceftriaxona", "B"),
        ("**B**", "B"),
        ("Ｂ", "B"),
        ("B、ceftriaxona", "B"),
        ("La ceftriaxona es lo mejor.", "B"),
        ("CEFTRIAXONA", "B"),
        ("E", ""),
        ("amoxicilina o ceftriaxona", ""),
        ("Apendicitis.", ""),
        ("", ""),
    ],
)
def test_a_letter_or_the_options_own_words_are_read_as_its_letter(written: str, letter: str) -> None:
    assert read(written, choice(*FOUR)) == letter


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("neutral", "neutral"),
        ("Entailment.", "entailment"),
        ("The label is contradiction", "contradiction"),
        ("entailment or neutral", ""),
        ("quizás", ""),
    ],
)
def test_a_label_is_read_where_one_alone_is_named(written: str, label: str) -> None:
    assert read(written, entailment()) == label


@pytest.mark.parametrize(
    ("line", "letter"),
    [
        ("Answer: B", "B"),
        ("**Answer:** B.", "B"),
        ("Answer: (B) ceftriaxona", "B"),
        ("Final answer: B - ceftriaxona", "B"),
        ("Opciones descartadas: B) ceftriaxona, porque", ""),
        ("答え：Ｂ", "B"),
        ("Answer: B: ceftriaxona", "B"),
        ("Conclusion: Ceftriaxona.", "B"),
        ("Answer: A or B", ""),
        ("Answer: A, B", ""),
        ("Respuesta: A los tres días, ceftriaxona", ""),
        ("Conclusion: not ceftriaxona", ""),
        ("Answer: E", ""),
        ("B", ""),
        (": B", ""),
        ("The answer is B.", ""),
        ("", ""),
    ],
)
def test_an_argument_states_what_its_last_line_names_alone(line: str, letter: str) -> None:
    argument = f"Answer: D\n\nFiebre y crepitantes: neumonía.\n{line}"

    assert stated(argument if line else "", choice(*FOUR)) == letter


def test_several_letters_are_stated_where_nothing_else_stands_between_them() -> None:
    case = prepare(SPANISH, spoken="es", options=FOUR, several=True)

    lines = ("Answer: C, A", "Answer: A and D", "Answer: A porque", "Answer: A, E", "Options: A, B", "Respuesta: B")
    assert [stated(line, case) for line in lines] == ["A, C", "A, D", "", "", "", "B"]


def test_a_label_is_stated() -> None:
    lines = ("Answer: Neutral.", "Answer: entailment or neutral", "neutral")
    assert [stated(line, entailment()) for line in lines] == ["neutral", "", ""]


def test_a_sentence_is_never_stated_and_never_asked_for_as_a_last_line() -> None:
    case = prepare(SPANISH, spoken="es")

    assert (stated("Conclusion: pneumonia", case), closing(case)) == ("", "")


def test_a_last_line_is_asked_for_as_it_is_read() -> None:
    several = prepare(SPANISH, spoken="es", options=FOUR, several=True)

    assert closing(choice(*FOUR)).endswith('"Answer: " and one letter: A, B, C, D.')
    assert closing(several).endswith('"Answer: " and the letters of all right options, such as A or A, B.')
    assert closing(entailment()).endswith('"Answer: " and one label: entailment, neutral, contradiction.')


def test_what_the_argument_states_is_the_only_conclusion_of_its_form() -> None:
    case = choice(*FOUR)
    among = [
        constrained(ListedConcepts, case, stated(said, case)).model_json_schema()["properties"]["conclusion"]["enum"]
        for said in ("Fiebre.\nAnswer: C", "Fiebre.")
    ]

    assert among == [["C"], ["A", "B", "C", "D"]]


def test_options_that_are_letters_are_meant_by_their_place() -> None:
    case = choice("B", "A", "D", "C")

    assert [meaning(letter, case, "es") for letter in "ABCD"] == ["B", "A", "D", "C"]
    assert read("A", case) == "A"


def test_letters_in_front_of_all_options_in_order_are_their_own_and_left_out() -> None:
    assert options(["A. sí", "b) no", "(C) quizás", "D、nunca"]) == ("sí", "no", "quizás", "nunca")


@pytest.mark.parametrize("listed", [["A. sí", "C. no"], ["A. sí", "no"], ["E. coli", "B. subtilis"]])
def test_letters_that_are_not_those_of_the_places_are_kept(listed: list[str]) -> None:
    assert options(listed) == tuple(listed)


def test_an_empty_option_is_refused_with_its_letter() -> None:
    with pytest.raises(BadOptions, match="Answer option C is empty"):
        choice("sí", "no", " ")


@pytest.mark.parametrize("again", ["sí", " SÍ ", "ｓí"])
def test_the_same_option_twice_is_refused_with_both_letters(again: str) -> None:
    with pytest.raises(BadOptions, match="options A and C are the same"):
        choice("sí", "no", again)


def test_options_and_a_hypothesis_at_once_are_refused() -> None:
    with pytest.raises(TwoTasks, match="give one of them"):
        prepare(SPANISH, spoken="es", options=FOUR, hypothesis=STATEMENT)


def test_a_hypothesis_of_blanks_is_none() -> None:
    assert prepare(SPANISH, spoken="es", options=FOUR, hypothesis=" \n").hypothesis is None


@pytest.mark.parametrize("case", [choice(*TEN), entailment()], ids=["options", "hypothesis"])
def test_the_form_of_a_listing_admits_those_conclusions_and_no_others(case: Case) -> None:
    schema = constrained(ListedConcepts, case, "").model_json_schema()

    assert schema["properties"]["conclusion"]["enum"] == list(admitted(case))
    assert list(schema["properties"]) == list(ListedConcepts.model_fields)


def test_the_form_of_a_case_in_free_text_is_as_it_was() -> None:
    assert constrained(ListedConcepts, prepare(SPANISH, spoken="es"), "") is ListedConcepts


def test_a_model_is_asked_for_what_is_admitted() -> None:
    assert request(choice(*FOUR)) == "The conclusion is one letter only: A, B, C, D."
    assert request(entailment()) == "The conclusion is one label only: entailment, neutral, contradiction."
    assert request(prepare(SPANISH, spoken="es")) == ""


@pytest.mark.parametrize("code", languages())
def test_a_label_means_a_sentence_in_every_language(code: str) -> None:
    meant = [meaning(label, entailment(code), code) for label in LABELS]

    assert len(set(meant)) == 3
    assert all(meant)


def test_a_conclusion_is_shown_with_what_it_means() -> None:
    assert named("B", "ceftriaxona") == "B: ceftriaxona"
    assert named("Neumonía.", "") == "Neumonía."
    assert named("", "") == ""


def several(*listed: str) -> Case:
    return prepare(SPANISH, spoken="es", options=listed, several=True)


def test_several_options_admit_every_set_of_their_letters_in_order() -> None:
    assert admitted(several("uno", "dos", "tres")) == ("A", "B", "C", "A, B", "A, C", "B, C", "A, B, C")


@pytest.mark.parametrize(
    ("written", "conclusion"),
    [
        ("A, C", "A, C"),
        ("c and a", "A, C"),
        ("B", "B"),
        ("D; A; A", "A, D"),
        ("(B, D)", "B, D"),
        ("Gentamicina y amoxicilina.", "A, C"),
        ("A, F", ""),
        ("quizás", ""),
        ("", ""),
    ],
)
def test_several_letters_or_the_options_own_words_are_read_in_order(written: str, conclusion: str) -> None:
    assert read(written, several(*FOUR)) == conclusion


def test_several_letters_mean_all_of_their_options_and_name_their_places() -> None:
    case = several(*FOUR)

    assert meaning("A, C", case, "es") == "amoxicilina; gentamicina"
    assert [positions(conclusion) for conclusion in ("A, C", "D", "")] == [(0, 2), (3,), ()]


def test_where_several_may_be_right_all_right_ones_are_asked_for() -> None:
    assert request(several(*FOUR)).endswith("the letters of all right options, one or more, such as A or A, B.")


def test_a_case_without_options_never_has_several_right_ones() -> None:
    assert not prepare(SPANISH, spoken="es", several=True).several
