"""For which medicine a line gives each of its doses."""

import pytest

from agents.owners import dosed
from agents.quantities import DOSES


@pytest.mark.parametrize(
    ("line", "owned"),
    [
        ("Amoxicillin 40 mg/kg; if allergic, azithromycin 10 mg/kg.", {"40": "amoxicillin", "10": "azithromycin"}),
        ("Telmisartan: 40 mg. Losartan: 50 mg.", {"40": "telmisartan", "50": "losartan"}),
        ("Give 40 mg prednisolone, then salbutamol 5 mg.", {"40": "prednisolone", "5": "salbutamol"}),
        ("500 mg de amoxicilina cada 8 horas.", {"500": "amoxicillin"}),
        (
            "イソニアジド5 mg/kg（最大300 mg）、リファンピシン10 mg/kg。",
            {"5": "isoniazid", "300": "isoniazid", "10": "rifampicin"},
        ),
        ("เมตฟอร์มิน 500 mg", {"500": "metformin"}),
        ("For children 250 mg twice a day: amoxicillin.", {"250": "amoxicillin"}),
        ("Ceftriaxone or cefotaxime 50 mg/kg.", {"50": "cefotaxime ceftriaxone"}),
        ("Aspirin 300 mg, then 75 mg daily.", {"300": "aspirin", "75": "aspirin"}),
        (
            "Amoxicillin 40 mg/kg. Not with methotrexate. Maximum 3 g.",
            {"40": "amoxicillin", "3": "amoxicillin methotrexate"},
        ),
        ("Give 10 mg by mouth.", {"10": ""}),
    ],
)
def test_a_dose_is_that_of_the_medicines_named_since_the_last_one(line: str, owned: dict[str, str]) -> None:
    found = {one.dose.number: " ".join(sorted(one.medicines)) for one in dosed(line) if one.dose.unit in DOSES}

    assert found == owned


def test_a_line_without_numbers_has_no_doses() -> None:
    assert dosed("Give amoxicillin by mouth.") == ()
