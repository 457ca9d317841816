"""Which emergencies the fixed tables see in a case, and which they leave alone.

The cases stand in `red_flag_cases.toml` and, in other words, in `red_flag_paraphrases.toml`. Knows nothing of models
and screens.
"""

import tomllib
import unicodedata
from itertools import chain
from pathlib import Path

import pytest

from agents.consultation import unwatched
from agents.languages import phrase
from agents.messages import MAX_CASE_CHARACTERS
from agents.phrasebook import Phrasebook
from agents.red_flags import alarm, emergencies, red_flags, table
from tests.growth import is_linear

LANGUAGES = ("en", "zh", "ja", "ko", "th", "sw", "yo", "zu", "es", "fr", "de", "it")
CASES = tomllib.loads(Path(__file__).with_name("red_flag_cases.toml").read_text("utf-8"))
CHEST = "Crushing chest pain since an hour, radiating to the left arm."


def seen(text: str, language: str = "en") -> set[str]:
    return {flag.emergency for flag in red_flags(text, language)}


PARAPHRASES = tomllib.loads(Path(__file__).with_name("red_flag_paraphrases.toml").read_text("utf-8"))
POSITIVE = [(code, name, text) for code, cases in CASES.items() for name, text in cases.items() if name != "quiet"]


@pytest.mark.parametrize(("language", "emergency", "text"), POSITIVE)
def test_an_emergency_is_seen_in_every_language(language: str, emergency: str, text: str) -> None:
    assert emergency in seen(text, language)


@pytest.mark.parametrize(
    ("language", "text"), [(language, text) for language, cases in CASES.items() for text in cases["quiet"]]
)
def test_denials_history_questions_and_near_misses_are_left_alone(language: str, text: str) -> None:
    assert red_flags(text, language) == ()


@pytest.mark.parametrize(
    ("language", "emergency", "text"),
    [(code, name, text) for code, cases in PARAPHRASES.items() for name, text in cases.items() if name != "calm"],
)
def test_an_emergency_is_seen_in_other_words(language: str, emergency: str, text: str) -> None:
    assert emergency in seen(text, language)


@pytest.mark.parametrize(
    ("language", "text"), [(code, text) for code, cases in PARAPHRASES.items() for text in cases.get("calm", ())]
)
def test_ordinary_cases_are_left_alone(language: str, text: str) -> None:
    assert red_flags(text, language) == ()


def test_every_language_has_a_case_for_every_emergency() -> None:
    assert tuple(CASES) == LANGUAGES
    assert all(set(cases) - {"quiet"} == set(emergencies()) for cases in CASES.values())
    assert len(emergencies()) >= 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_has_the_words_of_every_emergency_and_finding(language: str) -> None:
    known = table(language)
    assert known is not None
    entries = chain.from_iterable(
        (*rule.near, *rule.anywhere, *rule.unless) for e in emergencies().values() for rule in e.rules
    )
    used = {part for entry in entries for part in entry.split("|") if " " not in part}

    assert set(known.findings) == used
    assert set(known.emergencies) == set(emergencies())
    assert all(words.name and words.action for words in known.emergencies.values())
    assert "$number" in known.say.call


def test_every_emergency_names_its_source() -> None:
    assert all(len(emergency.source) > 5 for emergency in emergencies().values())


@pytest.mark.parametrize(("language", "emergency", "text"), POSITIVE)
def test_the_form_of_the_characters_does_not_matter(language: str, emergency: str, text: str) -> None:
    for form in ("NFD", "NFKC"):
        assert emergency in seen(unicodedata.normalize(form, text), language)
    assert emergency in seen(text.upper(), language)


@pytest.mark.parametrize(
    ("language", "emergency", "text"), [case for case in POSITIVE if case[0] in ("yo", "es", "fr", "it")]
)
def test_accents_may_be_left_out(language: str, emergency: str, text: str) -> None:
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))

    assert emergency in seen(bare, language)


