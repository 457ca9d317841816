"""A pack as it was added, written into a folder: to be carried to another machine and added there.

The same documents give the same passages with the same ids. It doesn't read documents.
"""

import shutil
from pathlib import Path

import tomlkit

from knowledge.errors import ExportRefused, PackInvalid
from knowledge.folder import StoreFolder
from knowledge.kept import Kept
from knowledge.pack import MANIFEST, Manifest, read_pack
from knowledge.store import KnowledgeStore


def export_pack(store: KnowledgeStore, name: str, folder: Path) -> Manifest:
    """Write a pack of the version that is read, manifest and documents byte for byte, into a new folder.

    Where documents had been left out, or there was no manifest, one is written that lists what went in. Raises
    NotInKnowledgeBase, ExportRefused, DocumentAltered or OSError; then nothing was written.
    """
    manifest = store.pack(name).manifest
    if folder.exists():
        raise ExportRefused(str(folder))
    parts = StoreFolder(store.place)
    record = parts.versions.read(store.table.tag)
    holding = record.packs.get(name) if record else None
    unfinished = folder.with_name(f".{folder.name}.new")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        _write(unfinished, manifest, parts.kept, holding.original if holding else None)
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return manifest


def _write(folder: Path, manifest: Manifest, kept: Kept, original: str | None) -> None:
    for entry in manifest.documents:
        target = folder / entry.file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(kept.read(str(entry.sha256)))
    stated = folder / MANIFEST
    if original:
        stated.write_bytes(kept.read(original))
    if not original or not _says(folder, manifest):
        stated.write_text(_as_toml(manifest), "utf-8", newline="\n")


def _says(folder: Path, manifest: Manifest) -> bool:
    """Whether the folder's own manifest lists these documents and says the same of them."""
    try:
        stated = read_pack(folder)
    except PackInvalid:
        return False
    return _without_hashes(stated) == _without_hashes(manifest)


def _without_hashes(manifest: Manifest) -> Manifest:
    entries = tuple(entry.model_copy(update={"sha256": None}) for entry in manifest.documents)
    return manifest.model_copy(update={"documents": entries})


def _as_toml(manifest: Manifest) -> str:
    documents = tomlkit.aot()
    for entry in manifest.documents:
        documents.append(tomlkit.item(entry.model_dump(exclude_none=True, exclude_defaults=True)))
    pack = manifest.model_dump(exclude={"documents"}, exclude_none=True)
    return tomlkit.dumps({"pack": pack, "documents": documents})
