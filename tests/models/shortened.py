"""The test model cut down to its first block: real vocabulary, real numbers, read and trained in seconds."""

from pathlib import Path
from typing import Any

WHOLE = "smollm2-135m-instruct-q4_1.gguf"


def shorten(whole: Path, target: Path) -> Path:
    """A GGUF with the vocabulary and the first block of another."""
    import gguf

    reader: Any = gguf.GGUFReader(whole)
    writer: Any = gguf.GGUFWriter(target, "llama")
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name != "general.architecture":
            value = 1 if field.name == "llama.block_count" else field.contents()
            writer.add_key_value(field.name, value, field.types[0], field.types[-1] if len(field.types) > 1 else None)
    for tensor in reader.tensors:
        if not tensor.name.startswith("blk.") or tensor.name.startswith("blk.0."):
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target
