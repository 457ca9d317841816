"""What a knowledge base keeps for good: documents, manifests, and where passages lie, each by the SHA-256 of its bytes.

From these everything else can be made again. It knows neither tables nor versions' history.
"""

import json
import re
from collections.abc import Collection
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from knowledge.document import Document
from knowledge.errors import KnowledgeBaseDamaged
from knowledge.pack import Manifest
from knowledge.parse import read_text
from knowledge.passage import Passage
from knowledge.sources import Sources
from knowledge.versions import Holding

_OF_THE_PACK = ("publisher", "jurisdiction", "edition", "effective", "expires", "demonstration")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ROWS = TypeAdapter(list[dict[str, Any]])


class Kept(Sources):
    """The shelf `sources`, read as what it holds."""

    def digests(self) -> tuple[str, ...]:
        """The digest of everything that is kept."""
        return tuple(sorted(name for name in self._shelf.names() if _DIGEST.fullmatch(name)))

    def forget_all_but(self, needed: Collection[str]) -> None:
        """Delete what has another digest, with everything that was derived from it and is named after it."""
        self._shelf.delete(n for n in self._shelf.names() if _DIGEST.match(n) and n[:64] not in needed)

    def manifest(self, digest: str) -> Manifest:
        """A manifest; raises NotInKnowledgeBase, DocumentAltered or KnowledgeBaseDamaged."""
        try:
            return Manifest.model_validate_json(self.read(digest))
        except ValidationError as error:
            raise KnowledgeBaseDamaged(f"the manifest {digest[:12]}") from error

    def document_text(self, digest: str) -> str:
        """The text over which the spans of a document's passages count; checked against the document's hash.

        Raises NotInKnowledgeBase or DocumentAltered.
        """
        document = self.document(digest)
        # Stores from before readings were kept hold nothing but UTF-8 text.
        return document.text if document else read_text(self.read(digest), digest).text

    def reading(self, digest: str) -> Document | None:
        """What was read from a document when it was first added; None where it is not kept. Raises DocumentAltered."""
        return self.document(digest) if self.holds(digest) else None

    def keep_passages(self, passages: list[Passage] | tuple[Passage, ...]) -> str:
        """Keep where the passages of a pack lie in its documents, so that no later parser has to find them again."""
        without = {"pack", "text", *_OF_THE_PACK}
        rows = [passage.model_dump(mode="json", exclude=without) for passage in passages]
        return self.keep(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode())

    def passages(self, holding: Holding) -> tuple[Passage, ...]:
        """The passages of a pack as its documents have them.

        Raises NotInKnowledgeBase, DocumentAltered, and KnowledgeBaseDamaged for a list that can't be read.
        """
        manifest = self.manifest(holding.manifest)
        shared = {"pack": manifest.name, **{name: getattr(manifest, name) for name in _OF_THE_PACK}}
        text = cache(self.document_text)
        try:
            rows = _ROWS.validate_json(self.read(holding.passages))
            return tuple(_restored({**row, **shared}, text(row["document"])) for row in rows)
        except (ValidationError, KeyError, TypeError) as error:
            raise KnowledgeBaseDamaged(f"the list of passages of {manifest.name}") from error


def _restored(row: dict[str, Any], document: str) -> Passage:
    return Passage.model_validate({**row, "text": document[row["start"] : row["end"]]})
