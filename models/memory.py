"""Whether weights and contexts fit into free memory, asked before a native loader finds out.

Knows the figures in a GGUF header and what the system says is free; nothing of how memory is used afterwards.
"""

from pathlib import Path

import psutil

from models.errors import NotEnoughMemory
from models.gguf import GGUFHeader, inspect
from models.protocol import EngineSettings

_BYTES_AN_ELEMENT = {"f16": 2.0, "q8_0": 34 / 32}
_FLOAT_BYTES = 4
_OVERHEAD = 128_000_000  # bytes a lane: graph, activations, batches
_CONTEXTS = tuple(1 << n for n in range(17, 9, -1))
_LIMIT, _USED = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")


def needed(header: GGUFHeader, settings: EngineSettings, context_length: int) -> int:
    """Bytes for the weights and for every context, about."""
    sequences = max(settings.sequences, settings.lanes)
    lanes = sequences if settings.exact else settings.lanes or min(2, sequences)
    keys, values = header.cache_elements
    token = keys * _BYTES_AN_ELEMENT[settings.cache_keys] + values * _BYTES_AN_ELEMENT[settings.cache_values]
    length, batch = min(context_length, header.context_length), settings.prefill_slice + sequences
    # Without flash attention every head's scores stand in memory, for each token of a batch and of the context.
    scores = header.heads * length if settings.attention == "off" else 0
    buffers = batch * (header.vocabulary_size + scores) * _FLOAT_BYTES
    return int(header.size + length * sequences * token + lanes * (buffers + _OVERHEAD))


def free() -> int:
    """Bytes that this process may still take: the machine's, or its control group's where that is less."""
    machine = psutil.virtual_memory().available
    try:
        return min(machine, int(_LIMIT.read_text()) - int(_USED.read_text()))
    except (OSError, ValueError):
        return machine


def shortage(name: str, header: GGUFHeader, settings: EngineSettings, room: int) -> str:
    """Why the model does not fit into `room` bytes and what would; empty where it fits or a GPU holds it."""
    need = needed(header, settings, settings.context_length)
    if need <= room or settings.gpu_layers:
        return ""
    fitting = (n for n in _CONTEXTS if n < settings.context_length and needed(header, settings, n) <= room)
    if length := next(fitting, None):
        way = f"set engine.context_length to {length} and it fits"
    else:
        way = "set engine.sequences lower, choose a smaller model, or free memory"
    return (
        f"{name} needs about {need / 1e9:.1f} GB and {room / 1e9:.1f} GB are free, {(need - room) / 1e9:.1f} GB "
        f"too little; {way}."
    )


def require_memory(path: Path, settings: EngineSettings) -> None:
    """Nothing where the model fits. Raises NotEnoughMemory, MalformedWeights."""
    if lacking := shortage(path.name, inspect(path), settings, free()):
        raise NotEnoughMemory(lacking)
