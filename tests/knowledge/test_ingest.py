import os
from pathlib import Path

import pytest

from knowledge.errors import DocumentAltered, DocumentUnsupported, PackInvalid
from knowledge.ingest import read_documents
from knowledge.sources import Sources, digest_of
from knowledge.store import KnowledgeStore
from tests.knowledge.conftest import HashingEmbedder
from tests.knowledge.files import paragraph, pdf, prose, word


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bare folder with a document of each kind."""
    folder = tmp_path / "guidelines"
    folder.mkdir()
    (folder / "a.md").write_text("# Fever\n\nGive paracetamol.", "utf-8")
    (folder / "b.pdf").write_bytes(pdf([[], prose(50, 700, ["Give oxygen."])], title="Pneumonia"))
    (folder / "c.docx").write_bytes(word(paragraph("Give ORS."), title="Diarrhoea"))
    (folder / "d.html").write_text("<h1>Malaria</h1><p>Give artesunate.</p>", "utf-8")
    return folder


def test_every_kind_gives_passages_with_title_and_page(folder: Path) -> None:
    pack = read_documents(folder, language="en")

    assert [(p.document_title, p.page, p.text) for p in pack.passages] == [
        ("Fever", None, "Give paracetamol."),
        ("Pneumonia", 2, "Give oxygen."),
        ("Diarrhoea", None, "Give ORS."),
        ("Malaria", None, "Give artesunate."),
    ]
    assert pack.skipped == ()


def test_what_was_read_before_is_not_read_again(folder: Path) -> None:
    first = read_documents(folder, language="en")
    kept = {d.digest: d.document.model_copy(update={"title": "Kept"}) for d in first.documents}

    again = read_documents(folder, language="en", kept=kept.get)

    assert {p.document_title for p in again.passages} == {"Kept"}
    assert [p.id for p in again.passages] == [p.id for p in first.passages]


def test_one_bad_document_keeps_no_other_out(folder: Path) -> None:
    (folder / "b.pdf").write_bytes(b"%PDF-1.7 nothing")
    (folder / "e.md").write_bytes(b"")
    (folder / "f:g.md").write_text("Text.", "utf-8")
    (folder / os.fsdecode(b"h\xff.md")).write_text("Text.", "utf-8")

    pack = read_documents(folder, language="en")

    assert [entry.file for entry in pack.manifest.documents] == ["a.md", "c.docx", "d.html"]
    assert [file for file, _ in pack.skipped] == ["b.pdf", "e.md", "f:g.md", "h?.md"]


def test_a_folder_of_which_nothing_can_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"x")

    with pytest.raises(PackInvalid, match=r"none of its documents has text \(a\.pdf: it is not a PDF"):
        read_documents(tmp_path)


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(PackInvalid, match="it holds none"):
        read_documents(tmp_path)


def test_a_single_file_raises_its_own_error(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"x")

    with pytest.raises(DocumentUnsupported, match="not a PDF"):
        read_documents(tmp_path / "a.pdf")


def test_progress_names_each_file(folder: Path) -> None:
    seen: list[tuple[str, int, int]] = []

    read_documents(folder, language="en", progress=lambda *step: seen.append(step))

    assert seen == [("a.md", 0, 4), ("b.pdf", 1, 4), ("c.docx", 2, 4), ("d.html", 3, 4)]


def test_what_was_read_is_kept_once_and_for_ever(folder: Path, tmp_path: Path) -> None:
    sources = Sources(tmp_path / "sources")
    first = read_documents(folder / "b.pdf", language="en").documents[0]
    sources.keep_document(first.path, first.digest, first.document)

    sources.keep_document(
        first.path, first.digest, first.document.model_copy(update={"text": "x", "sections": (), "pages": ()})
    )

    assert sources.document(first.digest) == first.document
    assert sources.read(first.digest) == (folder / "b.pdf").read_bytes()


def test_a_file_that_is_another_by_now_is_not_kept(folder: Path, tmp_path: Path) -> None:
    sources = Sources(tmp_path / "sources")
    first = read_documents(folder / "b.pdf", language="en").documents[0]
    first.path.write_bytes(b"another")

    with pytest.raises(DocumentAltered):
        sources.keep_document(first.path, first.digest, first.document)

    assert not sources.holds(first.digest)


@pytest.mark.parametrize("what", ["source", "reading"])
def test_a_tampered_reading_is_not_opened(folder: Path, tmp_path: Path, what: str) -> None:
    sources = Sources(tmp_path / "sources")
    first = read_documents(folder / "a.md", language="en").documents[0]
    sources.keep_document(first.path, first.digest, first.document)
    target = tmp_path / "sources" / (first.digest + {"source": "", "reading": ".document"}[what])
    target.write_bytes(target.read_bytes().replace(b"Give", b"Deny"))

    with pytest.raises(DocumentAltered):
        sources.document(first.digest)


def test_the_digest_is_that_of_the_bytes(folder: Path) -> None:
    assert read_documents(folder / "a.md").documents[0].digest == digest_of(folder / "a.md")


def test_a_citation_from_a_pdf_opens_at_its_page(folder: Path, tmp_path: Path, embedder: HashingEmbedder) -> None:
    store = KnowledgeStore(tmp_path / "store", embedder)
    store.add(folder, language="en")
    [(identifier, _)] = store.table.matching("oxygen", None, 1)

    passage = store.passage(identifier)

    assert (passage.page, passage.text) == (2, "Give oxygen.")
    assert store.document_text(passage.document)[passage.start : passage.end] == passage.text
    assert store.add(folder, language="en").unchanged
