"""Writes small GGUF files, sound and broken in one place at a time."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

UINT8, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 0, 4, 5, 6, 7, 8, 9
F32, Q4_0 = 0, 2


def text(value: str) -> bytes:
    """A GGUF string."""
    raw = value.encode("utf-8")
    return struct.pack("<Q", len(raw)) + raw


def scalar(kind: int, layout: str, value: float) -> bytes:
    """A typed scalar."""
    return struct.pack(f"<I{layout}", kind, value)


def string(value: str) -> bytes:
    """A typed string."""
    return struct.pack("<I", STRING) + text(value)


def array(kind: int, length: int, items: bytes) -> bytes:
    """A typed array."""
    return struct.pack("<IIQ", ARRAY, kind, length) + items


def sound_pairs() -> dict[str, bytes]:
    """The settings of a model with two tokens."""
    return {
        "general.architecture": string("llama"),
        "llama.context_length": scalar(UINT32, "I", 512),
        "general.is_tiny": scalar(BOOL, "B", 1),
        "tokenizer.ggml.tokens": array(STRING, 2, text("a") + text("b")),
        "tokenizer.ggml.scores": array(FLOAT32, 2, struct.pack("<2f", 0, -1)),
    }


@dataclass(frozen=True)
class Tensor:
    """A tensor's entry in the header; `n_dimensions` lies about the shape where it is given."""

    name: str = "weight"
    shape: Sequence[int] = (32, 4)
    kind: int = F32
    offset: int = 0
    n_dimensions: int | None = None

    def entry(self) -> bytes:
        """Its bytes."""
        count = len(self.shape) if self.n_dimensions is None else self.n_dimensions
        shape = struct.pack(f"<I{len(self.shape)}Q", count, *self.shape)
        return text(self.name) + shape + struct.pack("<IQ", self.kind, self.offset)


@dataclass(frozen=True)
class GGUF:
    """A file; counts lie where they are given."""

    pairs: Mapping[str, bytes] = field(default_factory=sound_pairs)
    tensors: Sequence[Tensor] = (Tensor(),)
    magic: bytes = b"GGUF"
    version: int = 3
    n_tensors: int | None = None
    n_pairs: int | None = None
    alignment: int = 32
    tensor_bytes: int = 512

    def with_pair(self, key: str, value: bytes) -> "GGUF":
        """The same file with one setting more, or other."""
        return replace(self, pairs={**self.pairs, key: value})

    def content(self) -> bytes:
        """The whole file."""
        n_tensors = len(self.tensors) if self.n_tensors is None else self.n_tensors
        n_pairs = len(self.pairs) if self.n_pairs is None else self.n_pairs
        header = self.magic + struct.pack("<IQQ", self.version, n_tensors, n_pairs)
        header += b"".join(text(key) + value for key, value in self.pairs.items())
        header += b"".join(tensor.entry() for tensor in self.tensors)
        return header + bytes(-len(header) % self.alignment) + bytes(self.tensor_bytes)

    def write(self, path: Path) -> Path:
        """Write it and give the path back."""
        path.write_bytes(self.content())
        return path
