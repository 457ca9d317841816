"""Reads the header of a GGUF file and refuses what could hurt a native loader.

llama.cpp's loader is C++ that trusts counts, lengths, types and offsets found in the file more than it should; several
of its crashes and overflows are public. This reader walks the whole header against the size of the file first.
It knows nothing of hashes or of models; a file with a sound header and altered tensor bytes passes here.

Layout: the GGUF specification, versions 2 and 3, little-endian (ggml-org/ggml, docs/gguf.md).
"""

import math
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from models.errors import MalformedWeights

MAX_TENSORS = 1 << 16
MAX_PAIRS = 1 << 16
MAX_ARRAY = 1 << 24
MAX_KEY = 1 << 16
MAX_TENSOR_NAME = 63  # the loader keeps names in 64 bytes with a closing zero
MAX_DIMENSIONS = 4
MAX_ELEMENTS = 1 << 40
MAX_ALIGNMENT = 4096
DEFAULT_ALIGNMENT = 32

_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_SCALAR_FORMAT = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}

# The loader reads these without asking for their type again, so a wrong one is a wrong-sized read.
_ARRAY_TYPES = {
    "tokenizer.ggml.tokens": {_STRING},
    "tokenizer.ggml.merges": {_STRING},
    "tokenizer.ggml.scores": {_FLOAT32},
    "tokenizer.ggml.token_type": {_INT32, _UINT32},
    "tokenizer.ggml.suppress_tokens": {_INT32, _UINT32},
}
_ONE_A_TOKEN = ("tokenizer.ggml.scores", "tokenizer.ggml.token_type")
_SCALAR_TYPES = {
    "general.architecture": {_STRING},
    "general.alignment": {_UINT32},
    "tokenizer.ggml.model": {_STRING},
    "tokenizer.chat_template": {_STRING},
}

# ggml type id: (elements a block, bytes a block). Removed and unknown types are absent and so refused.
_TENSOR_TYPES = {
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
    9: (32, 36),
    10: (256, 84),
    11: (256, 110),
    12: (256, 144),
    13: (256, 176),
    14: (256, 210),
    15: (256, 292),
    16: (256, 66),
    17: (256, 74),
    18: (256, 98),
    19: (256, 50),
    20: (32, 18),
    21: (256, 110),
    22: (256, 82),
    23: (256, 136),
    24: (1, 1),
    25: (1, 2),
    26: (1, 4),
    27: (1, 8),
    28: (1, 8),
    29: (256, 56),
    30: (1, 2),
    34: (256, 54),
    35: (256, 66),
    39: (32, 17),
    40: (64, 36),
    41: (128, 18),
    42: (64, 18),
}


