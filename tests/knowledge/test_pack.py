import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

from knowledge.errors import PackInvalid
from knowledge.pack import infer_pack, read_pack, seal_pack
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


def test_a_bare_folder_gets_a_manifest_with_the_identified_languages(tmp_path: Path) -> None:
    folder = tmp_path / "My guidelines (2026)"
    (folder / "sub").mkdir(parents=True)
    (folder / ".hidden.md").write_text("x", "utf-8")
    (folder / "sub" / "a.md").write_text("# 肺炎\n\n本文。", "utf-8")
    (folder / "b.txt").write_text("Plain text.", "utf-8")
    (folder / "c.md").write_text("# Fever\n\nText.", "utf-8")

    manifest = infer_pack(folder, identify=lambda text: "ja" if "肺炎" in text else "en")

    assert (manifest.name, manifest.title, manifest.jurisdiction) == (
        "My-guidelines-2026",
        "My guidelines (2026)",
        "INT",
    )
    assert (manifest.language, manifest.edition, manifest.expires) == ("en", "", None)
    assert [(d.file, d.title, d.language) for d in manifest.documents] == [
        ("b.txt", "b", "en"),
        ("c.md", "Fever", "en"),
        ("sub/a.md", "肺炎", "ja"),
    ]


def test_a_single_file_is_a_pack_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "fever.md"
    file.write_text("# 発熱\n\n本文。", "utf-8")

    manifest = infer_pack(file, language="ja")

    assert (manifest.name, manifest.title, manifest.language) == ("fever", "発熱", "ja")


def test_an_unidentified_language_is_said_to_be_undetermined(tmp_path: Path) -> None:
    file = tmp_path / "fever.md"
    file.write_text("12345", "utf-8")

    assert infer_pack(file, identify=lambda text: None).language == "und"


def test_an_empty_folder_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(PackInvalid, match="no documents"):
        infer_pack(tmp_path)
