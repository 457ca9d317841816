"""Medicines under one name, whatever the language calls them."""

import time
import tomllib
from importlib.resources import files

import pytest

from agents.drugs import drugs, unlisted_drugs
from evaluation.claim_lines import Line, lines
from knowledge.shipped import starter_packs


@pytest.mark.parametrize(
    "text",
    [
        "amoxicillin",
        "Amoxicilina oral",
        "amoxicilline",
        "AMOXICILLIN-Saft",
        "amoksilini",
        "アモキシシリンを投与",
        "阿莫西林口服",
        "아목시실린을",
        "ให้ยาอะม็อกซีซิลลิน",
        "أموكسيسيلين",
        "एमोक्सिसिलिन दें",
    ],
)
def test_a_medicine_has_one_name_in_every_language(text: str) -> None:
    assert drugs(text) == {"amoxicillin"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("benzylpenicillin", {"benzylpenicillin"}),
        ("ampicilina o bencilpenicilina, más gentamicina", {"ampicillin", "benzylpenicillin", "gentamicin"}),
        ("hydrochlorothiazide", {"hydrochlorothiazide"}),
        ("去甲肾上腺素", {"noradrenaline"}),
        ("メチルプレドニゾロン", {"methylprednisolone"}),
        ("the vaccine", set()),
        ("chinin and a machinin", {"quinine"}),
        ("", set()),
    ],
)
def test_the_longest_name_counts(text: str, expected: set[str]) -> None:
    assert drugs(text) == expected


@pytest.mark.parametrize(
    "text", ["moxifloxacin", "piperacilina", "ロスバスタチン", "坎地沙坦", "펠로디핀", "كانديسارتان"]
)
def test_a_word_that_ends_like_a_medicine_is_one(text: str) -> None:
    assert (drugs(text), len(unlisted_drugs(text))) == (frozenset(), 1)


@pytest.mark.parametrize("text", ["Give oral fluids.", "amoxicillin and losartan", "La niña come bien.", "呼吸が速い"])
def test_listed_medicines_and_other_words_are_not_unlisted(text: str) -> None:
    assert unlisted_drugs(text) == frozenset()


def test_no_way_to_write_a_name_stands_for_two_medicines() -> None:
    names = tomllib.loads(files("agents").joinpath("drugs.toml").read_text("utf-8"))["names"]
    ways = [way for spelled in names.values() for way in set(spelled)]

    assert sorted(way for way in ways if ways.count(way) > 1) == []


def _ours(line: Line) -> frozenset[str]:
    return drugs(line.text)


@pytest.mark.parametrize("code", ["ar", "es", "ja", "ko", "sw", "th", "zh"])
def test_the_guidelines_name_the_same_medicines_as_their_english_edition(code: str) -> None:
    """Line by line; local practice may add or leave out, so most lines must agree and not all."""
    packs = {pack.name: pack for pack in starter_packs()}
    english = {line.place: line for line in lines(packs["en"])}
    pairs = [(line, english[line.place]) for line in lines(packs[code]) if line.place in english]
    naming = [(line, other) for line, other in pairs if _ours(other)]

    agreeing = sum(_ours(other) <= _ours(line) for line, other in naming)

    assert agreeing / len(naming) >= 0.9


def test_a_hostile_text_takes_no_longer_than_its_length() -> None:
    start = time.process_time()
    drugs("amoxicilli" * 20_000)
    unlisted_drugs("cilli" * 40_000)
    assert time.process_time() - start < 5