def test_a_flag_tells_where_its_words_stand_and_what_to_do() -> None:
    text = "今日は。６２歳、突然の胸痛と冷汗。"

    (flag,) = red_flags(text, "ja")

    assert (flag.words, text[flag.start : flag.end]) == ("胸痛と冷汗", "胸痛と冷汗")
    assert "心電図" in flag.action
    assert "AHA" in flag.source


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("en", "She has been lethargic, 12-day-old infant.", "lethargic"),
        ("es", "Recién nacido de 12 días letárgico", "letárgico"),
        ("es", "Tiene ideación suicida.", "suicida"),
        ("de", "Sie äußert Suizidgedanken.", "Suizidgedanken"),
        ("ja", "自殺念慮があります。", "自殺"),
    ],
)
def test_a_word_found_by_its_stem_is_told_whole_where_words_have_borders(language: str, text: str, words: str) -> None:
    assert words in {flag.words for flag in red_flags(text, language)}


@pytest.mark.parametrize("language", ["ar", "hi", "pt"])
def test_a_language_without_a_table_says_so_before_anything_is_opened(language: str) -> None:
    text = {"ar": "طفل عنده حمى وسعال منذ يومين", "hi": "बच्चे को दो दिन से बुखार है", "pt": "Criança com febre e tosse"}

    assert unwatched(text[language], spoken=language) == phrase("missing_red_flags", language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_with_a_table_has_nothing_to_say_of_it(language: str) -> None:
    assert unwatched(CASES[language]["sepsis"], spoken=language) == ""


def test_what_is_no_case_yet_has_no_language_to_speak_of() -> None:
    assert unwatched("") == ""


def test_a_flag_is_raised_once_however_often_it_is_said() -> None:
    assert [flag.emergency for flag in red_flags(CHEST * 5, "en")] == ["acute_coronary"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "ceftriaxone投与後 wheezing あり"),
        ("th", "ผู้ป่วย chest pain with sweating มา 1 ชม."),
        ("sw", "Mgonjwa ana severe chest pain na sweating tangu asubuhi"),
    ],
)
def test_english_words_are_seen_in_other_languages(language: str, text: str) -> None:
    assert red_flags(text, language)


def test_a_language_without_a_table_is_read_with_the_english_one() -> None:
    (flag,) = red_flags(CHEST, "pt")

    assert flag.name == "Possible heart attack"


