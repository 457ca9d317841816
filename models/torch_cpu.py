"""torch on this machine's CPU: offline, quiet, and with threads that sleep while they wait.

What is opened with `OFFLINE` comes from a folder, as safetensors, and nothing in the folder is run. Knows nothing of
what the models are for.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

OFFLINE: Mapping[str, Any] = MappingProxyType(
    {
        "device": "cpu",
        "local_files_only": True,
        "trust_remote_code": False,
        "model_kwargs": {"use_safetensors": True, "dtype": "float32"},
    }
)


def prepare(threads: int = 0) -> None:
    """Import torch, which takes seconds. `threads` is for all of torch, 0 leaves it its choice."""
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    with _sleeping_threads():
        import torch
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # else it lists weights this model does not need
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if threads:
        torch.set_num_threads(threads)


@contextmanager
def _sleeping_threads() -> Iterator[None]:
    """What loads OpenMP in here gets threads that sleep while they wait, where nobody has set otherwise.

    They spin by default; beside a busy engine on two cores a text then took 970 ms instead of 90. The setting is taken
    back, for the engine's own process inherits this environment.
    """
    if "OMP_WAIT_POLICY" in os.environ:
        yield
        return
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    try:
        yield
    finally:
        del os.environ["OMP_WAIT_POLICY"]
