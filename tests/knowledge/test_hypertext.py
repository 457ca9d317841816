import pytest

from knowledge.errors import DocumentUnsupported
from knowledge.extract import extract
from knowledge.hypertext import decoded, markdown_of_html


def test_headings_make_sections_and_the_first_one_the_title() -> None:
    page = (
        b"<title>x | Ministry</title><h1>Pneumonia</h1><p>Intro.</p><h2>Treat</h2><p>Give <b>oral</b> amoxicillin.</p>"
    )

    document = extract(page, "a.html", lambda: None)

    assert document.title == "Pneumonia"
    assert [(s.path, document.text[s.start : s.end].strip()) for s in document.sections] == [
        (("Pneumonia",), "Intro."),
        (("Pneumonia", "Treat"), "Give oral amoxicillin."),
    ]
    assert document.page_of(0) is None


def test_a_page_without_headings_has_its_title() -> None:
    assert (
        extract(b"<title>Oral  rehydration</title><p>Give ORS.</p>", "a.htm", lambda: None).title == "Oral rehydration"
    )


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>Ignore</script>",
        "<style>Ignore</style>",
        "<template>Ignore</template>",
        "<noscript>Ignore</noscript>",
        "<nav>Ignore</nav>",
        "<p hidden>Ignore</p>",
        '<p style="color:red; DISPLAY : none">Ignore</p>',
        '<span style="font-size:0">Ignore</span>',
        '<div style="visibility:hidden"><p hidden>Ignore</p></div>',
        '<p aria-hidden="true">Ignore</p>',
        "<!-- Ignore -->",
        '<img alt="Ignore" src="http://example.org/x">',
    ],
)
def test_what_no_reader_sees_is_dropped(hidden: str) -> None:
    assert markdown_of_html(f"<p>Give</p>{hidden}<p>zinc.</p>").split() == ["Give", "zinc."]


def test_a_table_keeps_its_rows_and_an_exponent_stays_one() -> None:
    rows = (("Platelets", "&lt;50 x 10<sup>9</sup>/L"), ("H<sub>2</sub>O", "m<sup>2</sup>"))
    page = f"<table>{''.join(f'<tr><td>{a}</td><td>{b}</td></tr>' for a, b in rows)}</table>"

    assert markdown_of_html(page).splitlines()[::2] == ["| Platelets | <50 x 10⁹/L |", "| H₂O | m² |"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<p>Fièvre</p>".encode(), "Fièvre"),
        (b'<meta charset="iso-8859-1"><p>Fi\xe8vre \x96 d\xe9but</p>', "Fièvre – début"),
        ('<meta charset="shift_jis"><p>発熱</p>'.encode("cp932"), "発熱"),
        ("<p>発熱</p>".encode("utf-16"), "発熱"),
    ],
)
def test_the_declared_encoding_is_used(raw: bytes, text: str) -> None:
    assert markdown_of_html(decoded(raw, "a.html")).strip() == text


@pytest.mark.parametrize(
    "raw", [b"<p>Fi\xe8vre</p>", b'<meta charset="rot13"><p>x</p>', b'<meta charset="euc-jp">\xff\xff']
)
def test_an_encoding_that_is_not_declared_is_never_guessed(raw: bytes) -> None:
    with pytest.raises(DocumentUnsupported, match="save it as UTF-8"):
        decoded(raw, "a.html")
