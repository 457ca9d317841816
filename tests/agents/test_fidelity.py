"""What an English rendering has lost of a case or added to it."""

import tomllib
from importlib.resources import files

import pytest

from agents.fidelity import faults
from agents.languages import languages

SPANISH = "Niña de 3 años, fiebre de 39,5 °C, sin tiraje. Recibió amoxicilina 250 mg cada 8 horas."
ENGLISH = "3-year-old girl, fever of 39.5 °C, no chest indrawing. She received amoxicillin 250 mg every 8 hours."


def kinds(source: str, language: str, english: str) -> list[tuple[str, str, str]]:
    return [(fault.kind, fault.change, fault.words) for fault in faults(source, language, english)]


def test_a_faithful_rendering_has_no_faults() -> None:
    assert faults(SPANISH, "es", ENGLISH) == ()


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("39.5", "38.5", [("number", "lost", "39.5 °C"), ("number", "added", "38.5 °C")]),
        ("250 mg every", "every", [("number", "lost", "250 mg")]),
        ("250 mg", "250 g", [("unit", "lost", "250 mg")]),
        ("8 hours", "8 days", [("unit", "lost", "8 hour")]),
        ("amoxicillin", "ampicillin", [("drug", "lost", "amoxicillin"), ("drug", "added", "ampicillin")]),
    ],
)
def test_what_was_changed_is_found_and_named(before: str, after: str, found: list[tuple[str, str, str]]) -> None:
    assert kinds(SPANISH, "es", ENGLISH.replace(before, after)) == found


def test_a_lost_denial_is_named_by_the_sentence_that_denies() -> None:
    assert kinds(SPANISH, "es", ENGLISH.replace("no chest", "chest")) == [
        ("negation", "lost", "Niña de 3 años, fiebre de 39,5 °C, sin tiraje.")
    ]


def test_a_denial_that_the_case_does_not_have_is_named() -> None:
    assert kinds("Fiebre y tos.", "es", "No fever, cough.") == [("negation", "added", "No fever, cough.")]


def test_a_dose_that_stands_twice_must_stand_twice() -> None:
    found = kinds("Dar 5 mg hoy y 5 mg mañana.", "es", "Give 5 mg today and tomorrow.")

    assert found == [("number", "lost", "5 mg")]


@pytest.mark.parametrize(
    ("source", "language", "english"),
    [
        ("Tiene dos hijos y 24 horas de fiebre.", "es", "She has 2 children and twenty-four hours of fever."),
        ("2020年4月17日入院，血小板22万。", "zh", "Admitted on 17 April 2020, platelets 220,000."),
        ("誘因なく咳嗽あり。", "ja", "Cough without a trigger."),
        ("Paciente afebril.", "es", "Patient without fever."),
        ("Niega fumar.", "es", "He does not smoke."),
        ("No fuma.", "es", "Non-smoker."),
        ("Leucocitos 12.000.", "es", "White cells 12,000."),
        ("3.5万の血小板", "ja", "35,000 platelets"),
        ("عمره ٣ سنوات.", "ar", "He is 3 years old."),
        ("1) tos\n2) fiebre", "es", "a) cough\nb) fever"),
        ("Cama nº 8.", "es", "Bed no. 8."),
        ("Niveles de óxido nítrico altos.", "es", "High NO levels."),
        ("1日1回内服", "ja", "taken once daily"),
    ],
)
def test_what_english_says_in_another_way_is_no_fault(source: str, language: str, english: str) -> None:
    assert kinds(source, language, english) == []


@pytest.mark.parametrize(
    ("source", "english"),
    [
        ("위의 1,2,3만 해당", "Only 1, 2 and 3 above apply."),
        ("1.2.3만 해당", "Only 1.2.3 applies."),
        ("혈소판 ５만", "Platelets 50,000."),
        ("1..2만", "1..2"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_number_of_any_form_is_compared(source: str, english: str) -> None:
    assert faults(source, "ko", english) is not None
    assert faults(source, "ko", source) is not None


def test_denials_are_not_compared_where_the_words_of_the_language_are_known_too_badly() -> None:
    assert kinds("Ingane ayikhwehleli.", "zu", "The child coughs.") == []


def test_the_tables_name_languages_that_the_product_has() -> None:
    table = tomllib.loads(files("agents").joinpath("fidelity.toml").read_text("utf-8"))

    assert {*table["unjudged"], *table["perhaps"]} == set(languages())
