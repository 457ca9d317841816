"""How often a text denies."""

import pytest

from agents.negation import denials


@pytest.mark.parametrize(
    ("language", "affirmed", "denied"),
    [
        ("en", "Give codeine.", "Do not give codeine."),
        ("es", "Administrar codeína.", "No administrar codeína."),
        ("fr", "Donner de la codéine.", "Éviter la codéine."),
        ("de", "Codein geben.", "Kein Codein geben."),
        ("it", "Dare codeina.", "Non dare codeina."),
        ("pt", "Dar codeína.", "Não dar codeína."),
        ("ja", "コデインを必ず投与する。", "コデインを投与しない。"),
        ("zh", "给予可待因。", "禁用可待因。"),
        ("ko", "코데인을 투여한다.", "코데인을 투여하지 않는다."),
        ("ko", "물을 마신다.", "물을 못 마신다."),
        ("ko", "흉부 함몰이 있다.", "흉부 함몰이 없다."),
        ("ko", "코데인을 투여할 것.", "코데인을 투여하지 말 것."),
        ("ko", "지금 옮긴다.", "옮기지 말고 기다린다."),
        ("ko", "5분 안에 먹는다.", "5분째 안 먹는다."),
        ("ko", "기침뿐만 아니라 열도 난다.", "폐렴이 아니다."),
        ("th", "ให้โคเดอีนอย่างน้อยหนึ่งครั้ง", "ห้ามให้โคเดอีน"),
        ("ar", "يُعطى الكودايين.", "لا يُعطى الكودايين."),
        ("hi", "कोडीन दें।", "कोडीन न दें।"),
        ("sw", "Mpe kodeini usiku.", "Usimpe kodeini."),
        ("yo", "Fún un ní codeine.", "Má fún un ní codeine."),
        ("zu", "Nikeza i-codeine.", "Ungasiniki i-codeine."),
    ],
)
def test_a_denial_is_counted_and_an_affirmation_is_none(language: str, affirmed: str, denied: str) -> None:
    assert (denials(affirmed, language), denials(denied, language)) == (0, 1)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "A notable knot of nodes."),
        ("ja", "少なくとも3日間、わずかに。"),
        ("zh", "不良反应不少于3次"),
        ("th", "อย่างน้อย"),
        ("sw", "hali ya hatari usiku"),
        ("es", "Noche, nota y sintomático"),
    ],
)
def test_letters_of_other_words_deny_nothing(language: str, text: str) -> None:
    assert denials(text, language) == 0


def test_every_denial_counts() -> None:
    assert denials("No dar codeína ni aspirina sin receta", "es") == 3


def test_script_and_region_do_not_matter() -> None:
    assert denials("Não dar.", "pt-BR") == 1


def test_a_language_without_a_table_is_not_judged() -> None:
    assert denials("Nie podawać.", "pl") is None
