"""Whether a model fits is known before it is opened, and what to do where it does not."""

from pathlib import Path

import pytest

from models.errors import NotEnoughMemory
from models.gguf import inspect
from models.memory import free, needed, require_memory, shortage
from models.protocol import EngineSettings


def test_the_cache_of_the_test_model_is_counted_from_its_header(smollm2: Path) -> None:
    """30 layers of 3 key-value heads of 64 elements: the model card of SmolLM2-135M."""
    assert inspect(smollm2).cache_elements == (30 * 3 * 64, 30 * 3 * 64)


def test_longer_and_more_contexts_need_more_and_smaller_elements_less(smollm2: Path) -> None:
    header, usual = inspect(smollm2), EngineSettings(sequences=2, lanes=2)
    need = needed(header, usual, 2048)
    assert need > header.size
    scores = 2 * 258 * header.heads * 4
    assert needed(header, usual, 4096) - need == 2048 * (2 * 2 * sum(header.cache_elements) + scores)
    assert needed(header, usual.model_copy(update={"sequences": 4}), 2048) > need
    assert needed(header, usual.model_copy(update={"cache_keys": "q8_0"}), 2048) < need


def test_no_context_is_longer_than_the_model_was_trained_for(smollm2: Path) -> None:
    header = inspect(smollm2)
    assert needed(header, EngineSettings(), 1 << 20) == needed(header, EngineSettings(), header.context_length)


def test_exact_lanes_need_buffers_of_their_own(smollm2: Path) -> None:
    header, shared = inspect(smollm2), EngineSettings(sequences=8)
    assert needed(header, shared.model_copy(update={"exact": True}), 1024) > needed(header, shared, 1024)


def test_without_flash_attention_the_scores_of_every_head_are_counted(smollm2: Path) -> None:
    """9 heads of SmolLM2-135M over a batch of 256 tokens and two that are written: 4 bytes a score."""
    header, usual = inspect(smollm2), EngineSettings(sequences=2, lanes=2)
    flash = usual.model_copy(update={"flash_attention": "on"})
    assert needed(header, usual, 2048) - needed(header, flash, 2048) == 2 * 258 * 9 * 2048 * 4


def test_what_just_fits_lacks_nothing_and_a_byte_less_lacks(smollm2: Path) -> None:
    header, settings = inspect(smollm2), EngineSettings(context_length=2048)
    need = needed(header, settings, 2048)
    assert shortage("model", header, settings, need) == ""
    assert shortage("model", header, settings, need - 1).startswith("model needs about")


@pytest.mark.parametrize("fitting", [1024, 2048, 4096])
def test_the_longest_context_that_fits_is_named(smollm2: Path, fitting: int) -> None:
    header, settings = inspect(smollm2), EngineSettings(context_length=8192)
    said = shortage("model", header, settings, needed(header, settings, fitting))
    assert f"set engine.context_length to {fitting} and it fits" in said


def test_where_no_context_fits_another_way_is_named(smollm2: Path) -> None:
    said = shortage("model", inspect(smollm2), EngineSettings(), 1_000_000_000 // 8)
    assert "choose a smaller model, or free memory" in said
    assert "0.1 GB are free" in said


def test_on_a_gpu_the_driver_judges(smollm2: Path) -> None:
    assert shortage("model", inspect(smollm2), EngineSettings(gpu_layers=-1), 0) == ""


def test_more_than_this_machine_has_is_refused(smollm2: Path) -> None:
    header, settings = inspect(smollm2), EngineSettings(lanes=1)
    each = 2 * sum(header.cache_elements) * header.context_length
    many = settings.model_copy(update={"sequences": 2 * free() // each, "context_length": header.context_length})
    with pytest.raises(NotEnoughMemory, match="too little"):
        require_memory(smollm2, many)
