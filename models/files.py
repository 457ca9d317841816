"""Reads and writes large files: hashing with progress, free space, and replacement that is never half done.

Knows nothing of models, hashes that are right, or where a file came from.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

from models.errors import DiskFull

CHUNK = 1 << 20
_RESERVE = 64 << 20  # left free, so that the record of a consultation can still be written


class Progress(Protocol):
    """Is told, often, how far something has come; `total_bytes` is None where nobody knows."""

    def __call__(self, label: str, done_bytes: int, total_bytes: int | None, /) -> None: ...


def silent(label: str, done_bytes: int, total_bytes: int | None, /) -> None:
    """Progress that nobody watches."""


def chunks(path: Path) -> Iterable[bytes]:
    """The bytes of the file at `path`, a mebibyte at a time."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def sha256(path: Path, label: str = "", progress: Progress = silent) -> str:
    """The file's SHA-256, in lower-case hexadecimal."""
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    for chunk in chunks(path):
        digest.update(chunk)
        progress(label, done := done + len(chunk), total)
    return digest.hexdigest()


def write(path: Path, content: Iterable[bytes], label: str = "", progress: Progress = silent, total: int = 0) -> str:
    """Write `content` to `path`, durable when this returns, and give its SHA-256."""
    digest, done = hashlib.sha256(), 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for chunk in content:
            file.write(chunk)
            digest.update(chunk)
            progress(label, done := done + len(chunk), total or None)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def write_small(path: Path, text: str) -> None:
    """Replace the text file at `path` whole, or leave it as it was."""
    staged = path.with_name(f".{path.name}.new")
    write(staged, [text.encode("utf-8")])
    staged.replace(path)


class Seen(NamedTuple):
    """How a file was when it was looked at; whoever replaces or changes it cannot keep all of this."""

    device: int
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> "Seen":
        """The file as it is now."""
        now = path.stat()
        return cls(now.st_dev, now.st_ino, now.st_size, now.st_ctime_ns)


def folder_sha256(folder: Path) -> str:
    """One SHA-256 over everything in a folder: its files' own and their names, as `sha256sum` lists them.

    Empty where something in it is no file, or cannot be read.
    """
    try:
        found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_symlink() or not p.is_dir()}
        if any(path.is_symlink() or not path.is_file() for path in found.values()):
            return ""
        listed = "".join(f"{sha256(found[name])}  {name}\n" for name in sorted(found))
    except OSError:
        return ""
    return hashlib.sha256(listed.encode()).hexdigest()


def require_space(folder: Path, needed: int) -> None:
    """Raises DiskFull where fewer than `needed` bytes (and a small reserve) are free on the disk of `folder`."""
    short = needed + _RESERVE - shutil.disk_usage(folder).free
    if short > 0:
        raise DiskFull(f"The disk of {folder} is {-(-short // 1_000_000)} MB short; free that much and try again.")
