"""What llama.cpp computes, to the last bit."""

from threading import Timer

import numpy as np
import numpy.typing as npt
import pytest

from models.errors import EngineError
from models.llama import Due, Lane, LaneInterrupted, Weights, state_fingerprint
from models.protocol import EngineSettings

_READ, _SPOKEN, _SLICE = 600, 8, 200  # tokens; flash attention divides the keys among threads from some hundreds on


def logits(weights: Weights, settings: EngineSettings, threads: int) -> list[npt.NDArray[np.float32]]:
    """What is computed after each of some tokens that come one by one behind a long prompt."""
    lane = Lane(weights, settings, 1)
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


def test_a_batch_is_the_same_in_whatever_order_its_sequences_come(weights: Weights) -> None:
    lane = Lane(weights, EngineSettings(context_length=256), 3)
    for sequence in range(3):
        lane.decode([Due(sequence, range(100 + sequence, 120 + sequence), True)])

    def computed(order: tuple[int, ...]) -> dict[int, npt.NDArray[np.float32]]:
        rows = lane.decode([Due(sequence, [1000 + sequence], True) for sequence in order])
        found = {sequence: lane.logits(row).copy() for sequence, row in zip(order, rows, strict=True)}
        for sequence in order:
            lane.keep(sequence, 20)
        return found

    ascending, other = computed((0, 1, 2)), computed((2, 0, 1))

    assert all(np.array_equal(ascending[sequence], other[sequence]) for sequence in range(3))
    lane.close()


def test_an_interrupted_decode_leaves_what_was_there_and_can_be_done_again(weights: Weights) -> None:
    lane = Lane(weights, EngineSettings(context_length=2048, prefill_slice=1024), 1)
    long = Due(0, range(100, 1100), True)
    lane.decode([Due(0, range(100), True)])
    waits = Timer(0.02, lane.interrupt)

    waits.start()
    with pytest.raises(LaneInterrupted):  # a thousand tokens take longer on any processor
        lane.decode([long])
    waits.join()
    with pytest.raises(LaneInterrupted):
        lane.decode([long])
    assert lane.held == [list(range(100))]

    lane.resume()
    assert lane.decode([long]) == [999]
    lane.close()


def test_more_tokens_than_there_is_room_for_are_refused(weights: Weights) -> None:
    lane = Lane(weights, EngineSettings(context_length=256, prefill_slice=16), 1)

    with pytest.raises(EngineError, match="A step of 18 tokens"):
        lane.decode([Due(0, range(18), True)])
    assert lane.decode([Due(0, range(17), True)]) == [16]
    lane.close()


def test_a_state_is_known_by_all_that_its_last_bits_depend_on() -> None:
    settings = [
        *({}, {"exact": True}, {"prefill_slice": 128}, {"gpu_layers": -1}, {"flash_attention": "on"}),
        *({"split_mode": "none"}, {"main_gpu": 1}, {"cache_keys": "q8_0"}, {"cache_values": "q8_0"}),
    ]
    named = {state_fingerprint(EngineSettings.model_validate(one), 1, 2, ["this"]) for one in settings}
    named.add(state_fingerprint(EngineSettings(), 1, 2, ["another"]))
    assert len(named) == len(settings) + 1


def test_a_state_is_known_by_the_number_of_threads_where_keys_are_divided_among_them() -> None:
    plain, divided = EngineSettings(), EngineSettings(flash_attention="on")
    assert state_fingerprint(plain, 1, 2, []) == state_fingerprint(plain, 1, 4, [])
    assert state_fingerprint(divided, 1, 2, []) != state_fingerprint(divided, 1, 4, [])


def test_a_processor_runs_flash_attention_only_where_it_must() -> None:
    assert EngineSettings().attention == "off"
    assert EngineSettings(gpu_layers=-1).attention == "auto"
    assert EngineSettings(flash_attention="on").attention == "on"
    assert EngineSettings(cache_values="q8_0").attention == "auto"
