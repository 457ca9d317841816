"""Whether a concept is asserted, denied or forbidden."""

import pytest

from agents.polarity import judge, mentioned


@pytest.mark.parametrize(
    ("language", "asserted", "denied"),
    [
        ("en", "chest indrawing", "no chest indrawing"),
        ("es", "tiraje", "sin tiraje"),
        ("fr", "fièvre", "pas de fièvre"),
        ("de", "Fieber", "kein Fieber"),
        ("it", "febbre", "nessuna febbre"),
        ("pt", "febre", "sem febre"),
        ("ja", "発熱", "発熱は認めない"),
        ("zh", "胸凹陷", "无胸凹陷"),
        ("ko", "흉부 함몰", "흉부 함몰 없음"),
        ("th", "ไข้", "ไม่มีไข้"),
        ("ar", "حمى", "لا يوجد حمى"),
        ("hi", "बुखार", "बुखार नहीं"),
        ("sw", "homa", "hakuna homa"),
        ("yo", "ibà", "kò sí ibà"),
        ("zu", "umkhuhlane", "akukho umkhuhlane"),
    ],
)
def test_a_denied_finding_is_absent_and_its_core_is_the_finding(language: str, asserted: str, denied: str) -> None:
    assert judge(asserted, language) == ("present", asserted)
    assert judge(denied, language) == ("absent", asserted)


@pytest.mark.parametrize(
    ("language", "forbidden", "core"),
    [
        ("en", "avoid aspirin", "aspirin"),
        ("en", "Aspirin is contraindicated", "Aspirin"),
        ("es", "No administrar aspirina", "aspirina"),
        ("fr", "aspirine contre-indiquée", "aspirine"),
        ("de", "ASS vermeiden", "ASS"),
        ("pt", "evitar aspirina", "aspirina"),
        ("ja", "アスピリンは禁忌", "アスピリン"),
        ("zh", "禁用阿司匹林", "阿司匹林"),
        ("ko", "아스피린 금기", "아스피린"),
        ("th", "ห้ามใช้แอสไพริน", "แอสไพริน"),
        ("ar", "تجنب الأسبرين", "الأسبرين"),
        ("hi", "एस्पिरिन वर्जित", "एस्पिरिन"),
        ("sw", "epuka aspirini", "aspirini"),
    ],
)
def test_what_must_not_be_given_is_contraindicated(language: str, forbidden: str, core: str) -> None:
    assert judge(forbidden, language) == ("contraindicated", core)


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("en", "Migraine without aura"),
        ("en", "cannot exclude pneumonia"),
        ("en", "gram-negative sepsis"),
        ("en", "no contraindication"),
        ("es", "tos no productiva"),
        ("fr", "lymphome non hodgkinien"),
        ("ja", "グラム陰性菌"),
        ("zh", "非典型肺炎"),
        ("zh", "全身不适"),
        ("sw", "hali ya hatari"),
    ],
)
def test_a_denial_of_a_part_denies_nothing(language: str, name: str) -> None:
    assert judge(name, language) == ("present", name)


def test_a_name_is_denied_where_the_argument_denies_it_everywhere() -> None:
    assert judge("chest indrawing", "en", "There is fever. The child has no chest indrawing.").polarity == "absent"


def test_a_name_is_asserted_where_the_argument_asserts_it_once() -> None:
    argument = "No fever was reported, but he has fever now: 39 °C."

    assert judge("fever", "en", argument).polarity == "present"


def test_a_denial_ends_with_its_clause() -> None:
    assert judge("cough", "en", "There is no fever; cough since Monday.").polarity == "present"


def test_a_denial_behind_its_concept_is_seen_in_languages_that_put_it_there() -> None:
    assert judge("発熱", "ja", "発熱は認めない。咳がある。").polarity == "absent"


def test_a_word_that_only_holds_the_name_does_not_mention_it() -> None:
    assert mentioned("tos", "Gratos y productos", "es") is None


def test_in_a_language_without_a_table_everything_is_asserted() -> None:
    assert judge("brak gorączki", "pl") == ("present", "brak gorączki")