class GGUFHeader(BaseModel):
    """What a sound header says. `parameters` counts tensor elements, `data_offset` and `size` are bytes.

    `heads` are those of a layer's attention, `cache_elements` the keys and the values that one token leaves in the
    cache, at most; 0 where it is not said.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    architecture: str
    context_length: int
    vocabulary_size: int
    n_tensors: int
    parameters: int
    alignment: int
    data_offset: int
    size: int
    heads: int = 0
    cache_elements: tuple[int, int] = (0, 0)


class _Array(NamedTuple):
    type: int
    length: int


Value = int | float | str | _Array


class _Tensor(NamedTuple):
    name: str
    elements: int
    size: int
    offset: int


def inspect(path: Path) -> GGUFHeader:
    """Walk the header of the file at `path`; no tensor byte is read. Raises MalformedWeights."""
    with path.open("rb") as file:
        if (size := path.stat().st_size) < 24:
            raise MalformedWeights(f"{path.name} is cut off or empty; pull or import the model again.")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _Reader(content, path.name, size).header()


def _attention(pairs: dict[str, Value], architecture: str) -> tuple[int, tuple[int, int]]:
    """Heads, and layers times key-value heads times their length; what differs by layer counts as its most."""

    def number(key: str) -> int:
        value = pairs.get(f"{architecture}.{key}")
        return value if isinstance(value, int) and value > 0 else 0

    layers, heads = number("block_count"), number("attention.head_count")
    if not layers or not heads:
        return heads, (0, 0)
    cached_heads = layers * (number("attention.head_count_kv") or heads)
    head = number("embedding_length") // heads
    return heads, (
        cached_heads * (number("attention.key_length") or head),
        cached_heads * (number("attention.value_length") or head),
    )


class _Reader:
    """A position in the mapped file that never passes its end."""

    def __init__(self, content: mmap.mmap, name: str, size: int) -> None:
        self._content, self._name, self._size, self._at = content, name, size, 0

    def header(self) -> GGUFHeader:
        version, n_tensors, n_pairs = self._preamble()
        pairs = dict(self._pairs(n_pairs))
        tensors = list(self._tensors(n_tensors))
        alignment = self._alignment(pairs)
        data_offset = -(-self._at // alignment) * alignment
        self._check_extents(tensors, alignment, data_offset)
        architecture, context_length = self._architecture(pairs)
        heads, cache_elements = _attention(pairs, architecture)
        return GGUFHeader(
            version=version,
            architecture=architecture,
            context_length=context_length,
            vocabulary_size=self._vocabulary_size(pairs),
            n_tensors=n_tensors,
            parameters=sum(tensor.elements for tensor in tensors),
            alignment=alignment,
            data_offset=data_offset,
            size=self._size,
            heads=heads,
            cache_elements=cache_elements,
        )

    def _preamble(self) -> tuple[int, int, int]:
        if (magic := self._take(4)) != b"GGUF":
            kind = "a web page" if magic.lstrip()[:1] == b"<" else "no GGUF file"
            raise self._bad(f"is {kind}")
        version, n_tensors, n_pairs = self._unpack("IQQ")
        if version not in (2, 3):
            raise self._bad(f"has version {version}; versions 2 and 3 are known")
        if not 0 < n_tensors <= MAX_TENSORS or not 0 < n_pairs <= MAX_PAIRS:
            raise self._bad(f"announces {n_tensors} tensors and {n_pairs} settings")
        return version, n_tensors, n_pairs

    def _pairs(self, count: int) -> Iterator[tuple[str, Value]]:
        seen: set[str] = set()
        for _ in range(count):
            key = self._text(MAX_KEY)
            if not key or key in seen:
                raise self._bad(f"has the setting {key!r} twice" if key else "has a setting without a name")
            seen.add(key)
            (kind,) = self._unpack("I")
            yield key, self._array(key) if kind == _ARRAY else self._scalar(key, kind)

    def _scalar(self, key: str, kind: int) -> Value:
        if kind not in _SCALAR_TYPES.get(key, {kind}) or key in _ARRAY_TYPES:
            raise self._bad(f"gives {key!r} the wrong type")
        if kind == _STRING:
            return self._text(self._size)
        value = self._number(key, kind)
        if kind == _BOOL and value not in (0, 1):
            raise self._bad(f"gives {key!r} a value that is neither true nor false")
        return value

    def _number(self, key: str, kind: int) -> int | float:
        if kind not in _SCALAR_FORMAT:
            raise self._bad(f"gives {key!r} the unknown type {kind}")
        value: int | float = self._unpack(_SCALAR_FORMAT[kind])[0]
        return value

    def _array(self, key: str) -> _Array:
        kind, length = self._unpack("IQ")
        if kind not in _ARRAY_TYPES.get(key, {kind}) or key in _SCALAR_TYPES:
            raise self._bad(f"gives {key!r} the wrong type")
        if length > MAX_ARRAY:
            raise self._bad(f"gives {key!r} {length} values")
        if kind == _STRING:
            for _ in range(length):
                self._skip(self._unpack("Q")[0])
        elif kind in _SCALAR_FORMAT:
            self._skip(length * struct.calcsize(_SCALAR_FORMAT[kind]))
        else:
            raise self._bad(f"gives {key!r} an array of the unknown type {kind}")
        return _Array(kind, length)

    def _tensors(self, count: int) -> Iterator[_Tensor]:
        seen: set[str] = set()
        for _ in range(count):
            name = self._text(MAX_TENSOR_NAME)
            if not name or name in seen:
                raise self._bad(f"has the tensor {name!r} twice" if name else "has a tensor without a name")
            seen.add(name)
            yield self._tensor(name)

    def _tensor(self, name: str) -> _Tensor:
        (n_dimensions,) = self._unpack("I")
        if not 1 <= n_dimensions <= MAX_DIMENSIONS:
            raise self._bad(f"gives the tensor {name!r} {n_dimensions} dimensions")
        shape = self._unpack("Q" * n_dimensions)
        elements = math.prod(shape)
        if not 0 < elements < MAX_ELEMENTS:
            raise self._bad(f"gives the tensor {name!r} the shape {shape}")
        kind, offset = self._unpack("IQ")
        if kind not in _TENSOR_TYPES:
            raise self._bad(f"gives the tensor {name!r} the unknown type {kind}")
        per_block, block_bytes = _TENSOR_TYPES[kind]
        if shape[0] % per_block:
            raise self._bad(f"gives the tensor {name!r} rows that are no whole blocks")
        return _Tensor(name, elements, elements // per_block * block_bytes, offset)

    def _alignment(self, pairs: dict[str, Value]) -> int:
        alignment = pairs.get("general.alignment", DEFAULT_ALIGNMENT)
        if not isinstance(alignment, int) or not 0 < alignment <= MAX_ALIGNMENT or alignment & (alignment - 1):
            raise self._bad(f"asks for an alignment of {alignment}")
        return alignment

    def _architecture(self, pairs: dict[str, Value]) -> tuple[str, int]:
        architecture = pairs.get("general.architecture")
        if not isinstance(architecture, str) or not architecture:
            raise self._bad("names no architecture")
        context_length = pairs.get(f"{architecture}.context_length")
        if not isinstance(context_length, int) or context_length < 1:
            raise self._bad("states no context length")
        return architecture, context_length

    def _vocabulary_size(self, pairs: dict[str, Value]) -> int:
        lengths = {key: value.length for key, value in pairs.items() if isinstance(value, _Array)}
        tokens = lengths.get("tokenizer.ggml.tokens", 0)
        if any(lengths.get(key, tokens) < tokens for key in _ONE_A_TOKEN):
            raise self._bad("describes fewer tokens than it has")
        return tokens

    def _check_extents(self, tensors: list[_Tensor], alignment: int, data_offset: int) -> None:
        """Tensors lie aligned, apart from each other, and inside the file."""
        end = 0
        for tensor in sorted(tensors, key=lambda tensor: tensor.offset):
            if tensor.offset % alignment or tensor.offset < end:
                raise self._bad(f"misplaces the tensor {tensor.name!r}")
            end = tensor.offset + tensor.size
            if data_offset + end > self._size:
                raise self._bad(f"ends before the tensor {tensor.name!r} does")

    def _text(self, limit: int) -> str:
        (length,) = self._unpack("Q")
        if length > limit:
            raise self._bad(f"has a text of {length} bytes")
        try:
            return self._take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise self._bad("has a text that is not UTF-8") from None

    def _unpack(self, layout: str) -> tuple[int, ...]:
        return struct.unpack(f"<{layout}", self._take(struct.calcsize(f"<{layout}")))

    def _take(self, length: int) -> bytes:
        start = self._at
        self._skip(length)
        return self._content[start : self._at]

    def _skip(self, length: int) -> None:
        if length > self._size - self._at:
            raise self._bad("ends in the middle of its header")
        self._at += length

    def _bad(self, what: str) -> MalformedWeights:
        return MalformedWeights(f"{self._name} {what}, so it will not be opened; pull or import the model again.")
