from knowledge.layout import Line, in_reading_order, paragraphs, without_running_lines, words_of

LEFT = [
    "The child breathes fast and",
    "needs oxygen at once when",
    "the lips are blue. Keep the",
    "child warm, and let it sit.",
    "Look again in ten minutes.",
    "Write it down.",
]
RIGHT = [
    "Give the first dose before",
    "the ambulance leaves. A nurse",
    "travels with the child and",
    "watches the breathing all",
    "the way to the hospital.",
    "Tell the ward.",
]


def line(text: str, left: float = 0, top: float = 700, *, width: float | None = None, size: float = 10) -> Line:
    return Line(text, left, top - size, left + (5 * len(text) if width is None else width), top, size)


def column(texts: list[str], left: float) -> list[Line]:
    return [line(text, left, 700 - 12 * n, width=150) for n, text in enumerate(texts)]


def texts(page: list[Line]) -> list[str]:
    return [paragraph.text for paragraph in paragraphs(page, words_of([page]))]


def test_columns_that_a_file_writes_across_are_read_one_after_the_other() -> None:
    across = [cell for row in zip(column(LEFT, 50), column(RIGHT, 250), strict=True) for cell in row]

    assert [n.text for n in in_reading_order(across)] == LEFT + RIGHT


def test_a_heading_over_both_columns_stays_over_them() -> None:
    heading = line("Severe pneumonia in children under five", 50, 730, width=350)
    across = [cell for row in zip(column(LEFT, 50), column(RIGHT, 250), strict=True) for cell in row]

    assert [n.text for n in in_reading_order([heading, *across])] == [heading.text, *LEFT, *RIGHT]


def test_columns_of_a_right_to_left_page_start_on_the_right() -> None:
    words = [
        "تنفس الطفل سريع",
        "يحتاج الى الاكسجين",
        "انقله الى المستشفى",
        "اعطه الجرعة الاولى",
        "راقب التنفس",
        "اكتب ذلك",
    ]
    across = [cell for row in zip(column(words, 50), column(words[::-1], 250), strict=True) for cell in row]

    assert [n.text for n in in_reading_order(across)] == words[::-1] + words


def test_a_file_that_writes_its_columns_in_order_is_left_alone() -> None:
    page = [*column(RIGHT, 250), *column(LEFT, 50)]

    assert in_reading_order(page) == page


def test_a_table_is_read_row_by_row() -> None:
    rows = [(f"{weight} kg", f"{weight * 40} mg twice daily") for weight in (4, 6, 10, 14, 19, 25)]
    page = [
        cell
        for n, (weight, dose) in enumerate(rows)
        for cell in (line(weight, 50, 700 - 12 * n), line(dose, 250 + 9 * n % 4, 700 - 12 * n))
    ]

    assert texts(in_reading_order(page)) == [f"{weight}  {dose}" for weight, dose in rows]


def test_a_table_of_equally_long_cells_is_read_row_by_row_too() -> None:
    rows = [
        ("体重", "用量"),
        ("四千克", "两毫升"),
        ("六千克", "三毫升"),
        ("八千克", "四毫升"),
        ("十千克", "五毫升"),
        ("廿千克", "六毫升"),
    ]
    page = [
        cell
        for n, (weight, dose) in enumerate(rows)
        for cell in (line(weight, 50, 700 - 12 * n, width=30), line(dose, 250, 700 - 12 * n, width=30))
    ]

    assert texts(in_reading_order(page)) == [f"{weight}  {dose}" for weight, dose in rows]


def test_what_stands_at_the_same_place_on_most_pages_goes_with_its_number() -> None:
    pages = [
        [
            line("National guideline 2026", 50, 800),
            line(f"Advice {'abcde'[n]}", 50, 700),
            line(f"Page {n + 1}", 250, 40),
        ]
        for n in range(5)
    ]

    assert [[n.text for n in page] for page in without_running_lines(pages)] == [[f"Advice {c}"] for c in "abcde"]


def test_headers_that_alternate_between_left_and_right_pages_go_too() -> None:
    pages = [
        [line(("Malaria", "Ministry of Health")[n % 2], 50, 800), line(f"Advice {'abcdefgh'[n]}", 50, 700)]
        for n in range(8)
    ]

    assert [[n.text for n in page] for page in without_running_lines(pages)] == [[f"Advice {c}"] for c in "abcdefgh"]


def test_what_repeats_at_other_heights_stays() -> None:
    pages = [[line("Give zinc.", 50, 800 - 40 * n), line("abc"[n], 50, 600 - n)] for n in range(3)]

    assert without_running_lines(pages) == pages


def test_two_pages_alike_prove_no_header() -> None:
    pages = [[line("Give zinc.", 50, 800)]] * 2

    assert without_running_lines(pages) == pages


def test_lines_of_a_paragraph_become_one_and_paragraphs_stay_apart() -> None:
    page = [
        line("Give oral amoxicillin to the child", 50, 700, width=200),
        line("twice a day for five days.", 50, 688, width=130),
        line("Come back after two days, or at once", 50, 664, width=200),
        line("if the child gets worse.", 50, 652, width=110),
    ]

    found = list(paragraphs(page, frozenset()))

    assert [p.text for p in found] == [
        "Give oral amoxicillin to the child twice a day for five days.",
        "Come back after two days, or at once if the child gets worse.",
    ]
    assert found[1].apart


def test_items_of_a_list_are_not_run_together() -> None:
    page = [
        line(text, 50, 700 - 12 * n, width=200) for n, text in enumerate(["• zinc", "• fluids", "1. weigh", "2. look"])
    ]

    assert texts(page) == ["• zinc", "• fluids", "1. weigh", "2. look"]


def test_a_word_that_a_line_end_tore_is_joined() -> None:
    page = [line("Give the anti-", 50, 700, width=100), line("biotic now, an antibiotic.", 50, 688, width=100)]

    assert texts(page) == ["Give the antibiotic now, an antibiotic."]


def test_a_word_that_the_document_writes_with_a_hyphen_keeps_it() -> None:
    page = [
        line("A follow-up visit: the follow-", 50, 700, width=100),
        line("up is free.", 50, 688, width=100),
    ]

    assert texts(page) == ["A follow-up visit: the follow-up is free."]


def test_a_range_over_a_line_end_keeps_its_dash() -> None:
    page = [line("Give 40-", 50, 700, width=100), line("50 mg.", 50, 688, width=100)]

    assert texts(page) == ["Give 40- 50 mg."]


def test_japanese_and_thai_lines_are_joined_without_a_space() -> None:
    japanese = [line("アモキシ", 50, 700, width=100), line("シリンを投与する。", 50, 688, width=100)]
    thai = [line("ให้ยาอะม็อกซี", 50, 700, width=100), line("ซิลลินแก่เด็ก", 50, 688, width=100)]

    assert texts(japanese) == ["アモキシシリンを投与する。"]
    assert texts(thai) == ["ให้ยาอะม็อกซีซิลลินแก่เด็ก"]


def test_larger_print_is_a_paragraph_of_its_own() -> None:
    page = [line("Treatment", 50, 700, width=200, size=14), line("Give oral amoxicillin.", 50, 684, width=200)]

    assert texts(page) == ["Treatment", "Give oral amoxicillin."]
