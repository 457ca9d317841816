import shutil
from pathlib import Path

import lancedb
import pytest

from knowledge.check import Fault, check
from knowledge.errors import KnowledgeBaseMissing
from knowledge.store import KnowledgeStore
from tests.knowledge.conftest import HashingEmbedder, PackMaker


@pytest.fixture
def two(store: KnowledgeStore, make_pack: PackMaker) -> KnowledgeStore:
    """Two versions, two packs."""
    store.add(make_pack("en"))
    store.add(make_pack("ja"))
    return store


def document(store: KnowledgeStore, pack: str = "test-en") -> str:
    return str(store.pack(pack).manifest.documents[0].sha256)


def problems(store: KnowledgeStore) -> list[str]:
    return [f"{fault.subject}: {fault.problem}" for fault in check(store.folder).faults]


def altered(store: KnowledgeStore, change: dict[str, str], where: str) -> None:
    """Alter rows behind the product's back, under the newest tag."""
    table = lancedb.connect(str(store.folder / "lance")).open_table("passages")
    table.update(where=where, values=change)
    table.tags.update(store.version(), table.version)


def test_what_was_added_is_proved(two: KnowledgeStore) -> None:
    summary = check(two.folder)

    assert (summary.versions, summary.passages, summary.faults) == (2, 9, ())
    assert summary.sources == 8  # of each pack a document, a manifest as read, as it came, and a list of passages


def test_an_altered_document_is_named_once_and_so_is_what_hangs_on_it(two: KnowledgeStore) -> None:
    digest = document(two)
    file = two.folder / "sources" / digest
    file.write_text(file.read_text("utf-8").replace("40 mg/kg", "90 mg/kg"), "utf-8")

    found = problems(two)

    assert found[0].startswith(f"source {digest[:12]}: {digest} is not the document that was recorded")
    assert len([line for line in found if line.startswith("source")]) == 1
    assert len(found) == len(set(found))


def test_a_missing_document_is_a_fault(two: KnowledgeStore) -> None:
    digest = document(two)
    (two.folder / "sources" / digest).unlink()

    assert any(line.startswith(f"document {digest[:12]}: The document {digest} is not in") for line in problems(two))


def test_a_dose_altered_in_the_table_is_found(two: KnowledgeStore) -> None:
    altered(two, {"text": "Give oral amoxicillin, 90 mg/kg twice daily for 5 days."}, "text LIKE 'Give oral%'")

    (identifier,) = {line.split(":")[0] for line in problems(two) if line.startswith("passage")}
    assert f"{identifier}: its text doesn't have its hash" in problems(two)
    assert f"{identifier}: document {document(two)[:12]} doesn't have its text in its place" in problems(two)


@pytest.mark.parametrize("change", [{"edition": "2099"}, {"jurisdiction": "XX"}, {"document_title": "Another"}])
def test_whatever_else_is_altered_in_the_table_is_found(two: KnowledgeStore, change: dict[str, str]) -> None:
    altered(two, change, "text LIKE 'Give oral%'")

    found = [line.partition(": ")[2] for line in problems(two) if line.startswith("passage")]
    assert found == ["it isn't as it was added with test-en"]


def test_a_missing_passage_is_found(two: KnowledgeStore) -> None:
    table = lancedb.connect(str(two.folder / "lance")).open_table("passages")
    table.delete("text LIKE 'Give oral%'")
    table.tags.update(two.version(), table.version)

    assert [line.partition(": ")[2] for line in problems(two)] == ["test-en was added with it"]


def test_a_row_that_no_index_has_is_found(two: KnowledgeStore) -> None:
    altered(two, {"document_title": "Pneumonia in children"}, "text LIKE 'Give oral%'")

    assert [line for line in problems(two) if "index of text lacks 1 of 6" in line]


def test_a_manifest_that_can_not_be_read_is_found(two: KnowledgeStore) -> None:
    record = two.history()[-1]
    (two.folder / "sources" / record.packs["test-en"].manifest).write_bytes(b"{}")

    assert any(line.startswith(f"source {record.packs['test-en'].manifest[:12]}") for line in problems(two))


def test_a_version_whose_record_is_gone_or_damaged_is_found(two: KnowledgeStore) -> None:
    (two.folder / "versions" / f"{two.version()}.json").write_bytes(b"{}")

    assert any(f"the record of version {two.version()} can't be read" in line for line in problems(two))


def test_tables_that_are_lost_are_one_fault(two: KnowledgeStore) -> None:
    shutil.rmtree(two.folder / "lance")

    assert [fault.subject for fault in check(two.folder).faults] == ["records"]


@pytest.mark.parametrize("part", ["data", "_indices", "_versions"])
def test_tables_that_can_not_be_read_are_faults_and_no_crash(two: KnowledgeStore, part: str) -> None:
    for file in (two.folder / "lance" / "passages.lance" / part).rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])

    assert check(two.folder).faults != ()


def test_progress_is_told(two: KnowledgeStore) -> None:
    seen: list[str] = []

    check(two.folder, lambda label, done, total: seen.append(label))

    assert list(dict.fromkeys(seen)) == ["sources", *two.versions()]


def test_an_older_version_is_proved_too(two: KnowledgeStore, make_pack: PackMaker, embedder: HashingEmbedder) -> None:
    digest = document(two)
    two.remove("test-en")
    (two.folder / "sources" / digest).unlink()

    assert (
        Fault(subject=f"document {digest[:12]}", problem=check(two.folder).faults[0].problem)
        in check(two.folder).faults
    )


def test_there_must_be_something_to_check(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeBaseMissing):
        check(tmp_path / "store")