@pytest.mark.parametrize(
    ("text", "emergency", "raised"),
    [
        ("SpO2 89 %", "breathing_failure", True),
        ("SpO2 90 %", "breathing_failure", False),
        ("SpO2 <90 %", "breathing_failure", True),
        ("ＳｐＯ２：８８％", "breathing_failure", True),
        ("SpO2 ٨٨٪", "breathing_failure", True),
        ("SpO2 ๘๘%", "breathing_failure", True),
        ("SpO2 normal, Hct 38 %", "breathing_failure", False),
        ("FiO2 40 %, SpO2 97 %", "breathing_failure", False),
        ("40-year-old, RR 31/min", "breathing_failure", True),
        ("40-year-old, RR 110/70", "breathing_failure", False),
        ("40-year-old, RR 30/min", "breathing_failure", False),
        ("2-year-old, RR 38/min", "breathing_failure", False),
        ("BP 89/60 mmHg", "shock", True),
        ("BP 90/60 mmHg", "shock", False),
        ("2-year-old, BP 85/50 mmHg", "shock", False),
        ("30-year-old mother of a 2-year-old, BP 85/50 mmHg", "shock", True),
        ("Hombre, fumador desde hace 10 años, TA 80/50", "shock", True),
        ("BP 70/palp", "shock", True),
        ("BP 70/P", "shock", True),
        ("BP 70 / P, cold", "shock", True),
        ("BP 70 mmHg", "shock", True),
        ("BP is 70 mmHg", "shock", True),
        ("BP <80 mmHg", "shock", True),
        ("blood pressure 70 systolic", "shock", True),
        ("blood pressure 70 systolic, pulse 140", "shock", True),
        ("BP 70 over palp", "shock", True),
        ("fever 39 °C, confusion, BP 80/palp", "sepsis", True),
        ("BP cuff 70 cm", "shock", False),
        ("BP cuff 70 mmHg", "shock", False),
        ("BP 70", "shock", False),
        ("BP 120/70 mmHg", "shock", False),
        ("BP 120 mmHg / 70 mmHg", "shock", False),
        ("BP 120 systolic over 80 diastolic", "shock", False),
        ("mean BP 70 mmHg, MAP 70 mmHg", "shock", False),
        ("diastolic blood pressure 70 mmHg", "shock", False),
        ("2-year-old, BP 70/palp", "shock", False),
        ("Pregnant, BP 160/90", "severe_preeclampsia", True),
        ("Pregnant, BP 150/110", "severe_preeclampsia", True),
        ("Pregnant, BP 159/109", "severe_preeclampsia", False),
        ("BP 180/100 and headache", "hypertensive_emergency", True),
        ("BP 179/119 and headache", "hypertensive_emergency", False),
        ("BP 180/120", "hypertensive_emergency", False),
        ("TA 18/12 et headache", "hypertensive_emergency", True),
        ("20-day-old, temperature 37.5 °C", "young_infant", True),
        ("20-day-old, temperature 37,5 °C", "young_infant", True),
        ("20-day-old, temperature 37.4 °C", "young_infant", False),
        ("20-day-old, temperature 35.4 °C", "young_infant", True),
        ("20-day-old, temperature 100.4 °F", "young_infant", True),
        ("59-day-old, RR 60/min", "young_infant", True),
        ("59-day-old, RR 59/min", "young_infant", False),
        ("3-month-old, RR 60/min, temperature 38 °C", "young_infant", False),
        ("Glucose 69 mg/dL, drowsy", "hypoglycaemia", True),
        ("Glucose 70 mg/dL, drowsy", "hypoglycaemia", False),
        ("Glucose 3.8 mmol/L, drowsy", "hypoglycaemia", True),
        ("Glucose 4.1 mmol/L, drowsy", "hypoglycaemia", False),
        ("Glycaemia 0.6 g/L, drowsy", "hypoglycaemia", True),
        ("Seizure for 5 minutes", "status_epilepticus", True),
        ("Seizure for 4 minutes", "status_epilepticus", False),
        ("GCS 8", "unconscious", True),
        ("GCS 9", "unconscious", False),
        ("Burns of 10 %", "burns", True),
        ("Burns of 9 %", "burns", False),
        ("Burns of 5 %, SpO2 97 %", "burns", False),
    ],
)
def test_numbers_are_compared_as_numbers(text: str, emergency: str, raised: bool) -> None:
    assert (emergency in seen(text)) is raised


@pytest.mark.parametrize(
    ("language", "text", "raised"),
    [
        ("ja", "血圧70mmHg", True),
        ("ja", "血圧 70/触診", True),
        ("ja", "拡張期血圧70mmHg", False),
        ("zh", "血压70mmHg", True),
        ("zh", "平均血压70mmHg", False),
        ("ko", "혈압 70mmHg", True),
        ("ko", "혈압 70/촉진", True),
        ("ko", "이완기혈압 70mmHg", False),
        ("th", "ความดัน 70 mmHg", True),
        ("th", "ความดันตัวล่าง 70 mmHg", False),
        ("es", "TA 70/palpación", True),
        ("es", "Tensión arterial de 70 mmHg", True),
        ("es", "Presión intraocular 40 mmHg", False),
        ("de", "Blutdruck 70 mmHg", True),
        ("de", "RR 70/palp.", True),
        ("de", "Diastolischer Blutdruck 70 mmHg", False),
        ("fr", "Pression artérielle est 70 mmHg", True),
        ("it", "Pressione oculare 40 mmHg", False),
        ("sw", "Presha ni 70 mmHg", True),
    ],
)
def test_a_systolic_pressure_may_stand_alone_in_every_language(language: str, text: str, raised: bool) -> None:
    assert ("shock" in seen(text, language)) is raised


