from pathlib import Path

import pytest

from knowledge.errors import DocumentAltered, ExportRefused, NotInKnowledgeBase
from knowledge.export import export_pack
from knowledge.pack import read_pack, seal_pack
from knowledge.store import KnowledgeStore
from tests.knowledge.conftest import GUIDELINES, HashingEmbedder, PackMaker


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ids(store: KnowledgeStore, pack: str) -> list[str]:
    return [passage.id for passage in store.passages(pack)]


@pytest.mark.parametrize("language", GUIDELINES)
def test_a_pack_comes_out_byte_for_byte_as_it_went_in(
    store: KnowledgeStore, make_pack: PackMaker, tmp_path: Path, language: str
) -> None:
    folder = make_pack(language)
    store.add(folder)

    export_pack(store, f"test-{language}", tmp_path / "pack")

    assert files(tmp_path / "pack") == files(folder)


def test_a_sealed_pack_stays_sealed(store: KnowledgeStore, make_pack: PackMaker, tmp_path: Path) -> None:
    folder = make_pack()
    seal_pack(folder)
    store.add(folder)

    export_pack(store, "test-en", tmp_path / "pack")

    assert files(tmp_path / "pack") == files(folder)


def test_on_another_machine_it_gives_the_same_passages(
    store: KnowledgeStore, make_pack: PackMaker, embedder: HashingEmbedder, tmp_path: Path
) -> None:
    store.add(make_pack())
    export_pack(store, "test-en", tmp_path / "pack")

    elsewhere = KnowledgeStore(tmp_path / "elsewhere", embedder)
    elsewhere.add(tmp_path / "pack")

    assert ids(elsewhere, "test-en") == ids(store, "test-en")
    assert elsewhere.list_packs() == store.list_packs()


def test_a_folder_without_a_manifest_gets_one_that_says_the_same(
    store: KnowledgeStore, embedder: HashingEmbedder, tmp_path: Path
) -> None:
    folder = tmp_path / "bare"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.md").write_text('# A "quoted" \\ title\n\nGive zinc.', "utf-8")
    (folder / "b.txt").write_text("Give oxygen.", "utf-8")
    (folder / "c.zip").write_bytes(b"PK")
    store.add(folder, language="en")

    export_pack(store, "bare", tmp_path / "pack")
    elsewhere = KnowledgeStore(tmp_path / "elsewhere", embedder)
    elsewhere.add(tmp_path / "pack")

    assert set(files(tmp_path / "pack")) == {"pack.toml", "deep/a.md", "b.txt"}
    assert elsewhere.list_packs() == store.list_packs()
    assert ids(elsewhere, "bare") == ids(store, "bare")


def test_documents_that_were_left_out_are_not_listed(
    store: KnowledgeStore, make_pack: PackMaker, tmp_path: Path
) -> None:
    folder = make_pack(files={"a.md": "# A\n\nGive zinc.", "b.md": "# A\n\nGive zinc."})
    store.add(folder)

    export_pack(store, "test-en", tmp_path / "pack")

    assert [entry.file for entry in read_pack(tmp_path / "pack").documents] == ["a.md"]


def test_a_former_edition_can_be_had(store: KnowledgeStore, make_pack: PackMaker, tmp_path: Path) -> None:
    folder = make_pack()
    version = store.add(folder).version
    store.add(make_pack(edition="2027.01", files={"a.md": "# T\n\nGive oxygen."}))

    export_pack(store.at(version), "test-en", tmp_path / "pack")

    assert files(tmp_path / "pack") == files(folder)


@pytest.mark.parametrize("there", ["file", "folder"])
def test_nothing_is_overwritten(filled: KnowledgeStore, tmp_path: Path, there: str) -> None:
    target = tmp_path / "pack"
    target.mkdir() if there == "folder" else target.write_text("mine")

    with pytest.raises(ExportRefused, match="nothing is overwritten"):
        export_pack(filled, "test-en", target)

    assert target.is_dir() if there == "folder" else target.read_text() == "mine"


def test_an_altered_document_is_not_handed_on(filled: KnowledgeStore, tmp_path: Path) -> None:
    digest = str(filled.pack("test-en").manifest.documents[0].sha256)
    (filled.folder / "sources" / digest).write_text("Give nothing.", "utf-8")

    with pytest.raises(DocumentAltered):
        export_pack(filled, "test-en", tmp_path / "pack")

    assert [path.name for path in tmp_path.iterdir() if "pack" in path.name] == ["packs"]


def test_a_pack_that_is_not_there_is_said_with_the_nearest(filled: KnowledgeStore, tmp_path: Path) -> None:
    with pytest.raises(NotInKnowledgeBase, match="did you mean test-"):
        export_pack(filled, "test-eng", tmp_path / "pack")
