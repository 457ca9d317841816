"""What llama.cpp computes, to the last bit."""

import numpy as np
import numpy.typing as npt

from models.llama import Due, Lane, Weights
from models.protocol import EngineSettings

_READ, _SPOKEN, _SLICE = 600, 8, 200  # tokens; flash attention divides the keys among threads from some hundreds on


def logits(weights: Weights, settings: EngineSettings, threads: int) -> list[npt.NDArray[np.float32]]:
    """What is computed after each of some tokens that come one by one behind a long prompt."""
    lane = Lane(weights, settings, 1, lambda: False)
    lane.use_threads(threads)
    for start in range(0, _READ, _SLICE):
        lane.decode([Due(0, range(100 + start, 100 + start + _SLICE), False)])
    computed = []
    for token in range(1000, 1000 + _SPOKEN):
        (row,) = lane.decode([Due(0, [token], True)])
        computed.append(lane.logits(row).copy())
    lane.close()
    return computed


def test_a_lane_computes_the_same_with_any_number_of_threads(weights: Weights) -> None:
    usual = EngineSettings(context_length=1024)

    one, two = logits(weights, usual, 1), logits(weights, usual, 2)

    assert all(np.array_equal(left, right) for left, right in zip(one, two, strict=True))


def test_a_processor_runs_flash_attention_only_where_it_must() -> None:
    assert EngineSettings().attention == "off"
    assert EngineSettings(gpu_layers=-1).attention == "auto"
    assert EngineSettings(flash_attention="on").attention == "on"
    assert EngineSettings(cache_values="q8_0").attention == "auto"
