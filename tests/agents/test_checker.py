"""What may be shown as an answer."""

import pytest

from agents.checker import echoes, fault
from tests.agents.cases import ENGLISH, SPANISH

ADVICE = {
    "en": "Give the child amoxicillin by mouth and review her after three days.",
    "zh": "给患儿口服阿莫西林，三天后复诊，如病情加重应立即转诊。",
    "ja": "小児にアモキシシリンを経口投与し、三日後に再診する。",
    "ko": "아이에게 아목시실린을 경구로 투여하고 사흘 뒤에 다시 진료한다.",
    "th": "ให้ยาอะม็อกซีซิลลินชนิดรับประทานและนัดตรวจซ้ำในสามวัน",
    "sw": "Mpe mtoto amoksilini kwa mdomo na umwone tena baada ya siku tatu.",
    "es": "Dé amoxicilina oral a la niña y revísela a los tres días.",
    "ar": "أعط الطفلة أموكسيسيلين عن طريق الفم وراجعها بعد ثلاثة أيام.",
    "hi": "बच्ची को मुँह से एमोक्सिसिलिन दें और तीन दिन बाद फिर देखें।",
    "pt": "Dê amoxicilina oral à menina e reavalie em três dias.",
}


@pytest.mark.parametrize("text", ["", "  \n\t", "...", "12 / 40 — 39,5 !", "[1][2]", "OK."])
def test_a_text_without_words_is_empty(text: str) -> None:
    assert fault(text, "en", ENGLISH) == "empty"


@pytest.mark.parametrize("language", ADVICE)
def test_a_text_in_the_asked_language_is_usable(language: str) -> None:
    assert fault(ADVICE[language], language, SPANISH) is None


@pytest.mark.parametrize("language", ADVICE)
def test_a_text_in_any_other_language_is_not(language: str) -> None:
    others = [code for code in ADVICE if code != language]

    assert {fault(ADVICE[other], language, SPANISH) for other in others} == {"wrong_language"}


def test_numbers_and_drug_names_do_not_make_a_text_foreign() -> None:
    assert fault("小児の体重が12 kgなら amoxicillin 480 mg を1日2回、5日間投与する。", "ja", ENGLISH) is None


@pytest.mark.parametrize("language", ADVICE)
def test_a_text_that_goes_round_in_circles_is_repetition(language: str) -> None:
    assert fault(f"{ADVICE[language]} " * 6, language, SPANISH) == "repetition"


@pytest.mark.parametrize(("language", "text"), [("en", ENGLISH), ("es", SPANISH), ("ja", ADVICE["ja"])])
def test_a_text_that_only_says_the_case_again_is_an_echo(language: str, text: str) -> None:
    assert fault(f"{text}\n", language, text) == "echo"


def test_a_part_of_the_case_is_an_echo_and_an_answer_to_it_is_not() -> None:
    assert echoes("A 3-year-old girl with cough, fever of 39 °C", ENGLISH, "en")
    assert not echoes(
        "A 3-year-old girl with cough and fast breathing has pneumonia and needs amoxicillin.", ENGLISH, "en"
    )
    assert not echoes("", ENGLISH, "en")


@pytest.mark.parametrize(
    ("language", "case", "answer"),
    [
        (
            "en",
            "Fever for 3 days. Can I give aspirin to this child with pneumonia and high fever?",
            "Do not give aspirin to this child with pneumonia and high fever.",
        ),
        (
            "en",
            "No cough, no rash, can I give aspirin to this child with high fever?",
            "Do not give aspirin to this child with high fever.",
        ),
        (
            "es",
            "¿Puedo dar aspirina a este niño con neumonía y fiebre alta?",
            "No dar aspirina a este niño con neumonía y fiebre alta.",
        ),
        (
            "ja",
            "肺炎で高熱のあるこの小児にアスピリンを投与してよいですか。",
            "肺炎で高熱のあるこの小児にアスピリンを投与しない。",
        ),
    ],
)
def test_an_answer_that_denies_what_the_case_asks_is_no_echo(language: str, case: str, answer: str) -> None:
    assert not echoes(answer, case, language)
    assert fault(answer, language, case) is None


def test_a_denial_of_the_case_said_again_is_an_echo() -> None:
    case = "A 3-year-old girl has fever, no rash and no cough. She does not drink, and her chest is not indrawn."

    assert echoes(case, case, "en")
    assert echoes("She does not drink, and her chest is not indrawn.", case, "en")
    assert echoes("a 3-year-old girl has fever, no rash and no cough", case, "en")
