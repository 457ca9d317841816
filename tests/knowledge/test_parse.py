import pytest

from knowledge.errors import DocumentUnsupported
from knowledge.kinds import HTML, MARKDOWN, PDF, WORD, check_kind, suffix_of
from knowledge.parse import MAX_TEXT_BYTES, parse, read_text

GUIDE = """Before any heading.

# Title

Intro.

## First *part*

Text.

### Deep

More.

Second `one`
------------

> # not a section

- # nor this

```
# nor that
```
"""


def test_markdown_sections_carry_their_headings_and_exact_spans() -> None:
    document = parse(GUIDE, "guide.md")

    assert [(s.path, document.text[s.start : s.end].strip().split("\n")[0]) for s in document.sections] == [
        ((), "Before any heading."),
        (("Title",), "Intro."),
        (("Title", "First part"), "Text."),
        (("Title", "First part", "Deep"), "More."),
        (("Title", "Second one"), "> # not a section"),
    ]


def test_the_last_section_reaches_the_end_without_a_final_newline() -> None:
    document = parse("# T\n\nbody", "guide.md")

    assert document.text[document.sections[0].start : document.sections[0].end] == "\nbody"


def test_a_heading_without_text_is_no_section() -> None:
    assert parse("# T\n\n## Empty", "guide.md").sections == ()


def test_plain_text_is_one_section_and_has_no_title() -> None:
    text = "# not a heading\n\ntext"

    document = parse(text, "guide.txt")

    assert [s.path for s in document.sections] == [()]
    assert document.title is None


def test_the_title_is_the_first_heading() -> None:
    assert parse("text\n\n## 小児の**肺炎**\n", "guide.MD").title == "小児の肺炎"


def test_text_is_kept_in_nfc_with_plain_line_ends_and_without_a_byte_order_mark() -> None:
    raw = "\ufeffCafe\u0301\r\nb\rc\fd\u2028e".encode()

    assert read_text(raw, "guide.md").text == "Café\nb\nc\nd\ne"


@pytest.mark.parametrize("raw", ["Fièvre".encode("latin-1"), "熱".encode("utf-16"), "熱".encode("shift-jis")])
def test_another_encoding_is_one_clear_error(raw: bytes) -> None:
    with pytest.raises(
        DocumentUnsupported, match=r"^guide.md was left out: it is not UTF-8 text .* save it as UTF-8.$"
    ):
        read_text(raw, "guide.md")


def test_an_enormous_file_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(DocumentUnsupported, match="larger than 32 MB"):
        read_text(bytes(MAX_TEXT_BYTES + 1), "guide.md")


@pytest.mark.parametrize(
    ("file", "kind"), [("a.pdf", PDF), ("a.DOCX", WORD), ("a.html", HTML), ("a.htm", HTML), ("a.md", MARKDOWN)]
)
def test_kinds_are_told_by_the_end_of_the_name_in_any_case(file: str, kind: frozenset[str]) -> None:
    check_kind(file)
    assert suffix_of(file) in kind


@pytest.mark.parametrize(
    ("file", "step"),
    [
        ("a.doc", "save it as PDF or Word"),
        ("a.ODT", "save it as PDF or Word"),
        ("scan.png", "recognise its text"),
        ("a.exe", "none of PDF, Word"),
        ("a", "none of PDF, Word"),
    ],
)
def test_other_kinds_are_told_what_to_do(file: str, step: str) -> None:
    with pytest.raises(DocumentUnsupported, match=step):
        check_kind(file)
