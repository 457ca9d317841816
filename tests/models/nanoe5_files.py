"""Writes small 4-bit containers of the kind that multilingual-e5-small travels in."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

HIDDEN, INNER, TOKENS, POSITIONS = 32, 64, 8, 32
PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁", "fever", "▁fever", "～")
CHARACTERS = {"\t": " ", "\u200b": " ", "Ａ": "A"}
NUMBERS = np.random.default_rng(7)


def quantized(elements: int) -> bytes:
    """Random Q4_0 blocks."""
    blocks = np.zeros(elements // 32, np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]))
    blocks["scale"] = 0.01
    blocks["nibbles"] = NUMBERS.integers(0, 256, (elements // 32, 16))
    return blocks.tobytes()


def plain(elements: int, value: float | None = None) -> bytes:
    """float32 values, random or all the same."""
    values = NUMBERS.normal(0, 0.1, elements) if value is None else np.full(elements, value)
    return values.astype("<f4").tobytes()


def tensors() -> dict[str, tuple[int, int, bytes]]:
    """Every tensor of a model of one layer: kind, number of elements, bytes."""
    found = {
        "emb.word": (1, TOKENS * HIDDEN, quantized(TOKENS * HIDDEN)),
        "emb.pos": (0, POSITIONS * HIDDEN, plain(POSITIONS * HIDDEN)),
        "emb.type": (0, 2 * HIDDEN, plain(2 * HIDDEN)),
        "emb.ln.w": (0, HIDDEN, plain(HIDDEN, 1)),
        "emb.ln.b": (0, HIDDEN, plain(HIDDEN, 0)),
    }
    for short, rows, columns in (
        *((short, HIDDEN, HIDDEN) for short in ("q", "k", "v", "ao")),
        ("fi", INNER, HIDDEN),
        ("fo", HIDDEN, INNER),
    ):
        found[f"l0.{short}.w"] = (1, rows * columns, quantized(rows * columns))
        found[f"l0.{short}.b"] = (0, rows, plain(rows))
    for short in ("aln", "oln"):
        found[f"l0.{short}.w"] = (0, HIDDEN, plain(HIDDEN, 1))
        found[f"l0.{short}.b"] = (0, HIDDEN, plain(HIDDEN, 0))
    return found


@dataclass(frozen=True)
class Container:
    """A container; each field may be told a lie."""

    magic: bytes = b"E5S1"
    version: int = 1
    shape: tuple[int, ...] = (HIDDEN, 1, 4, INNER, TOKENS, POSITIONS, 2)
    epsilon: float = 1e-12
    block: int = 32
    special: tuple[int, int, int, int] = (0, 2, 1, 3)
    pieces: tuple[bytes, ...] = tuple(piece.encode() for piece in PIECES)
    offsets: tuple[int, ...] | None = None
    scores: tuple[float, ...] = tuple(-float(n) for n in range(TOKENS))
    characters: tuple[tuple[int, tuple[int, ...]], ...] = tuple(
        (ord(one), tuple(map(ord, other))) for one, other in CHARACTERS.items()
    )
    characters_length: int | None = None
    tensors: Mapping[str, tuple[int, int, bytes]] = field(default_factory=tensors)
    shift: int = 0

    def content(self) -> bytes:
        """The whole file."""
        head = b"".join(self._head())
        entries = [struct.pack("<H", len(name)) + name.encode() for name in self.tensors]
        start = len(head) + sum(map(len, entries)) + 21 * len(entries)
        directory, body = b"", b""
        for entry, (kind, elements, content) in zip(entries, self.tensors.values(), strict=True):
            directory += entry + struct.pack("<BIQQ", kind, elements, start + len(body) + self.shift, len(content))
            body += content
        return head + directory + body

    def _head(self) -> Iterator[bytes]:
        yield self.magic + struct.pack("<I", self.version)
        yield struct.pack("<7ifi", *self.shape, self.epsilon, self.block)
        yield struct.pack("<5i", len(self.pieces), *self.special)
        ends = np.cumsum([0, *map(len, self.pieces)]).tolist()
        yield struct.pack("<Q", ends[-1])
        yield struct.pack(f"<{len(ends)}I", *(self.offsets or ends))
        yield struct.pack(f"<{len(self.scores)}f", *self.scores)
        yield b"".join(self.pieces)
        packed = [struct.pack(f"<IB{len(to)}I", code, len(to), *to) for code, to in self.characters]
        length = sum(map(len, packed)) if self.characters_length is None else self.characters_length
        yield struct.pack("<iI", len(packed), length) + b"".join(packed)
        yield struct.pack("<i", len(self.tensors))
