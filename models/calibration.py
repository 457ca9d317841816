"""A short measurement on the first load: how many lanes serve these weights best on this machine.

Lanes of one thread each need not wait for each other; one lane with every thread reads the weights once for all
texts. Which is faster depends on model, quantization and processor, so it is measured, and kept beside the weights'
other derived files. Knows nothing of requests.
"""

import hashlib
import os
import platform
import threading
import time
from contextlib import suppress
from pathlib import Path

import llama_cpp
from pydantic import ValidationError

from models.files import write_small
from models.llama import Due, Lane, Weights
from models.protocol import Calibration, EngineSettings

_CONTEXT = 256  # tokens
_PROMPT = 8  # tokens
_STEPS = 6
_REPETITIONS = 3
_GPU_LANES = 2
_DECISIVE = ("threads", "sequences", "gpu_layers", "split_mode", "main_gpu", "flash_attention", "cache_keys")


def calibrated(weights: Weights, settings: EngineSettings, threads: int, folder: Path | None) -> Calibration:
    """The measurement that `folder` holds for this machine and these settings, or a new one. Raises EngineError."""
    if settings.exact:
        return Calibration(lanes=settings.sequences, measured_ms={})
    candidates = _candidates(settings, threads)
    if len(candidates) == 1:
        return Calibration(lanes=candidates[0], measured_ms={})
    file = folder / f"lanes-{_machine(settings, threads)}.json" if folder else None
    if file is not None:
        with suppress(OSError, ValidationError):
            return Calibration.model_validate_json(file.read_bytes())
    measured = measure(weights, settings, threads, candidates)
    if file is not None:
        with suppress(OSError):  # measured again next time
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_small(file, measured.model_dump_json())
    return measured


def _candidates(settings: EngineSettings, threads: int) -> list[int]:
    most = min(settings.sequences, _GPU_LANES if settings.gpu_layers else threads)
    return [lanes for lanes in (1 << n for n in range(7)) if lanes <= most]


def processor() -> list[str]:
    """What this machine computes with, as far as the system says."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text("utf-8").splitlines() if known.exists() else []
    return sorted({line for line in lines if line.startswith(("model name", "flags"))})


def _machine(settings: EngineSettings, threads: int) -> str:
    decisive = sorted(settings.model_dump(include=set(_DECISIVE)).items())
    facts = (processor(), platform.machine(), os.cpu_count(), threads, decisive, llama_cpp.__version__)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def measure(weights: Weights, settings: EngineSettings, threads: int, candidates: list[int]) -> Calibration:
    """Time every candidate with two texts and with all of them; the one with the least regret over both."""
    small = settings.model_copy(update={"context_length": _CONTEXT})
    measured: dict[int, dict[int, float]] = {}
    for texts in sorted({min(2, settings.sequences), settings.sequences}):
        # Repetitions take turns, so that a busy moment of the machine strikes every candidate.
        runs = [
            {lanes: _milliseconds(weights, small, texts, lanes, threads) for lanes in candidates if lanes <= texts}
            for _ in range(_REPETITIONS)
        ]
        measured[texts] = {lanes: min(run[lanes] for run in runs) for lanes in runs[0]}
    # More lanes than texts are as good as one lane a text: the others rest.
    regret = {
        lanes: sum(times[max(n for n in times if n <= lanes)] / min(times.values()) for times in measured.values())
        for lanes in candidates
    }
    return Calibration(lanes=min(candidates, key=lambda lanes: regret[lanes]), measured_ms=measured)


def _milliseconds(weights: Weights, settings: EngineSettings, texts: int, lanes: int, threads: int) -> float:
    shares = [len(range(lane, texts, lanes)) for lane in range(lanes)]
    opened = [Lane(weights, settings, share) for share in shares]
    try:
        for lane in opened:
            lane.use_threads(max(1, threads // lanes))
            for n in range(lane.sequences):
                lane.decode([Due(n, [1] * _PROMPT, True)])
        return _decode_all(opened) / _STEPS * 1e3
    finally:
        for lane in opened:
            lane.close()


def _decode_all(lanes: list[Lane]) -> float:
    def decode(lane: Lane) -> None:
        for _ in range(_STEPS):
            lane.decode([Due(n, [1], True) for n in range(lane.sequences)])

    running = [threading.Thread(target=decode, args=(lane,)) for lane in lanes]
    start = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return time.perf_counter() - start
