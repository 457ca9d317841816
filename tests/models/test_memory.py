"""Whether a model fits is known before it is opened, and what to do where it does not."""

from pathlib import Path

import pytest

from models.errors import NotEnoughMemory
from models.gguf import inspect
from models.memory import free, needed, require_memory
from models.protocol import EngineSettings


def test_the_cache_of_the_test_model_is_counted_from_its_header(smollm2: Path) -> None:
    """30 layers of 3 key-value heads of 64 elements: the model card of SmolLM2-135M."""
    assert inspect(smollm2).cache_elements == (30 * 3 * 64, 30 * 3 * 64)


def test_longer_and_more_contexts_need_more_and_smaller_elements_less(smollm2: Path) -> None:
    header, usual = inspect(smollm2), EngineSettings(sequences=2, lanes=2)
    need = needed(header, usual, 2048)
    assert need > header.size
    assert needed(header, usual, 4096) - need == 2048 * 2 * 2 * sum(header.cache_elements)
    assert needed(header, usual.model_copy(update={"sequences": 4}), 2048) > need
    assert needed(header, usual.model_copy(update={"cache_keys": "q8_0"}), 2048) < need


def test_no_context_is_longer_than_the_model_was_trained_for(smollm2: Path) -> None:
    header = inspect(smollm2)
    assert needed(header, EngineSettings(), 1 << 20) == needed(header, EngineSettings(), header.context_length)


def test_what_fits_is_let_through(smollm2: Path) -> None:
    require_memory(smollm2, EngineSettings(context_length=512, sequences=1, lanes=1))


def test_what_does_not_fit_is_refused_with_the_lack_and_a_way(smollm2: Path) -> None:
    many = EngineSettings(context_length=8192, sequences=64, lanes=64, prefill_slice=4096)
    if needed(inspect(smollm2), many, 8192) <= free():
        pytest.skip("this machine has memory for 64 contexts")
    with pytest.raises(NotEnoughMemory, match=r"needs about [\d.]+ GB and [\d.]+ GB are free, [\d.]+ GB too little;"):
        require_memory(smollm2, many)


def test_a_shorter_context_that_fits_is_named(smollm2: Path) -> None:
    header = inspect(smollm2)
    settings = EngineSettings(context_length=8192, lanes=1, prefill_slice=16)
    cost = 2 * sum(header.cache_elements) * 8192
    more = settings.model_copy(update={"sequences": 2 * free() // cost})
    with pytest.raises(NotEnoughMemory, match=r"set engine.context_length to (1024|2048) and it fits"):
        require_memory(smollm2, more)


def test_on_a_gpu_the_driver_judges(smollm2: Path) -> None:
    require_memory(smollm2, EngineSettings(sequences=64, lanes=64, prefill_slice=4096, gpu_layers=-1))
