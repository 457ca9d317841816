"""Which language a case is taken to be in, how sure that is, and when the clinician is asked."""

import pytest

from agents.errors import LanguageUnclear
from agents.identification import given, identification
from agents.languages import languages
from agents.messages import Identification
from tests.agents.test_languages import MIXED, SENTENCES

ALL = tuple(languages())
CLINICAL = {
    "sw": "mtoto ana homa, SpO2 88%, alipewa amoxicillin 250 mg",
    "zu": "ingane ine-fever ne-SpO2 88%, ithathe i-amoxicillin",
    "ja": "BP 180/110、chest painあり",
    "zh": "CT示SAH，BP 180/110",
    "yo": "alaisan ni iba, RDT positive fun ojo meta",
    "en": "58F DM HTN with SOB for 3 days",
}
ROMANISED = {
    "ja": "58 sai dansei, mune ga itai, netsu 38 do",
    "zh": "huanzhe nan, fashao san tian, kesou",
    "hi": "bachche ko teen din se bukhar aur khansi hai",
    "ar": "3ando sokhoneya w ko7a men 3 ayam",
}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_clinical_sentence_is_identified_with_confidence(code: str) -> None:
    found = identification(SENTENCES[code], ALL)

    assert (found.language, found.found) == (code, "identified")
    assert found.confidence > 0.8


@pytest.mark.parametrize(("code", "text"), [*MIXED.items(), *CLINICAL.items()])
def test_english_abbreviations_and_medicines_within_a_text_do_not_change_its_language(code: str, text: str) -> None:
    assert identification(text, ALL).language == code


@pytest.mark.parametrize("code", ROMANISED)
def test_another_script_typed_in_latin_letters_is_recognised_and_said_so(code: str) -> None:
    found = identification(ROMANISED[code], ALL)

    assert (found.language, found.by) == (code, "romanised")


def test_a_romanised_language_that_is_not_configured_is_asked_for() -> None:
    with pytest.raises(LanguageUnclear, match="choose it and ask again"):
        identification(ROMANISED["hi"], ("ja", "zh"))


@pytest.mark.parametrize("text", ["amoxicillin 500 mg", "BP 180/110 HR 120 SpO2 88%", "120/80, 39.5", "???"])
def test_medicines_and_numbers_alone_tell_no_language(text: str) -> None:
    with pytest.raises(LanguageUnclear, match="choose it and ask again"):
        identification(text, ALL)


@pytest.mark.parametrize("text", ["amoxicillin 500 mg", "BP 180/110 HR 120 SpO2 88%", "120/80, 39.5"])
def test_what_tells_no_language_is_in_the_local_one(text: str) -> None:
    assert identification(text, ALL, "sw") == Identification(
        language="sw", found="assumed", by="nothing", confidence=0.0
    )


@pytest.mark.parametrize("local", ["ja", "zh"])
def test_the_local_language_wins_where_chinese_and_japanese_are_written_the_same(local: str) -> None:
    assert identification("胸痛", ALL, local).language == local


def test_an_assumed_language_names_the_likelier_one_as_runner_up() -> None:
    found = identification("胸痛", ALL, "ja")

    assert (found.found, found.runner_up) == ("assumed", "zh")
    assert found.runner_up_confidence > found.confidence


@pytest.mark.parametrize("code", ["es", "sw", "ja", "th"])
def test_the_local_language_does_not_win_over_a_clear_one(code: str) -> None:
    assert identification(SENTENCES[code], ALL, "en").language == code


@pytest.mark.parametrize(("text", "code"), [("両側の脳梗塞疑", "ja"), ("脑梗塞待查", "zh"), ("發燒三天", "zh")])
def test_han_characters_of_one_side_tell_chinese_from_japanese(text: str, code: str) -> None:
    assert identification(text, ALL).language == code


def test_a_foreign_term_within_an_english_question_leaves_it_english() -> None:
    assert identification("What does 上火 mean in my patient with fever?", ALL).language == "en"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Pasien mengeluh sakit kepala dan demam sejak kemarin", "Indonesian|Malay|could not"),
        ("بیمار سه روز است که تب و سرفه دارد", "Persian"),
        ("Пациент жалуется на боль в груди", "could not"),
    ],
)
def test_a_language_that_the_product_does_not_speak_is_not_taken_for_another(text: str, name: str) -> None:
    with pytest.raises(LanguageUnclear, match=name):
        identification(text, ALL)


def test_the_runner_up_stands_beside_the_language_found() -> None:
    found = identification("Paciente con fiebre", ALL)

    assert (found.language, found.found, found.by) == ("es", "identified", "words")
    assert found.runner_up in ALL
    assert found.confidence > found.runner_up_confidence


def test_where_one_language_is_configured_the_settings_say_it() -> None:
    found = identification(SENTENCES["ja"], ("sw",))

    assert (found.language, found.by, found.confidence) == ("sw", "settings", 1.0)


def test_a_language_that_the_clinician_has_chosen_is_certain() -> None:
    assert given("th") == Identification(language="th", found="given", by="clinician", confidence=1.0)


def test_a_text_in_capitals_is_read_as_words() -> None:
    assert identification("HOMBRE DE 58 AÑOS CON DOLOR Y FIEBRE", ALL).language == "es"
