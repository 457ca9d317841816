"""A file of values, one JSON object a line, that survives being killed at any moment.

What was appended is on the disk when `append` returns. A last line that was cut off is taken away when the file is
opened for writing and passed over when it is read. Knows nothing of what the values mean.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from evaluation.errors import RunDamaged

_Value = TypeVar("_Value", bound=BaseModel)


class Lines(Generic[_Value]):
    """The file at `path` with values of one `kind`."""

    def __init__(self, path: Path, kind: type[_Value]) -> None:
        self.path, self._kind = path, kind

    def read(self) -> tuple[_Value, ...]:
        """All whole lines; none where there is no file. Raises RunDamaged for one that is no value."""
        raw = self.path.read_bytes() if self.path.exists() else b""
        whole, _, _ = raw.rpartition(b"\n")
        return tuple(self._value(number, line) for number, line in enumerate(whole.split(b"\n"), 1) if line)

    def _value(self, number: int, line: bytes) -> _Value:
        try:
            return self._kind.model_validate_json(line)
        except ValidationError as error:
            raise RunDamaged(
                f"Line {number} of {self.path.name} cannot be read ({error.errors()[0]['msg']}); "
                "take it out with a text editor, and what it held is computed again."
            ) from error

    def repair(self) -> None:
        """Take away a last line that was cut off."""
        raw = self.path.read_bytes() if self.path.exists() else b""
        whole = raw.rfind(b"\n") + 1
        if whole < len(raw):
            with self.path.open("r+b") as file:
                file.truncate(whole)
                os.fsync(file.fileno())

    def replace(self, values: Iterable[_Value]) -> None:
        """Make these the whole file, at once: killed at any moment, it has the old ones or these."""
        new = Lines(self.path.with_suffix(".new"), self._kind)
        new.path.unlink(missing_ok=True)
        new.extend(values)
        new.path.replace(self.path)
        synced(self.path.parent)

    def append(self, value: _Value) -> None:
        """Add one and wait until it is on the disk."""
        self.extend((value,))

    def extend(self, values: Iterable[_Value]) -> None:
        """Add several at once and wait until they are on the disk."""
        new = not self.path.exists()
        with self.path.open("ab") as file:
            file.write(b"".join(value.model_dump_json().encode() + b"\n" for value in values))
            file.flush()
            os.fsync(file.fileno())
        if new:
            synced(self.path.parent)


def synced(folder: Path) -> None:
    """Wait until the names of the files in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
