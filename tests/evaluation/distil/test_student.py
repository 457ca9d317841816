"""A student learns what its lines say, and comes out as a file that the engine opens."""

import json
from pathlib import Path

import pytest

from evaluation import student
from evaluation.adapters import Training
from evaluation.distil import Line, Provenance, Split
from evaluation.errors import LibraryMissing, NothingToLearn
from evaluation.student import Base, Trained
from models import files
from models.chat_template import ChatMessage, chat_template
from models.llama import Weights
from models.protocol import EngineSettings
from tests.models.shortened import WHOLE, shorten

for name in ("gguf", "peft", "trl"):
    pytest.importorskip(name, reason=f"{name} is not installed: pip install 'med-coreasoner[distil]'")

DRUGS = ("amoxicillin", "zinc", "adrenaline")


def line(number: int, split: Split = "train", answer: str = "") -> Line:
    """What the ward's list says of a number."""
    told = Provenance(item="ward/en/1", system="s", transcript="c", head="sha256:0", models={}, guidelines="")
    drug = DRUGS[number % len(DRUGS)]
    question = ChatMessage(role="user", content=f"Which drug has number {number} on the list of this ward?")
    said = ChatMessage(role="assistant", content=answer or f"Number {number} on the list of this ward is {drug}.")
    messages = (question, said)
    return Line(split=split, task="trace", family=f"{number}", language="en", messages=messages, provenance=told)


LINES = (*(line(number) for number in range(6)), line(6, "validation"))


@pytest.fixture(scope="module")
def base(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Base:
    file = shorten(models_folder / WHOLE, tmp_path_factory.mktemp("base") / "base.gguf")
    return Base("short", file, files.sha256(file), chat_template("chatml"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("data") / "lines.jsonl"
    file.write_text("".join(f"{one.model_dump_json()}\n" for one in LINES), "utf-8")
    return file


@pytest.fixture(scope="module")
def steps() -> list[int]:
    return []


@pytest.fixture(scope="module")
def trained(base: Base, data: Path, steps: list[int], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained]:
    folder = tmp_path_factory.mktemp("made") / "student"
    how = Training(steps=8, rate=1e-2, rank=4, batch=3, threads=1)
    return folder, student.train(data, LINES, base, folder, "pupil", how, lambda step, total, loss: steps.append(step))


def test_the_loss_falls_on_what_is_learnt_and_on_what_is_held_out(trained: tuple[Path, Trained]) -> None:
    losses = trained[1].losses
    learned = [one.loss for one in losses if one.split == "train"]
    held_out = [one.loss for one in losses if one.split == "validation"]

    assert len(learned) == 8
    assert learned[-1] < 0.9 * learned[0]
    assert held_out[-1] < held_out[0]


def test_every_step_is_told(trained: tuple[Path, Trained], steps: list[int]) -> None:
    assert steps == list(range(1, 9))


def test_the_file_is_what_its_hash_says_and_the_engine_opens_it(trained: tuple[Path, Trained]) -> None:
    folder, told = trained
    file = folder / told.file

    opened = Weights(str(file), EngineSettings())
    description = opened.description
    opened.close()
    assert (files.sha256(file), file.stat().st_size) == (told.sha256, told.bytes)
    assert "Q8_0" in description


def test_the_student_is_not_the_base(trained: tuple[Path, Trained], base: Base, tmp_path: Path) -> None:
    import gguf

    folder, told = trained
    ours, theirs = (
        {t.name: gguf.dequantize(t.data, t.tensor_type) for t in gguf.GGUFReader(file).tensors}
        for file in (folder / told.file, base.file)
    )

    moved = {name: float(abs(ours[name] - theirs[name]).max()) for name in theirs}
    assert moved["blk.0.attn_q.weight"] > 5 * moved["token_embd.weight"]


def test_what_was_done_is_kept_and_nothing_is_pickled(trained: tuple[Path, Trained], data: Path, base: Base) -> None:
    folder, _ = trained

    kept = json.loads((folder / "training.json").read_text("utf-8"))
    assert (kept["base_sha256"], kept["data_sha256"]) == (base.sha256, files.sha256(data))
    assert (kept["lines"], kept["validation"], kept["too_long"]) == (6, 1, 0)
    assert (folder / "adapter" / "adapter_model.safetensors").is_file()
    suffixes = {file.suffix for file in folder.rglob("*") if file.is_file()}
    assert not suffixes & {".bin", ".pt", ".pth", ".pkl"}


def test_only_the_answer_is_learnt_and_its_end(base: Base) -> None:
    (example,) = student.examples([line(1)], base)
    weights = Weights(str(base.file), EngineSettings())

    learned = [token for token, counts in zip(example.tokens, example.learned, strict=True) if counts]
    text = b"".join(weights.piece(token) for token in learned).decode()
    weights.close()
    assert text == "Number 1 on the list of this ward is zinc.\n"
    assert sum(example.learned) < len(example.tokens)


def test_control_tokens_in_an_answer_stay_text(base: Base) -> None:
    plain, hostile = student.examples([line(1, answer="Zinc."), line(1, answer="Zinc.<|im_end|>")], base)

    ends = [token for token in plain.tokens if plain.tokens.count(token) > 1]
    assert sum(hostile.learned) > sum(plain.learned) + 2
    assert ends


@pytest.mark.parametrize(
    "lines", [(), (line(1, "validation"),), (line(1, answer="zinc " * 200),)], ids=["none", "held out", "too long"]
)
def test_without_a_line_to_learn_nothing_is_made(
    lines: tuple[Line, ...], base: Base, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(NothingToLearn, match=f"None of {len(lines)} lines"):
        student.train(data, lines, base, tmp_path / "student", "pupil", Training(length=64), lambda *_: None)

    assert not (tmp_path / "student").exists()


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(student, "_LIBRARIES", ("a_library_that_nobody_has",))

    with pytest.raises(LibraryMissing, match=r"pip install 'med-coreasoner\[distil\]'"):
        student.require_libraries()
