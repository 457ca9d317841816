"""Files as they are met outside, from the shared test data: the right text, or one line that says what to do."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from knowledge.document import Document
from knowledge.errors import DocumentUnsupported
from knowledge.extractor import Extractor


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    with closing(Extractor()) as opened:
        yield opened


def read(extractor: Extractor, data: Path, file: str) -> Document:
    return extractor.extract(data / "documents" / file, file).document


def test_vertical_japanese_stands_by_itself(extractor: Extractor, shared_data: Path) -> None:
    text = read(extractor, shared_data, "pdf/simple3.pdf").text

    assert text.split() == ["HelloHello", "あいうえおあいうえお", "World", "World"]


def test_arabic_is_spelt_in_the_order_of_reading(extractor: Extractor, shared_data: Path) -> None:
    assert read(extractor, shared_data, "pdf/habibi.pdf").text == "حَبيبي habibi حَبيبي"


def test_many_scripts_on_one_page(extractor: Extractor, shared_data: Path) -> None:
    text = read(extractor, shared_data, "pdf/multilang.pdf").text

    assert " ".join(text.split()) == (
        "English: Hello World Arabic: مرحبا بالعالم Russian: Привет, мир "
        "Chinese (traditional): 你好世界 Thai: สวัสดีชาวโลก Japanese: こんにちは世界"
    )


def test_two_columns_are_read_one_after_the_other(extractor: Extractor, shared_data: Path) -> None:
    document = read(extractor, shared_data, "pdf/multicolumn.pdf")
    paragraphs = document.text.split("\n")

    first = next(p for p in paragraphs if p.startswith("Lorem ipsum dolor sit amet, consectetuer adipiscing elit."))
    assert first.endswith("Duis eget orci sit amet orci dignissim rutrum.")
    assert document.title == "Two-Column Document with Lorem Ipsum"
    assert document.page_of(document.text.index("Austria")) == 3
    assert "Austria  8.9  83,879  Vienna  German" in paragraphs


def test_text_behind_scanned_pages_is_read(extractor: Extractor, shared_data: Path) -> None:
    document = read(extractor, shared_data, "pdf/Seige_of_Vicksburg_Sample_OCR.pdf")

    assert "part of the day has been spent in cutting cane and building bunks with it" in document.text
    assert len(document.pages) == 6


def test_a_file_in_a_file_is_told(extractor: Extractor, shared_data: Path) -> None:
    document = read(extractor, shared_data, "pdf/with-attachment.pdf")

    assert document.text.startswith("Lorem ipsum dolor sit amet, consetetur sadipscing elitr, sed diam nonumy eirmod")
    assert len(document.notices) == 1


@pytest.mark.parametrize(
    ("file", "begins"),
    [
        ("pdf/zen_of_python_corrupted.pdf", "Beautiful is better than ugly.\n"),
        ("pdf/xref_command_missing.pdf", "Reduced test-case"),
    ],
)
def test_broken_files_that_can_be_mended_are_read(
    extractor: Extractor, shared_data: Path, file: str, begins: str
) -> None:
    assert read(extractor, shared_data, file).text.startswith(begins)


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("pdf/libreoffice-writer-password.pdf", "protected with a password, so save a copy without one"),
        ("pdf/imagemagick-images.pdf", "images without text, so recognise their text"),
        ("docx/tbl-having-tables.docx", "no text"),
        ("docx/having-images.docx", "no text"),
    ],
)
def test_what_holds_no_text_says_what_to_do(extractor: Extractor, shared_data: Path, file: str, reason: str) -> None:
    with pytest.raises(DocumentUnsupported, match=reason):
        read(extractor, shared_data, file)
