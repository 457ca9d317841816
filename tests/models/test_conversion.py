"""A GGUF becomes a model and a GGUF again, and every number is where it was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import conversion, gguf
from models.conversion import Original
from models.errors import NotConvertible
from models.llama import Weights
from models.protocol import EngineSettings
from tests.models.shortened import WHOLE, shorten

library = pytest.importorskip("gguf", reason="gguf is not installed: pip install 'med-coreasoner[distil]'")
pytest.importorskip("accelerate", reason="accelerate is not installed: pip install 'med-coreasoner[distil]'")


@pytest.fixture(scope="module")
def base(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shorten(models_folder / WHOLE, tmp_path_factory.mktemp("base") / "base.gguf")


@pytest.fixture(scope="module")
def weights(base: Path) -> conversion.Weights:
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(
        str(base.parent), gguf_file=base.name, dtype=torch.float32, local_files_only=True
    )
    return {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}


def copy(base: Path, target: Path, weights: conversion.Weights, name: str) -> None:
    original = Original(base)
    original.write(target, weights, original.layout(weights), name)


def tensors(file: Path) -> Mapping[str, Any]:
    return {tensor.name: tensor for tensor in library.GGUFReader(file).tensors}


def numbers(tensor: Any) -> np.ndarray[Any, Any]:
    return np.asarray(library.dequantize(tensor.data, tensor.tensor_type))


def test_queries_and_keys_are_found_interleaved_and_values_as_they_are(base: Path, weights: conversion.Weights) -> None:
    places = Original(base).layout(weights)

    found = {name: places[f"blk.0.attn_{name}.weight"].heads for name in "qkv"}
    assert found == {"q": 9, "k": 3, "v": 0}


def test_what_was_not_changed_is_written_as_it_was(base: Path, weights: conversion.Weights, tmp_path: Path) -> None:
    target = tmp_path / "same.gguf"

    copy(base, target, weights, "same")

    before, after = tensors(base), tensors(target)
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        np.testing.assert_allclose(numbers(after[name]), numbers(tensor), rtol=1e-3, atol=1e-6, err_msg=name)


def test_settings_and_vocabulary_are_those_of_the_base(base: Path, weights: conversion.Weights, tmp_path: Path) -> None:
    target = tmp_path / "same.gguf"

    copy(base, target, weights, "pupil")

    ours, theirs = (
        {field.name: field.contents() for field in library.GGUFReader(file).fields.values()} for file in (target, base)
    )
    changed = {name for name in theirs if ours[name] != theirs[name]}
    assert ours.keys() == theirs.keys()
    assert changed <= {"general.name", "general.file_type", "GGUF.kv_count", "GGUF.tensor_count"}
    assert ours["general.name"] == "pupil"


@pytest.mark.parametrize("name", ["model.layers.0.self_attn.q_proj.weight", "model.embed_tokens.weight"])
def test_numbers_that_are_not_those_of_the_base_are_refused(base: Path, weights: conversion.Weights, name: str) -> None:
    other = {**weights, name: weights[name][::-1]}

    with pytest.raises(NotConvertible, match="lies in the GGUF in a way that is not known"):
        Original(base).layout(other)


def test_llama_cpp_opens_the_smaller_numbers(base: Path, weights: conversion.Weights, tmp_path: Path) -> None:
    whole, small = tmp_path / "whole.gguf", tmp_path / "small.gguf"
    copy(base, whole, weights, "pupil")

    conversion.quantize(whole, small, "q8_0", threads=1)

    gguf.inspect(small)
    opened = Weights(str(small), EngineSettings())
    description = opened.description
    opened.close()
    assert "Q8_0" in description
    assert small.stat().st_size < 0.6 * whole.stat().st_size


def test_what_is_no_gguf_is_not_made_smaller(tmp_path: Path) -> None:
    (tmp_path / "text.gguf").write_text("no weights")

    with pytest.raises(NotConvertible, match=r"text\.gguf"):
        conversion.quantize(tmp_path / "text.gguf", tmp_path / "small.gguf", "q8_0", threads=1)
