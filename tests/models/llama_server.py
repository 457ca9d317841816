"""llama-cpp-python's own server in a process of its own, as a hospital's second machine would run one."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

ALIAS = "smollm2-remote"
_PATIENCE_S = 60


class LlamaServer(NamedTuple):
    """A running server."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def running_llama_server(weights: Path, context_length: int = 1024) -> Iterator[LlamaServer]:
    """Serves `weights` under the name ALIAS while the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "model": weights,
        "model_alias": ALIAS,
        "host": "127.0.0.1",
        "port": port,
        "n_ctx": context_length,
        "n_threads": 1,  # threads that wait for each other stand still where something else computes
        "n_threads_batch": 1,
        "logits_all": "false",
        "interrupt_requests": "false",  # else a second case would cut the first one's answer short
        "verbose": "false",
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "llama_cpp.server", *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}/v1"
            _listening(url)
            yield LlamaServer(url, process)
        finally:
            process.kill()


@retry(retry=retry_if_exception_type(httpx.TransportError), stop=stop_after_delay(_PATIENCE_S), wait=wait_fixed(0.2))
def _listening(url: str) -> None:
    httpx.get(f"{url}/models", trust_env=False).raise_for_status()