@pytest.mark.parametrize(
    ("text", "raised"),
    [
        ("No fever, severe chest pain and sweating.", True),
        ("No fever, chest pain or sweating.", False),
        ("No relief of chest pain after nitrates, sweating.", True),
        ("No cough but chest pain and sweating.", True),
        ("Chest pain without sweating.", False),
        ("History of hypertension, now chest pain and sweating.", True),
        ("Chest pain and sweating three years ago.", False),
        ("Chest pain. Sweating.", True),
        ("Chest pain. He has a cough. He lives alone and works in a mill. Sweating at night for a year.", False),
        ("Chest pain and sweating in the Intensive Care Unit; is there a risk of a stroke?", True),
        ("Is there a risk of chest pain with sweating from this drug?", False),
        ("What is the treatment for this man with chest pain and sweating?", True),
    ],
)
def test_a_denial_reaches_as_far_as_its_clause(text: str, raised: bool) -> None:
    assert ("acute_coronary" in seen(text)) is raised


@pytest.mark.parametrize(
    ("language", "text", "raised"),
    [
        ("en", "Denies smoking, has crushing chest pain radiating to the left arm, sweating.", True),
        ("en", "Denies fever, cough, she has crushing chest pain radiating to the left arm.", True),
        ("en", "No fever, cough or rash, with crushing chest pain radiating to the left arm, sweating.", True),
        ("en", "Denies chest pain, dyspnoea, and sweating.", False),
        ("en", "Denies smoking, chest pain radiating to the left arm, sweating.", False),
        ("en", "Denies smoking, has no chest pain, no sweating.", False),
        ("en", "Denies cough, has not had chest pain or sweating.", False),
        ("es", "Niega tabaquismo, tiene dolor torácico opresivo irradiado al brazo izquierdo, sudoración.", True),
        ("es", "Niega dolor torácico, disnea y sudoración.", False),
        ("fr", "Nie le tabac, a une douleur thoracique constrictive irradiant au bras gauche, sueurs.", True),
        ("de", "Verneint Rauchen, leidet an Brustschmerz mit Ausstrahlung in den linken Arm, Schwitzen.", True),
        ("it", "Nega fumo, ha dolore toracico oppressivo irradiato al braccio sinistro, sudorazione.", True),
        ("zh", "否认吸烟，有压榨性胸痛，向左臂放射，大汗。", True),
        ("zh", "否认胸痛，气促，大汗。", False),
    ],
)
def test_a_denied_list_ends_where_something_is_asserted(language: str, text: str, raised: bool) -> None:
    assert ("acute_coronary" in seen(text, language)) is raised


@pytest.mark.parametrize(
    ("jurisdiction", "number"), [("JP", "119"), ("KR", "119"), ("TH", "1669"), ("CN", "120"), ("DE", "112")]
)
def test_the_emergency_number_is_that_of_the_country(jurisdiction: str, number: str) -> None:
    raised = alarm(CHEST, "en", jurisdiction)

    assert raised is not None
    assert f"Emergency number: {number}." in raised.call


def test_where_no_number_is_known_none_is_named() -> None:
    raised = alarm(CHEST, "en", "XX")

    assert raised is not None
    assert "your local emergency number" in raised.call
    assert not any(c.isdigit() for c in raised.call)


def test_without_flags_there_is_no_alarm() -> None:
    assert alarm("A cold for two days.", "en", "INT") is None


@pytest.mark.parametrize("language", ["en", "ja", "zu"])
@pytest.mark.parametrize(
    "unit",
    [
        *("chest pain ", "no ", "no chest pain or ", "胸痛", "a", "1", "1/", "120/80 ", "spo2 ", "fever headache "),
        *("e\u0301\u0327\u0316", "\u0316\u0301", "#", "*", "\n", ",", ". ", "less ", "in childhood ", "igazi opha "),
    ],
)
def test_the_time_for_hostile_text_grows_with_its_length_not_with_its_square(unit: str, language: str) -> None:
    assert is_linear(lambda text: red_flags(text, language), unit, MAX_CASE_CHARACTERS)


@pytest.mark.parametrize("text", ["", " ", "\u0301", "\ufeff", "\ud800", "\x00", "🫀" * 50, "9" * 5000, "1/" * 5000])
def test_any_text_can_be_read(text: str) -> None:
    assert red_flags(text, "en") == ()


@pytest.mark.parametrize("phrase", ["", "*", " ", "chest* pain"])
def test_a_phrase_that_could_never_be_found_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match="empty or has a \\* inside"):
        Phrasebook[str]().add(phrase, "key")
