"""Low-rank adapters (LoRA, Hu et al. 2021, arXiv 2106.09685) trained on tokens, and merged into their model.

By PEFT and TRL, which are imported only here and only when something is trained; nothing is reported to anyone. Knows
nothing of texts, and not where the model comes from.
"""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from evaluation.distil import Split
from models.conversion import Quantization, Vocabulary

# Is told at every step: which one it is, of how many, and its loss.
Told = Callable[[int, int, float], None]


class Training(BaseModel):
    """How a student is trained.

    `rank` is the adapters', `rate` what the optimizer begins with, `batch` how many lines make a step, `length` how
    many tokens a line may have. Without `steps` all lines are gone through `epochs` times.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: float = Field(3.0, gt=0)
    steps: int | None = Field(None, ge=1)
    rate: float = Field(2e-4, gt=0)
    rank: int = Field(16, ge=1)
    batch: int = Field(4, ge=1)
    length: int = Field(2048, ge=64)
    seed: int = 7
    threads: int = Field(2, ge=1)
    quantization: Quantization = "q8_0"


class Loss(BaseModel):
    """Mean cross-entropy a token of an answer, in nats, after so many steps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int
    split: Split
    loss: float


class Example(NamedTuple):
    """A line as tokens; `learned` has 1 for those of the answer and 0 for what stands before it."""

    split: Split
    tokens: list[int]
    learned: list[int]


def adapted(
    model: Any,
    learned: Sequence[Example],
    held_out: Sequence[Example],
    vocabulary: Vocabulary,
    folder: Path,
    how: Training,
    told: Told,
) -> tuple[Any, tuple[Loss, ...]]:
    """The model with what was learnt merged into it, and how the loss went. The adapters are kept in `folder`."""
    with warnings.catch_warnings():
        # PEFT and TRL still call transformers by names that it will give up.
        warnings.simplefilter("ignore", FutureWarning)
        from datasets import disable_progress_bars
        from peft import LoraConfig
        from transformers import PrinterCallback
        from trl import SFTTrainer

        disable_progress_bars()
        trainer = SFTTrainer(
            model=model,
            args=_arguments(folder, how),
            train_dataset=_dataset(learned),
            eval_dataset=_dataset(held_out) if held_out else None,
            processing_class=_padding(vocabulary),
            peft_config=LoraConfig(
                r=how.rank, lora_alpha=2 * how.rank, target_modules="all-linear", task_type="CAUSAL_LM"
            ),
            callbacks=[_watching(told)],
        )
        trainer.remove_callback(PrinterCallback)
        losses = [*_validated(trainer, held_out)]
        trainer.train()
        said = [entry for entry in trainer.state.log_history if "loss" in entry]
        losses += [Loss(step=entry["step"], split="train", loss=entry["loss"]) for entry in said]
        losses += _validated(trainer, held_out)
        trainer.model.save_pretrained(str(folder / "adapter"), save_embedding_layers=False)
        return trainer.model.merge_and_unload(), tuple(losses)


def _arguments(folder: Path, how: Training) -> Any:
    import torch
    from trl import SFTConfig

    accelerated = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(folder / "trainer"),
        num_train_epochs=how.epochs,
        max_steps=how.steps or -1,
        per_device_train_batch_size=how.batch if accelerated else 1,
        per_device_eval_batch_size=1,
        gradient_accumulation_steps=1 if accelerated else how.batch,
        activation_checkpointing=accelerated,
        learning_rate=how.rate,
        max_length=how.length,
        completion_only_loss=True,
        bf16=accelerated,
        use_cpu=not accelerated,
        dataloader_pin_memory=accelerated,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        log_level="error",
        seed=how.seed,
    )


def _dataset(made: Sequence[Example]) -> Any:
    from datasets import Dataset

    return Dataset.from_list([{"input_ids": one.tokens, "completion_mask": one.learned} for one in made])


def _padding(vocabulary: Vocabulary) -> Any:
    """What the trainer wants of a tokenizer: a token to fill up with. All texts are tokenized already."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    tokens, end = vocabulary.tokens, vocabulary.tokens[vocabulary.end]
    table = Tokenizer(WordLevel({token: number for number, token in enumerate(tokens)}, unk_token=end))
    made: Any = PreTrainedTokenizerFast
    return made(tokenizer_object=table, pad_token=end, eos_token=end)


def _watching(told: Told) -> Any:
    from transformers import TrainerCallback

    class Watching(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                told(state.global_step, state.max_steps, logs["loss"])

    return Watching()


def _validated(trainer: Any, held_out: Sequence[Example]) -> list[Loss]:
    if not held_out:
        return []
    return [Loss(step=trainer.state.global_step, split="validation", loss=trainer.evaluate()["eval_loss"])]
