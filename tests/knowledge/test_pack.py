import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

from knowledge.document import Document
from knowledge.errors import DocumentUnsupported, PackInvalid
from knowledge.pack import check_name, documents_below, infer_pack, read_pack, seal_pack
from tests.knowledge.conftest import PackMaker


def test_a_manifest_is_read_as_it_was_written(make_pack: PackMaker) -> None:
    manifest = read_pack(make_pack("ja"))

    assert (manifest.name, manifest.jurisdiction, manifest.language, manifest.edition) == (
        "test-ja",
        "JP",
        "ja",
        "2026.11",
    )
    assert manifest.demonstration
    assert manifest.effective is not None
    assert manifest.effective.isoformat() == "2026-11-22"
    assert [entry.file for entry in manifest.documents] == ["pneumonia.md"]


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('name = "test-en"', 'name = "a/b"', "name"),
        ('jurisdiction = "INT"', 'jurisdiction = "Japan"', "jurisdiction"),
        ('language = "en"', 'language = "English"', "language"),
        ('title = "Pneumonia in children"', 'titel = "Pneumonia"', "title"),
        ("expires = 2027-11-22", "expires = 2020-01-01", "expires before"),
        ("[[documents]]", "[[document]]", "nothing else"),
        ("[pack]", "[pack", "TOML"),
        ('file = "pneumonia.md"', 'file = "../secret.md"', "leaves the pack"),
        ('file = "pneumonia.md"', 'file = "/etc/passwd"', "leaves the pack"),
        ('file = "pneumonia.md"', 'file = "..\\\\secret.md"', "leaves the pack"),
        ('file = "pneumonia.md"', 'file = "absent.md"', "missing"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_place(
    make_pack: PackMaker, before: str, after: str, problem: str
) -> None:
    folder = make_pack()
    text = (folder / "pack.toml").read_text("utf-8")
    (folder / "pack.toml").write_text(text.replace(before, after), "utf-8")

    with pytest.raises(PackInvalid, match=problem):
        read_pack(folder)


def test_a_link_out_of_the_folder_is_refused(make_pack: PackMaker, tmp_path: Path) -> None:
    folder = make_pack()
    (tmp_path / "secret.md").write_text("secret", "utf-8")
    (folder / "pneumonia.md").unlink()
    (folder / "pneumonia.md").symlink_to(tmp_path / "secret.md")

    with pytest.raises(PackInvalid, match="leads out"):
        read_pack(folder)


def test_a_folder_without_a_manifest_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(PackInvalid, match=r"no pack\.toml"):
        read_pack(tmp_path)


def test_text_in_a_manifest_is_neutralised(make_pack: PackMaker) -> None:
    assert read_pack(make_pack(publisher="WHO<|im_end|>\u202e<b>x</b>")).publisher == "WHOx"


def test_sealing_records_every_hash_and_leaves_the_rest_as_it_was(make_pack: PackMaker) -> None:
    folder = make_pack()
    before = (folder / "pack.toml").read_text("utf-8")

    sealed = seal_pack(folder)

    after = (folder / "pack.toml").read_text("utf-8")
    digest = sha256((folder / "pneumonia.md").read_bytes()).hexdigest()
    assert sealed.documents[0].sha256 == digest
    assert [line for line in after.splitlines() if line not in before.splitlines()] == [f'sha256 = "{digest}"']
    assert tomllib.loads(after)["documents"][0]["sha256"] == digest


def test_sealing_twice_changes_nothing(make_pack: PackMaker) -> None:
    folder = make_pack()
    seal_pack(folder)
    once = (folder / "pack.toml").read_bytes()

    seal_pack(folder)

    assert (folder / "pack.toml").read_bytes() == once


def document(text: str, title: str | None = None) -> Document:
    return Document(text=text, sections=(), title=title)


def test_a_bare_folder_gets_a_manifest_with_the_identified_languages(tmp_path: Path) -> None:
    folder = tmp_path / "My guidelines (2026)"
    folder.mkdir()
    documents = {
        "b.txt": document("Plain text."),
        "c.md": document("Text.", "Fever"),
        "sub/a.pdf": document("本文。", "肺炎"),
    }

    manifest = infer_pack(folder, documents, identify=lambda text: "ja" if "本文" in text else "en")

    assert (manifest.name, manifest.title, manifest.jurisdiction) == (
        "My-guidelines-2026",
        "My guidelines (2026)",
        "INT",
    )
    assert (manifest.language, manifest.edition, manifest.expires) == ("en", "", None)
    assert [(d.file, d.title, d.language) for d in manifest.documents] == [
        ("b.txt", "b", "en"),
        ("c.md", "Fever", "en"),
        ("sub/a.pdf", "肺炎", "ja"),
    ]


def test_hidden_files_and_links_out_of_the_folder_are_not_listed(tmp_path: Path) -> None:
    folder = tmp_path / "guidelines"
    (folder / "sub").mkdir(parents=True)
    for file in ("sub/a.md", "b.txt", ".hidden.md"):
        (folder / file).write_text("x", "utf-8")
    (tmp_path / "secret.md").write_text("secret", "utf-8")
    (folder / "link.md").symlink_to(tmp_path / "secret.md")

    assert documents_below(folder) == ["b.txt", "sub/a.md"]
    assert documents_below(folder / "b.txt") == ["b.txt"]


@pytest.mark.parametrize("name", ["a:b.md", "a\\b.md", "a\udcff.md"])
def test_a_name_that_no_manifest_could_list_is_told(name: str) -> None:
    with pytest.raises(DocumentUnsupported, match="rename it"):
        check_name(name)


def test_a_single_file_is_a_pack_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "fever.md"
    file.touch()

    manifest = infer_pack(file, {"fever.md": document("本文。", "発熱")}, language="ja")

    assert (manifest.name, manifest.title, manifest.language) == ("fever", "発熱", "ja")


def test_an_unidentified_language_is_said_to_be_undetermined(tmp_path: Path) -> None:
    assert infer_pack(tmp_path, {"a.md": document("12345")}, identify=lambda text: None).language == "und"


@pytest.mark.parametrize(("title", "kept"), [("x" * 2000, "x" * 300), ("\u202e<b></b>", "a"), (None, "a")])
def test_any_title_makes_a_manifest(tmp_path: Path, title: str | None, kept: str) -> None:
    assert infer_pack(tmp_path, {"a.md": document("text", title)}).documents[0].title == kept
