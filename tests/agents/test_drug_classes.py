"""Classes of medicines under one name, whatever the language calls them."""

import tomllib
from collections import Counter
from importlib.resources import files

import pytest

from agents.drug_classes import classes_spoken_of, drug_classes
from agents.drugs import drugs
from evaluation.claim_lines import lines
from knowledge.shipped import starter_packs

TABLE = tomllib.loads(files("agents").joinpath("drug_classes.toml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Se recomiendan antibióticos o medicamentos antirretrovíricos.", {"antibiotic", "antiretroviral"}),
        ("抗菌薬を投与する", {"antibiotic"}),
        ("ให้ยาปฏิชีวนะ", {"antibiotic"}),
        ("أعط مضادا حيويا", {"antibiotic"}),
        ("항생제를 투여한다", {"antibiotic"}),
        ("Mpe mtoto antibiotiki.", {"antibiotic"}),
        ("anti-inflammatoires non stéroïdiens", {"nsaid"}),
        ("非ステロイド性抗炎症薬", {"nsaid"}),
        ("비스테로이드소염제", {"nsaid"}),
        ("Los AINE no se recomiendan.", {"nsaid"}),
        ("コルチコステロイド", {"corticosteroid"}),
        ("ACEI or a β-blocker", {"ace_inhibitor", "beta_blocker"}),
        ("Ainsi, il faut de l'huile; aceite de oliva; face and place", set()),
        ("Give amoxicillin.", set()),
        ("", set()),
    ],
)
def test_a_class_has_one_name_in_every_language(text: str, expected: set[str]) -> None:
    assert drug_classes(text) == expected


@pytest.mark.parametrize(
    ("passage", "name"),
    [
        ("Give amoxicillin 40 mg/kg.", "antibiotic"),
        ("piperacillin", "antibiotic"),
        ("Start antiretrovirals within two weeks.", "antiviral"),
        ("รักษาด้วย dolutegravir", "antiretroviral"),
        ("Add hydrochlorothiazide.", "antihypertensive"),
        ("アピキサバン", "anticoagulant"),
        ("ビソプロロール", "beta_blocker"),
    ],
)
def test_a_passage_speaks_of_the_class_of_its_medicines(passage: str, name: str) -> None:
    assert name in classes_spoken_of(passage)


def test_a_passage_does_not_speak_of_other_classes() -> None:
    assert classes_spoken_of("Give amoxicillin 40 mg/kg twice daily for five days.") == {"antibiotic"}
    assert classes_spoken_of("Drink plenty of water.") == frozenset()


def test_no_name_stands_for_two_classes_and_every_medicine_is_known() -> None:
    written = Counter(name for entry in TABLE.values() for name in (*entry["names"], *entry.get("abbreviations", ())))
    assert [name for name, often in written.items() if often > 1] == []
    named = [(entry, medicine) for entry in TABLE.values() for medicine in entry.get("medicines", ())]
    medicines = tomllib.loads(files("agents").joinpath("drugs.toml").read_text("utf-8"))["names"]
    assert [medicine for _, medicine in named if medicine not in medicines] == []
    assert [inner for entry in TABLE.values() for inner in entry.get("classes", ()) if inner not in TABLE] == []


def test_every_line_of_the_shipped_guidelines_speaks_of_the_classes_that_it_names() -> None:
    read = [line for pack in starter_packs() for line in lines(pack)]
    named = [line for line in read if drug_classes(line.text)]
    assert len(named) > 200
    assert [line.text for line in named if drug_classes(line.text) - classes_spoken_of(line.passage.in_context)] == []


def test_classes_and_medicines_are_told_apart() -> None:
    text = "Antibiotics: amoxicillin"
    assert drug_classes(text) == {"antibiotic"}
    assert drugs(text) == {"amoxicillin"}
