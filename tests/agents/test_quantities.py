"""Numbers and their units, as people write them in the languages of the product."""

import time

import pytest

from agents.number_words import worded
from agents.quantities import DOSES, numbers, quantities


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("40 mg/kg twice daily for 5 days", ("40", "5")),
        ("٤٠ ملغ/كغ لمدة ٥ أيام", ("40", "5")),
        ("۴۰ میلی‌گرم", ("40",)),
        ("४० मि.ग्रा. ५ दिन", ("40", "5")),
        ("๔๐ มก. ๕ วัน", ("40", "5")),
        ("体温３８．５℃、４０ｍｇ", ("38.5", "40")),
        ("38,5 °C", ("38.5",)),
        ("٣٨٫٥", ("38.5",)),
        ("0,125 mg and 0.125 mg", ("0.125", "0.125")),
        ("2.50, 2.5 and 2,5", ("2.5", "2.5", "2.5")),
        ("1,000 mg or 12,500 IU or 1,000,000 IU", ("1000", "12500", "1000000")),
        ("1 000 mg, 1'000 mg and 1\u00a0000 mg", ("1000", "1000", "1000")),
        ("١٬٠٠٠", ("1000",)),
        ("1.000.000 UI", ("1000000",)),
        ("1,50,000 per µL", ("150000",)),
        ("1,234.5 and 1.234,5", ("1234.5", "1234.5")),
        ("007 and 0", ("7", "0")),
        ("5-10 mg", ("5", "10")),
        ("no number at all", ()),
    ],
)
def test_a_number_reads_the_same_in_every_script_and_spelling(text: str, expected: tuple[str, ...]) -> None:
    assert numbers(text) == expected


def test_one_point_and_three_digits_may_be_a_thousand_and_equal_nothing_else() -> None:
    assert not {numbers("1.000 mg"), numbers("2.500 mg")} & {numbers(n) for n in ("1", "1000", "2.5", "2500")}
    assert numbers("1.000 mg") == numbers("1.000 UI")


def test_a_number_of_any_length_is_read() -> None:
    assert numbers("9" * 6000) == ("9" * 6000,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("40 mg/kg", [("40", "mg", True)]),
        ("40MG", [("40", "mg", False)]),
        ("４０ｍｇ", [("40", "mg", False)]),
        ("0.5 mcg, 0.5 μg, 0.5 µg and 0.5 micrograms", [("0.5", "μg", False)] * 4),
        ("39℃ (92%)", [("39", "°C", False), ("92", "%", False)]),
        ("80-90 mg/kg/día", [("80", "mg", True), ("90", "mg", True)]),
        ("entre 4 y 8 semanas", [("4", "week", False), ("8", "week", False)]),
        ("50 000 UI/kg", [("50000", "IU", True)]),
        ("٤٠ ملغ/كغ لمدة ٥ أيام", [("40", "mg", True), ("5", "day", False)]),
        ("4日間、6時間ごと、生後2か月", [("4", "day", False), ("6", "hour", False), ("2", "month", False)]),
        ("5일간 6시간마다", [("5", "day", False), ("6", "hour", False)]),
        ("每 6 小时，5 天", [("6", "hour", False), ("5", "day", False)]),
        ("ทุก 6 ชั่วโมง นาน 5 วัน", [("6", "hour", False), ("5", "day", False)]),
        ("kila saa 6 kwa siku 5", [("6", "hour", False), ("5", "day", False)]),
        ("6 घंटे, 5 दिन", [("6", "hour", False), ("5", "day", False)]),
    ],
)
def test_a_quantity_has_one_unit_in_every_language(text: str, expected: list[tuple[str, str, bool]]) -> None:
    assert [(quantity.number, quantity.unit, quantity.per_kg) for quantity in quantities(text)] == expected


