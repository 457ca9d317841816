"""What a person typed becomes a case, or a sentence that says what to change."""

import re

import pytest

from agents.consultation import first_look, prepare
from agents.errors import BadOptions, CaseTooLong, EmptyCase, LanguageUnclear, UnknownLanguage
from agents.messages import MAX_CASE_CHARACTERS, MAX_OPTIONS
from tests.agents.cases import ENGLISH, SPANISH


def test_a_case_keeps_its_text_and_finds_its_language() -> None:
    case = prepare(f"\n  {SPANISH} \n")

    assert (case.text, case.language, case.language_found) == (SPANISH, "es", "identified")
    assert (case.english, case.options, case.hypothesis) == (None, (), None)


def test_how_the_language_was_found_is_part_of_the_case() -> None:
    found = prepare(SPANISH).identification

    assert found is not None
    assert (found.language, found.found, found.by) == ("es", "identified", "words")
    assert found.confidence > 0.9


def test_a_case_that_tells_no_language_is_in_the_local_one() -> None:
    case = prepare("amoxicillin 500 mg", local="sw")

    assert (case.language, case.language_found) == ("sw", "assumed")


def test_a_first_look_speaks_the_local_language_where_the_case_tells_none() -> None:
    raised = first_look("SpO2 70", local="es")

    assert raised is not None
    assert raised.language == "es"


def test_a_given_language_is_not_questioned() -> None:
    case = prepare(SPANISH, spoken="pt-BR")

    assert (case.language, case.language_found) == ("pt", "given")


def test_the_language_is_one_of_those_configured() -> None:
    assert prepare(SPANISH, configured=("en", "pt", "ja")).language == "pt"


@pytest.mark.parametrize("text", ["", " \n\t ", "?!…", "\x00\x00", "\u200b"])
def test_an_empty_case_is_refused(text: str) -> None:
    with pytest.raises(EmptyCase, match="describe the patient"):
        prepare(text)


def test_a_case_of_the_greatest_length_is_read() -> None:
    text = (SPANISH + " ") * 200

    assert len(prepare(text[:MAX_CASE_CHARACTERS].strip().ljust(MAX_CASE_CHARACTERS, ".")).text) == MAX_CASE_CHARACTERS


@pytest.mark.parametrize("field", ["text", "english"])
def test_a_case_that_is_too_long_is_refused_with_its_length(field: str) -> None:
    long = "fever " * (MAX_CASE_CHARACTERS // 6) + "fever"
    text, english = (long, None) if field == "text" else (SPANISH, long)

    with pytest.raises(CaseTooLong, match=re.escape("12,005 characters and 12,000 can be read")):
        prepare(text, english=english)


@pytest.mark.parametrize("count", [1, MAX_OPTIONS + 1])
def test_one_option_or_too_many_are_refused(count: int) -> None:
    with pytest.raises(BadOptions, match=f"There are {count} answer options; give between 2 and 10, or none"):
        prepare(SPANISH, options=["amoxicilina"] * count)


@pytest.mark.parametrize("count", [0, 2, MAX_OPTIONS])
def test_options_are_kept_in_their_order(count: int) -> None:
    options = [f"opción {number}" for number in range(count)]

    assert prepare(SPANISH, options=options).options == tuple(options)


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UnknownLanguage, match="'tlh' is not supported"):
        prepare(SPANISH, spoken="tlh")


@pytest.mark.parametrize("text", ["120/80", "39.5 38.2 40.1"])
def test_a_case_without_words_needs_its_language(text: str) -> None:
    with pytest.raises(LanguageUnclear, match="choose it"):
        prepare(text)

    assert prepare(text, spoken="es").text == text


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("fiebre\x00 alta", "fiebre alta"), ("fiebre \ud83d alta", "fiebre ? alta"), ("\udfff\x00fiebre", "?fiebre")],
    ids=["NUL", "first half", "second half and NUL"],
)
def test_what_no_file_can_hold_is_taken_out_everywhere(typed: str, kept: str) -> None:
    case = prepare(typed, spoken="es", english=typed, options=[typed, "tos"])

    assert (case.text, case.english, case.options) == (kept, kept, (kept, "tos"))
    assert case.model_dump_json().encode()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("45歳男性。amoxicillin 500 mg を1日3回内服中に発疹が出ました。", "ja"),
        ("طفل عمره 3 سنوات لديه حمى وسعال، SpO₂ 92 %، أخذ amoxicillin 250 mg.", "ar"),
        ("Пациент says: 3세 여아가 사흘째 기침과 발열이 있고 숨이 가쁩니다.", "ko"),
    ],
)
def test_a_case_in_several_scripts_is_kept_as_typed(text: str, language: str) -> None:
    case = prepare(text)

    assert (case.text, case.language) == (text, language)


def test_an_english_rendering_of_blanks_is_none() -> None:
    assert prepare(SPANISH, english="  \n").english is None
    assert prepare(SPANISH, english=f" {ENGLISH} ").english == ENGLISH


def test_a_first_look_tells_the_red_flags_in_the_language_of_the_case() -> None:
    raised = first_look("突然の胸痛と冷汗。")

    assert raised is not None
    assert (raised.language, raised.flags[0].words) == ("ja", "突然の胸痛と冷汗"[3:])
    assert "119" in raised.call


@pytest.mark.parametrize("text", ["SpO2 70", "SpO2 70 % " + "cough " * MAX_CASE_CHARACTERS])
def test_what_is_no_case_yet_is_looked_at_all_the_same(text: str) -> None:
    raised = first_look(text)

    assert raised is not None
    assert [flag.emergency for flag in raised.flags] == ["breathing_failure"]


def test_a_first_look_at_nothing_finds_nothing() -> None:
    assert first_look(" ") is None


def test_options_in_english_are_as_many_as_the_options() -> None:
    with pytest.raises(BadOptions, match="There are 2 answer options and 1 in English"):
        prepare(SPANISH, options=["amoxicilina", "reposo"], english_options=["amoxicillin"])
