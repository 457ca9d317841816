from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import psutil
import pytest

from evaluation.hostile_documents import originals_below, survive
from knowledge.errors import DocumentUnsupported
from knowledge.extractor import Extractor
from knowledge.protocol import Limits
from tests.knowledge.files import paragraph, pdf, pdf_of_content, prose, word

GUIDE = b"# Fever\n\nGive paracetamol."


@pytest.fixture
def extractor() -> Iterator[Extractor]:
    with closing(Extractor()) as opened:
        yield opened


def processes() -> list[psutil.Process]:
    return [p for p in psutil.Process().children() if "knowledge.worker" in p.cmdline()]


def test_documents_of_every_kind_are_read_in_one_process(extractor: Extractor, tmp_path: Path) -> None:
    contents = {
        "a.md": GUIDE,
        "b.txt": b"Give zinc.",
        "c.html": b"<h1>Fever</h1><p>Rest.</p>",
        "d.docx": word(paragraph("Give ORS.")),
        "e.pdf": pdf([prose(50, 700, ["Give oxygen."])]),
    }
    texts = []
    pids = set()
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        found = extractor.extract(tmp_path / name, name)
        assert found.sha256 == sha256(content).hexdigest()
        texts.append(found.document.text.strip().split("\n")[-1])
        pids |= {p.pid for p in processes()}

    assert texts == ["Give paracetamol.", "Give zinc.", "Rest.", "Give ORS.", "Give oxygen."]
    assert len(pids) == 1


def test_the_process_ends_with_its_extractor(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(GUIDE)
    with closing(Extractor()) as extractor:
        extractor.extract(tmp_path / "a.md", "a.md")
        started = processes()

    assert len(started) == 1
    assert not started[0].is_running()


def test_one_that_takes_too_long_is_killed_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "slow.md").write_bytes(b"word *word* `word`\n\n" * 1_500_000)
    (tmp_path / "a.md").write_bytes(GUIDE)

    with closing(Extractor(Limits(page_seconds=1.0))) as extractor:
        with pytest.raises(
            DocumentUnsupported, match=r"^slow\.md was left out: reading it takes longer than 1 s a page"
        ):
            extractor.extract(tmp_path / "slow.md", "slow.md")
        assert processes() == []

        assert extractor.extract(tmp_path / "a.md", "a.md").document.title == "Fever"


def test_one_that_needs_too_much_memory_is_left_out_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "large.docx").write_bytes(word(paragraph("Give zinc.") * 400_000))
    (tmp_path / "a.md").write_bytes(GUIDE)

    with closing(Extractor(Limits(memory_bytes=192 * 1024**2))) as extractor:
        with pytest.raises(DocumentUnsupported, match=r"^large\.docx was left out: .*192 MB"):
            extractor.extract(tmp_path / "large.docx", "large.docx")

        assert extractor.extract(tmp_path / "a.md", "a.md").document.title == "Fever"


def test_a_pdf_that_unpacks_without_end_is_left_out_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "bomb.pdf").write_bytes(pdf_of_content(b"0 0 m 1 1 l S\n" * 15_000_000))
    (tmp_path / "a.md").write_bytes(GUIDE)

    with closing(Extractor(Limits(memory_bytes=256 * 1024**2))) as extractor:
        with pytest.raises(DocumentUnsupported, match=r"^bomb\.pdf was left out: .*256 MB"):
            extractor.extract(tmp_path / "bomb.pdf", "bomb.pdf")

        assert extractor.extract(tmp_path / "a.md", "a.md").document.title == "Fever"


def test_a_reader_that_was_killed_between_documents_is_replaced(extractor: Extractor, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(GUIDE)
    extractor.extract(tmp_path / "a.md", "a.md")
    processes()[0].kill()

    assert extractor.extract(tmp_path / "a.md", "a.md").document.title == "Fever"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.pdf", b"", "it is empty"),
        ("huge.pdf", None, "larger than 128 MB"),
        ("a.md", "熱".encode("shift-jis"), "not UTF-8"),
        ("a.png", b"\x89PNG", "OCR"),
        ("absent.md", b"absent", "can't be opened"),
        ("a\udcff.md", GUIDE, "not UTF-8"),
    ],
)
def test_each_refusal_is_one_line(
    extractor: Extractor, tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    path = tmp_path / name
    if content is None:
        with path.open("wb") as file:
            file.truncate(129 * 1024**2)
    elif content != b"absent":
        path.write_bytes(content)

    with pytest.raises(DocumentUnsupported, match=rf"was left out: .*{reason}.*\.$"):
        extractor.extract(path, name)


def test_the_process_can_write_no_file_and_knows_no_secret(extractor: Extractor, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(GUIDE)
    extractor.extract(tmp_path / "a.md", "a.md")

    [process] = processes()

    assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert process.rlimit(psutil.RLIMIT_AS) == (512 * 1024**2,) * 2
    assert set(process.environ()) == {"PYTHONPATH", "LC_ALL"}


def test_spoiled_files_are_refused_or_read_and_nothing_else_happens(tmp_path: Path) -> None:
    pages = [prose(50, 700, [f"Give amoxicillin to child {n}.", "Look again."]) for n in range(3)]
    (tmp_path / "a.pdf").write_bytes(pdf(pages, outline=[("Treat", 0)], title="Pneumonia"))
    (tmp_path / "b.docx").write_bytes(word(paragraph("Treat", style="Heading1") + paragraph("Give zinc.")))

    survived = survive(originals_below(tmp_path), 60)

    assert sum(survived.endings.values()) == 60
    assert survived.slowest_s < 2 * Limits().page_seconds


def test_spoiled_files_of_the_shared_set_too(shared_data: Path) -> None:
    assert survive(originals_below(shared_data / "documents"), 30).slowest_s < 2 * Limits().page_seconds
