"""Weights of a transformers model written as a GGUF that is like another of the same model in all but the numbers.

Settings and vocabulary are copied from that one. Where each tensor goes, and in which order its rows lie there, is
found by comparing the two while their numbers are still the same: no table of architectures can be wrong about it.
Needs the package `gguf`; knows nothing of training.
"""

import ctypes
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from models.errors import NotConvertible

Array = npt.NDArray[Any]
Weights = Mapping[str, Array]
Quantization = Literal["f16", "q8_0", "q4_k_m"]

_FILE_TYPES = {"q8_0": "LLAMA_FTYPE_MOSTLY_Q8_0", "q4_k_m": "LLAMA_FTYPE_MOSTLY_Q4_K_M"}
_TOLERANCE = 2**-7  # of bfloat16, in which large models are read


class Place(NamedTuple):
    """Which tensor of the transformers model it is, and of how many heads the halves of the rows are interleaved."""

    name: str
    heads: int = 0


class Vocabulary(NamedTuple):
    """Tokens by id, and the id of the one that ends a text."""

    tokens: tuple[str, ...]
    end: int


Layout = Mapping[str, Place]


class Original:
    """The GGUF that others are made like; reading it takes seconds, so it is read once."""

    def __init__(self, file: Path) -> None:
        import gguf

        self._reader: Any = gguf.GGUFReader(file)

    def layout(self, weights: Weights) -> Layout:
        """Where its tensors come from, proved on `weights` that were read from it.

        Raises NotConvertible where one of them cannot be had back.
        """
        names = dict(_names(self._reader, weights))
        tensors = [tensor for tensor in self._reader.tensors if tensor.name in names]
        return {tensor.name: _place(self._reader, tensor, names, weights) for tensor in tensors}

    def write(self, target: Path, weights: Weights, places: Layout, name: str) -> None:
        """A GGUF called `name` like this one with other weights: matrices in half precision, vectors in single.

        Tensors that have no place in `places` are copied.
        """
        import gguf

        writer = gguf.GGUFWriter(target, _text(self._reader, "general.architecture"))
        changed = {"general.name": name, "general.file_type": int(gguf.LlamaFileType.MOSTLY_F16)}
        _copy_settings(self._reader, writer, changed)
        for tensor in self._reader.tensors:
            if place := places.get(tensor.name):
                array = _arranged(weights[place.name], place.heads)
                writer.add_tensor(tensor.name, array.astype(np.float16 if array.ndim > 1 else np.float32))
            else:
                writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens as they are written there, by id."""
        fields = self._reader.fields
        end = fields["tokenizer.ggml.eos_token_id"].contents() if "tokenizer.ggml.eos_token_id" in fields else 0
        return Vocabulary(tuple(fields["tokenizer.ggml.tokens"].contents()), int(end))


def quantize(source: Path, target: Path, kind: Quantization, threads: int) -> None:
    """The GGUF at `source` with smaller numbers, by llama.cpp itself. Raises NotConvertible."""
    import llama_cpp  # native code, for this command only

    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype, parameters.nthread = getattr(llama_cpp, _FILE_TYPES[kind]), threads
    code = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(parameters))
    if code:
        raise NotConvertible(f"llama.cpp could not make {kind} of {source.name} (code {code}); keep it as f16.")


def _names(reader: Any, weights: Weights) -> Iterator[tuple[str, str]]:
    """The GGUF's names and those of the transformers model that mean the same."""
    import gguf

    architecture = _text(reader, "general.architecture")
    kinds = {name: kind for kind, name in gguf.MODEL_ARCH_NAMES.items()}
    if architecture not in kinds:
        raise NotConvertible(f"Weights of the architecture {architecture} cannot be written; choose another base.")
    blocks = reader.fields[f"{architecture}.block_count"].contents()
    known = gguf.get_tensor_name_map(kinds[architecture], blocks)
    for name in weights:
        if found := known.get_name(name, try_suffixes=(".weight", ".bias")):
            yield found, name


def _place(reader: Any, tensor: Any, names: Mapping[str, str], weights: Weights) -> Place:
    import gguf

    wanted = gguf.dequantize(tensor.data, tensor.tensor_type)
    name = names[tensor.name]
    for heads in (0, *_heads(reader)):
        found = _arranged(weights[name], heads)
        if found.shape == wanted.shape and np.allclose(found, wanted, rtol=_TOLERANCE, atol=1e-6):
            return Place(name, heads)
    raise NotConvertible(f"{tensor.name} lies in the GGUF in a way that is not known; choose another base.")


def _heads(reader: Any) -> tuple[int, ...]:
    architecture = _text(reader, "general.architecture")
    fields = (f"{architecture}.attention.head_count", f"{architecture}.attention.head_count_kv")
    return tuple(reader.fields[field].contents() for field in fields if field in reader.fields)


def _arranged(array: Array, heads: int) -> Array:
    """The rows as the GGUF has them: within each head first and second half take turns, or as they are."""
    if not heads or array.shape[0] % (2 * heads):
        return array
    halves = array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:])
    return halves.swapaxes(1, 2).reshape(array.shape)


def _copy_settings(reader: Any, writer: Any, changed: Mapping[str, object]) -> None:
    for field in reader.fields.values():
        # The header is counted anew, and the writer names the architecture by itself.
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            inner = field.types[-1] if len(field.types) > 1 else None
            writer.add_key_value(field.name, changed.get(field.name, field.contents()), field.types[0], inner)


def _text(reader: Any, field: str) -> str:
    return str(reader.fields[field].contents())