@pytest.mark.parametrize(
    ("text", "per", "perhaps"),
    [
        ("1 mg/ml", {"ml"}, set()),
        ("5 g per decilitre", {"dl"}, set()),
        ("7 ملغ/مل", {"ml"}, set()),
        ("60 mg/kg/day", {"kg", "day"}, set()),
        ("60 mg/kg daily", {"kg", "day"}, set()),
        ("60 mg/kg al día", {"kg", "day"}, set()),
        ("60 mg/kg kwa siku", {"kg", "day"}, set()),
        ("60 mg/kg/日", {"kg", "day"}, set()),
        ("60 mg/kg/24 h", {"kg", "day"}, set()),
        ("1日最大60 mg/kg", {"kg", "day"}, set()),
        ("1日20〜40 mg/kg", {"kg", "day"}, set()),
        ("每日最大 60 mg/kg", {"kg", "day"}, set()),
        ("1일 최대 60 mg/kg", {"kg", "day"}, set()),
        ("สูงสุด 10 mg ต่อวัน", {"day"}, set()),
        ("10 ملغ يوميًا", {"day"}, set()),
        ("a maximum daily dose of 60 mg/kg", {"kg", "day"}, set()),
        ("1 g/hour IV", {"hour"}, set()),
        ("每小时 80 ml", {"hour"}, set()),
        ("5 ml/kg kwa saa mara tu", {"kg", "hour"}, set()),
        ("0.5 µg/kg/分", {"kg", "minute"}, set()),
        ("40 mg/kg twice daily", {"kg"}, set()),
        ("40 mg/kg mara mbili kwa siku", {"kg"}, set()),
        ("40 mg/kgを1日2回", {"kg"}, set()),
        ("每日 2 次，40 mg/kg", {"kg"}, set()),
        ("40 mg/kg วันละ 2 ครั้ง", {"kg"}, set()),
        ("10 mg 하루 두 번", set(), set()),
        ("10 mg every 6 hours", set(), set()),
        ("70 ml/kg kwa saa 5", {"kg"}, set()),
        ("10 mg kwa siku 5", set(), set()),
        ("1日目に3.2 mg/kg", {"kg"}, set()),
        ("5 mg by mouth once daily", set(), {"day"}),
        ("5 mg 1일 1회", set(), {"day"}),
        ("1日1回5 mg", set(), {"day"}),
        ("5 mg，口服，每日 1 次", set(), {"day"}),
        ("by mouth once daily: isoniazid 5 mg/kg", {"kg"}, set()),
    ],
)
def test_a_dose_has_what_it_is_for_each_of(text: str, per: set[str], perhaps: set[str]) -> None:
    (dose,) = [quantity for quantity in quantities(text) if quantity.unit in DOSES][-1:]

    assert (set(dose.per), set(dose.perhaps)) == (per, perhaps)


@pytest.mark.parametrize(
    ("text", "unit"),
    [("52 breaths", "bre"), ("1日2回", "回"), ("aged 3.", ""), ("40 mg 1 tablet", "tab"), ("1일 2회", "회")],
)
def test_what_is_no_unit_is_the_beginning_of_a_word(text: str, unit: str) -> None:
    last = quantities(text)[-1]
    assert (last.unit, last.known) == (unit, False)


def test_a_letter_of_a_word_is_no_unit() -> None:
    assert [quantity.known for quantity in quantities("5 given, 7 halves, 3 lamps, 4 y 8")] == [False] * 5


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Twice, then once", {"1", "2"}),
        ("es", "dos veces al día", {"2"}),
        ("ar", "مرتين", {"2"}),
        ("th", "ครั้งเดียว", {"1"}),
        ("ja", "単回", {"1"}),
        ("en", "someone's lone bone", set()),
        ("xx", "twice", set()),
    ],
)
def test_small_numbers_are_read_as_words_too(language: str, text: str, expected: set[str]) -> None:
    assert worded(text, language) == expected


def test_a_hostile_text_takes_no_longer_than_its_length() -> None:
    start = time.process_time()
    quantities("9" * 20_000 + " mg" * 20_000 + "1," * 20_000)
    assert time.process_time() - start < 5
