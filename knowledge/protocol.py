"""What the process that reads documents is told, and what it answers: one JSON object a line, over pipes.

Shared by `worker`, which reads, and `extractor`, which waits; it knows neither's code.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from knowledge.document import Document

MAX_FILE_BYTES = 128 * 1024 * 1024
OUT_OF_MEMORY = 3  # exit status


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Message):
    """What one document may use; `page_seconds` starts anew with every page."""

    page_seconds: float = 10.0
    document_seconds: float = 600.0
    memory_bytes: int = 512 * 1024 * 1024


class Read(_Message):
    """Read the file at `path`; `file` is its name in the pack, whose end says what kind it is."""

    path: str
    file: str


class Ready(_Message):
    """The process has set its own limits and waits for work."""

    kind: Literal["ready"] = "ready"


class Working(_Message):
    """A page begins."""

    kind: Literal["working"] = "working"


class Extracted(_Message):
    """The document, and the SHA-256 of the bytes that it was read from."""

    kind: Literal["extracted"] = "extracted"
    sha256: str
    document: Document


class Refused(_Message):
    """It can't be read; `reason` is the sentence without the file's name."""

    kind: Literal["refused"] = "refused"
    reason: str


REPLY: TypeAdapter[Ready | Working | Extracted | Refused] = TypeAdapter(
    Annotated[Ready | Working | Extracted | Refused, Field(discriminator="kind")]
)
