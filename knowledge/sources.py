"""What the store was made from, kept by the SHA-256 of its bytes, so that the store can be proved and rebuilt.

Beside a document lies `DIGEST.document`, what was read from it when it was first added: parsers change, and the spans
of its passages must not. Notes lie beside their source in the same way. The first line of both is the SHA-256 of the
rest. Knows neither packs nor passages.
"""

from collections.abc import Iterable, Iterator
from hashlib import file_digest, sha256
from pathlib import Path

from pydantic import ValidationError

from knowledge.document import Document
from knowledge.errors import DocumentAltered, NotInKnowledgeBase
from knowledge.local import as_shelf
from knowledge.place import Shelf

_PIECE = 1 << 20
_READING = ".document"


def digest_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


class Sources:
    """A shelf [a path: a folder] of objects named by their digest."""

    def __init__(self, where: Path | Shelf) -> None:
        self._shelf = as_shelf(where)

    def keep(self, content: bytes) -> str:
        """Write the bytes unless they are there, durably, and return their digest. One writer at a time."""
        digest = sha256(content).hexdigest()
        self._write(digest, (content,))
        return digest

    def keep_document(self, path: Path, digest: str, document: Document) -> None:
        """Keep the file with that digest and what was read from it; what was kept before stays as it is.

        Raises DocumentAltered where the file is another one by now. One writer at a time.
        """
        self._write(digest, _pieces(path, digest))
        reading = document.model_dump_json().encode()
        self._write(digest + _READING, _hashed(reading))

    def read(self, digest: str) -> bytes:
        """The bytes with that digest; raises NotInKnowledgeBase, or DocumentAltered where they were tampered with."""
        content = self._shelf.read(self._known(digest))
        if sha256(content).hexdigest() != digest:
            raise DocumentAltered(digest)
        return content

    def document(self, digest: str) -> Document | None:
        """What was read from the document with that digest; None where that wasn't kept.

        Raises NotInKnowledgeBase, and DocumentAltered where the source or what was read was tampered with.
        """
        found = sha256()
        for piece in self._shelf.pieces(self._known(digest)):
            found.update(piece)
        if found.hexdigest() != digest:
            raise DocumentAltered(digest)
        content = self._proved(digest + _READING)
        try:
            return None if content is None else Document.model_validate_json(content)
        except ValidationError as error:
            raise DocumentAltered(digest + _READING) from error

    def keep_note(self, digest: str, name: str, content: bytes) -> None:
        """Keep what was found out about the source with that digest, over a former note of that name.

        It is derived, and goes with its source. One writer at a time.
        """
        self._shelf.write(f"{digest}{name}", _hashed(content))

    def note(self, digest: str, name: str) -> bytes | None:
        """The note of that name, or None where there is none; raises DocumentAltered."""
        return self._proved(f"{digest}{name}")

    def holds(self, digest: str) -> bool:
        """Whether the bytes with that digest are kept."""
        return len(digest) == 64 and digest.isalnum() and self._shelf.holds(digest)

    def _proved(self, name: str) -> bytes | None:
        """What lies beside a source, without the hash in front; None where it isn't there. Raises DocumentAltered."""
        if not self._shelf.holds(name):
            return None
        stated, _, content = self._shelf.read(name).partition(b"\n")
        if sha256(content).hexdigest().encode() != stated:
            raise DocumentAltered(name)
        return content

    def _known(self, digest: str) -> str:
        if not self.holds(digest):
            raise NotInKnowledgeBase("document", digest)
        return digest

    def _write(self, name: str, pieces: Iterable[bytes]) -> None:
        if not self._shelf.holds(name):
            self._shelf.write(name, pieces)


def _hashed(content: bytes) -> tuple[bytes, ...]:
    """The bytes with the line in front that proves them."""
    return sha256(content).hexdigest().encode(), b"\n", content


def _pieces(path: Path, digest: str) -> Iterator[bytes]:
    """The file's bytes; raises DocumentAltered at the end unless they have that digest."""
    found = sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found.update(piece)
            yield piece
    if found.hexdigest() != digest:
        raise DocumentAltered(path.name)
