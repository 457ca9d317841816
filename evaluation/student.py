"""Trains a student on exported lines: low-rank adapters on a base of the registry, merged and written as a GGUF.

The base is read from the very GGUF that is run (its hash was checked), texts are tokenized by the engine with the
pinned chat template, so that a student learns the tokens that it will see. Nothing is fetched, no code of a model is
run, nothing is unpickled. Knows nothing of how lines come about, nor whether the student is any good.
"""

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from evaluation.adapters import Example, Loss, Told, Training, adapted
from evaluation.distil import Line
from evaluation.errors import LibraryMissing, NothingToLearn
from models import conversion, files, gguf, torch_cpu
from models.chat_template import ChatTemplate, Segment, render
from models.protocol import EngineSettings

if TYPE_CHECKING:
    from models.llama import Weights

_LIBRARIES = ("accelerate", "datasets", "gguf", "peft", "trl")


class Trained(BaseModel):
    """What came of it: `lines` were trained on, `validation` not, `too_long` left out; `sha256` is the GGUF's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    file: str
    bytes: int
    sha256: str
    base: str
    base_sha256: str
    data_sha256: str
    lines: int
    validation: int
    too_long: int
    training: Training
    losses: tuple[Loss, ...]


class Base(NamedTuple):
    """A checked GGUF of the registry, with the template that its prompts have."""

    name: str
    file: Path
    sha256: str
    template: ChatTemplate


def require_libraries() -> None:
    """Raises LibraryMissing where one of the libraries that train is not here."""
    if missing := [name for name in _LIBRARIES if find_spec(name) is None]:
        raise LibraryMissing(f"{missing[0]} is not installed; run pip install 'med-coreasoner[distil]'.")


def train(data: Path, lines: Sequence[Line], base: Base, target: Path, name: str, how: Training, told: Told) -> Trained:
    """Train `name` on lines that were read from `data`, and write it to the new folder `target`.

    Raises LibraryMissing, NothingToLearn, NotConvertible, MalformedWeights, FileExistsError.
    """
    require_libraries()
    made = examples(lines, base)
    fitting = [example for example in made if len(example.tokens) <= how.length]
    learned, held_out = ([one for one in fitting if one.split == split] for split in ("train", "validation"))
    if not learned:
        raise NothingToLearn(
            f"None of {len(made)} lines in {data.name} can be trained on; export more, or allow longer."
        )
    target.mkdir(parents=True)
    model = _opened(base, how.threads)
    original = conversion.Original(base.file)
    places = original.layout(_numbers(model))
    merged, losses = adapted(model, learned, held_out, original.vocabulary, target, how, told)
    file = _written(merged, original, places, target / f"{name}.gguf", how)
    result = Trained(
        name=name,
        file=file.name,
        bytes=file.stat().st_size,
        sha256=files.sha256(file),
        base=base.name,
        base_sha256=base.sha256,
        data_sha256=files.sha256(data),
        lines=len(learned),
        validation=len(held_out),
        too_long=len(made) - len(fitting),
        training=how,
        losses=losses,
    )
    files.write_small(target / "training.json", f"{result.model_dump_json(indent=1)}\n")
    return result


def examples(lines: Iterable[Line], base: Base) -> list[Example]:
    """The lines as the engine tokenizes them, an answer with what ends it. Raises MalformedWeights."""
    from models.llama import Weights  # native code, for this command only

    weights = Weights(str(base.file), EngineSettings())
    try:
        return [_example(line, weights, base.template) for line in lines]
    finally:
        weights.close()


def _example(line: Line, weights: "Weights", template: ChatTemplate) -> Example:
    *asked, answer = line.messages
    before = weights.tokenize(render(template, tuple(asked)))
    after = weights.tokenize((Segment(text=answer.content), Segment(text=template.assistant.close, control=True)))
    return Example(line.split, before + after, [0] * len(before) + [1] * len(after))


def _opened(base: Base, threads: int) -> Any:
    """The base as a model that can be trained: its quantized numbers as they are, spread out."""
    torch_cpu.prepare(threads)
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    model: Any = AutoModelForCausalLM.from_pretrained(
        str(base.file.parent),
        gguf_file=base.file.name,
        dtype=torch.bfloat16 if torch.cuda.is_available() else torch.float32,
        quantization_config=GgufConfig(dequantize=True),
        local_files_only=True,
    )
    # It is a plain model now; while it is called a quantized one the trainer refuses it.
    model.is_quantized, model.hf_quantizer = False, None
    return model


def _numbers(model: Any) -> conversion.Weights:
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in model.state_dict().items()}


def _written(merged: Any, original: conversion.Original, places: conversion.Layout, file: Path, how: Training) -> Path:
    """The GGUF, looked at as every file is before it is opened."""
    whole = file.with_name(f".{file.stem}-f16.gguf")
    original.write(whole, _numbers(merged), places, file.stem)
    if how.quantization == "f16":
        whole.replace(file)
    else:
        conversion.quantize(whole, file, how.quantization, how.threads)
        whole.unlink()
    gguf.inspect(file)
    return file
