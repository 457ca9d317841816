"""What the store was made from, kept by the SHA-256 of its bytes, so that the store can be proved and rebuilt.

Knows neither packs nor passages.
"""

import os
from hashlib import sha256
from pathlib import Path

from knowledge.errors import DocumentAltered, NotInKnowledgeBase


class Sources:
    """A folder of files named by their digest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, content: bytes) -> str:
        """Write the bytes unless they are there, durably, and return their digest. One writer at a time."""
        digest = sha256(content).hexdigest()
        target = self._folder / digest
        if not target.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_suffix(".new")
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(target)
        return digest

    def read(self, digest: str) -> bytes:
        """The bytes with that digest; raises NotInKnowledgeBase, or DocumentAltered where they were tampered with."""
        if not (len(digest) == 64 and digest.isalnum() and (self._folder / digest).is_file()):
            raise NotInKnowledgeBase("document", digest)
        content = (self._folder / digest).read_bytes()
        if sha256(content).hexdigest() != digest:
            raise DocumentAltered(digest)
        return content
