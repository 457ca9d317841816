"""Which language a case is in, what the program knows of each, and what it says in it."""

import re
import tomllib
from importlib.resources import files

import pytest

from agents.errors import UnknownLanguage
from agents.languages import confidence, identify, language, languages, phrase

SENTENCES = {
    "en": "A 58-year-old man has had crushing chest pain for two hours.",
    "zh": "患者男性，58岁，胸骨后压榨性疼痛两小时。",
    "ja": "58歳の男性が2時間前から締め付けられるような胸の痛みを訴えています。",
    "ko": "58세 남성이 두 시간 전부터 쥐어짜는 듯한 가슴 통증을 호소합니다.",
    "th": "ผู้ป่วยชายอายุ 58 ปี เจ็บแน่นหน้าอกมาสองชั่วโมง",
    "sw": "Mwanaume wa miaka 58 ana maumivu makali ya kifua kwa saa mbili.",
    "yo": "Ọkùnrin ẹni ọdún méjìdínlọ́gọ́ta ní ìrora àyà líle fún wákàtí méjì.",
    "zu": "Indoda eneminyaka engu-58 inobuhlungu besifuba obukhulu amahora amabili.",
    "es": "Varón de 58 años con dolor torácico opresivo desde hace dos horas.",
    "fr": "Homme de 58 ans avec une douleur thoracique constrictive depuis deux heures.",
    "de": "Ein 58-jähriger Mann hat seit zwei Stunden drückende Brustschmerzen.",
    "it": "Uomo di 58 anni con dolore toracico oppressivo da due ore.",
    "ar": "رجل عمره 58 عاما يعاني من ألم ضاغط في الصدر منذ ساعتين.",
    "hi": "58 वर्षीय पुरुष को दो घंटे से सीने में तेज़ दर्द है।",
    "pt": "Homem de 58 anos com dor torácica em aperto há duas horas.",
}
MIXED = {
    "zh": "患儿3岁，发热咳嗽，SpO2 92%，已用 amoxicillin 250 mg。",
    "ja": "45歳男性。amoxicillin 500 mg を1日3回内服中に発疹が出ました。",
    "ko": "3세 여아, 기침과 발열, amoxicillin 250 mg 복용 중",
    "th": "เด็กอายุ 3 ปี มีไข้และไอ ได้ amoxicillin 250 mg แล้ว",
    "ar": "طفل عمره 3 سنوات لديه حمى وسعال، أخذ amoxicillin 250 mg.",
    "hi": "बच्चे को तीन दिन से बुखार और खाँसी है, amoxicillin 250 mg दी गई थी।",
}
KEYS = tuple(tomllib.loads(files("agents").joinpath("phrases.toml").read_text("utf-8"))["en"])


def test_there_is_a_sentence_for_every_language() -> None:
    assert list(SENTENCES) == list(languages())


@pytest.mark.parametrize("code", SENTENCES)
def test_a_clinical_sentence_is_recognised_among_all_languages(code: str) -> None:
    assert identify(SENTENCES[code], tuple(languages())) == code


@pytest.mark.parametrize("code", MIXED)
def test_drug_names_in_latin_letters_do_not_change_the_language(code: str) -> None:
    assert identify(MIXED[code], tuple(languages())) == code


def test_a_language_that_is_not_configured_is_not_found() -> None:
    assert identify(SENTENCES["pt"], ("en", "es", "ja")) == "es"


def test_where_one_language_is_configured_it_is_that() -> None:
    assert identify(SENTENCES["ja"], ("sw",)) == "sw"


@pytest.mark.parametrize("text", ["", "120/80, 39.5", "???"])
def test_without_words_there_is_no_language(text: str) -> None:
    assert identify(text, tuple(languages())) is None


@pytest.mark.parametrize("code", SENTENCES)
def test_confidence_is_greatest_in_the_sentences_own_language(code: str) -> None:
    among = tuple(languages())
    found = {other: confidence(SENTENCES[code], other, among) for other in among}

    assert max(found, key=found.__getitem__) == code
    assert sum(found.values()) == pytest.approx(1)


def test_there_is_no_confidence_in_a_language_that_is_not_configured() -> None:
    assert confidence(SENTENCES["fr"], "fr", ("en", "es")) == 0
    assert confidence(SENTENCES["fr"], "fr", ("fr",)) == 1


@pytest.mark.parametrize(
    ("tag", "code"), [("pt-BR", "pt"), ("zh-Hans-CN", "zh"), ("zh_TW", "zh"), ("EN-us", "en"), (" es ", "es")]
)
def test_a_region_or_script_is_ignored(tag: str, code: str) -> None:
    assert language(tag).code == code


@pytest.mark.parametrize("tag", ["tlh", "english", "", "-", "xx-ES"])
def test_an_unknown_language_is_answered_with_those_that_are_known(tag: str) -> None:
    with pytest.raises(UnknownLanguage, match=re.escape(f"{tag!r} is not supported; choose one of en, zh, ja")):
        language(tag)


def test_only_arabic_is_written_from_right_to_left() -> None:
    assert [code for code, entry in languages().items() if entry.direction == "rtl"] == ["ar"]


@pytest.mark.parametrize("code", SENTENCES)
def test_the_request_to_write_in_a_language_is_in_that_language(code: str) -> None:
    assert identify(language(code).instruction, tuple(languages())) == code


@pytest.mark.parametrize("code", SENTENCES)
@pytest.mark.parametrize("key", KEYS)
def test_every_phrase_exists_in_every_language_with_its_names_filled_in(key: str, code: str) -> None:
    names = {name: name.upper() for name in ("reason", "english", "local", "sides", "answer", "words")}
    said = phrase(key, code, **names)

    assert "$" not in said
    assert [name for name in names.values() if name in said] == {
        "unavailable": ["REASON"],
        "held": ["REASON"],
        "revised": ["REASON"],
        "contradiction": ["ENGLISH", "LOCAL"],
        "two_doses": ["ENGLISH", "LOCAL"],
        "against_both": ["SIDES", "ANSWER"],
        "rendering_cut": ["WORDS"],
    }.get(key, [])


@pytest.mark.parametrize("code", SENTENCES)
def test_a_phrase_is_in_its_language(code: str) -> None:
    assert identify(phrase("no_answer", code), tuple(languages())) == code


def test_what_is_filled_in_is_not_filled_in_again() -> None:
    assert phrase("unavailable", "en", reason="$reason costs $5").endswith(": $reason costs $5")
