"""A folder on a disk as the place of a knowledge base: files that are renamed when they are whole, and a file lock.

It knows nothing of what is in the files.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from knowledge.durable import write_whole
from knowledge.errors import StoreUnwritable
from knowledge.place import Place, Shelf
from knowledge.presence import hold, is_read

_HEAD = "store.json"
_PIECE = 1 << 20


class LocalShelf:
    """The files of a folder, which is made when the first one is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of a file, piece by piece; raises OSError."""
        with (self._folder / name).open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    def read(self, name: str) -> bytes:
        """The bytes of a file; raises OSError."""
        return (self._folder / name).read_bytes()

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Put a file there, on the disk when this returns; killed before, what was there stays."""
        write_whole(self._folder / name, pieces)

    def holds(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self._folder / name).is_file()

    def names(self) -> tuple[str, ...]:
        """Every file, but for those that are being written."""
        return tuple(path.name for path in self._folder.glob("[!.]*") if path.is_file())

    def rename(self, name: str, new: str) -> None:
        """Give a file another name, in one step."""
        (self._folder / name).replace(self._folder / new)

    def delete(self, names: Iterable[str]) -> None:
        """Remove files that are there."""
        for name in names:
            (self._folder / name).unlink()


class LocalFolder:
    """A folder that is made with the first change."""

    shared = False
    number = 0

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def exists(self) -> bool:
        """Whether there is such a folder."""
        return self.path.exists()

    def shelf(self, name: str) -> Shelf:
        """The files in a folder of it."""
        return LocalShelf(self.path / name)

    def head(self) -> bytes | None:
        """What `store.json` holds; None where it can't be read."""
        try:
            return (self.path / _HEAD).read_bytes()
        except OSError:
            return None

    @contextmanager
    def writing(self, seconds: float) -> Iterator["LocalFolder"]:
        """Hold the folder's lock, which the system takes back from whoever dies. Raises StoreUnwritable, OSError."""
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            lock = FileLock(self.path / "writing.lock").acquire(seconds)
        except Timeout as error:
            raise StoreUnwritable(str(self), "another command is changing it, so try again later") from error
        with lock:
            yield self

    def publish(self, head: bytes) -> None:
        """Replace `store.json`."""
        write_whole(self.path / _HEAD, [head])

    def require(self) -> None:
        """Nothing: a lock that the system keeps can't be lost."""

    def require_answer(self) -> None:
        """Nothing: what a disk refuses says so itself."""

    def folders(self) -> tuple[str, ...]:
        """The names of the folders in it."""
        return tuple(path.name for path in self.path.glob("*") if path.is_dir())

    def drop(self, folder: str) -> None:
        """Remove a folder and everything in it; one that isn't there is no matter."""
        if (self.path / folder).exists():
            shutil.rmtree(self.path / folder)

    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    def address(self, folder: str) -> tuple[str, None]:
        """The path of the tables in a folder; LanceDB needs no options for it."""
        return os.fspath(self.path / folder), None

    def hold(self, reader: object, folder: str) -> None:
        """Let a folder of tables count as read while `reader` lives."""
        hold(reader, self.path / folder)

    def is_read(self, folder: str, replaced: datetime | None) -> bool:
        """Whether a reader of the tables lives in whatever process of this machine; when they were replaced is one."""
        return is_read(self.path / folder)


def as_place(where: Path | Place) -> Place:
    """A place; a path means the folder there."""
    return LocalFolder(where) if isinstance(where, Path) else where


def as_shelf(where: Path | Shelf) -> Shelf:
    """A shelf; a path means the folder there."""
    return LocalShelf(where) if isinstance(where, Path) else where
