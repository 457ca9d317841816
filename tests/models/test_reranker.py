"""The reranker, over a cross-encoder of the real architecture with weights drawn by a seed: small, and no judge."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import RerankerUnavailable
from models.registry import Registry
from models.reranker import Reranker

CARD = Registry.load().card("bge-reranker-v2-m3").model_copy(update={"context_length": 16})
QUESTION = "which drug for pneumonia"
PASSAGES = ("amoxicillin for the child", "salt and sugar in water", "amoxicillin")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForSequenceClassification

    target = tmp_path_factory.mktemp("reranker")
    words = ["<s>", "<pad>", "</s>", "<unk>", *sorted({w for text in (QUESTION, *PASSAGES) for w in text.split()})]
    tokenizer = Tokenizer(models.WordLevel({word: id for id, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    ).save_pretrained(target)
    torch.manual_seed(7)
    shape: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "num_labels": 1,
    }
    config = XLMRobertaConfig(vocab_size=len(words), max_position_embeddings=40, initializer_range=0.5, **shape)
    XLMRobertaForSequenceClassification(config).save_pretrained(target, safe_serialization=True)
    return target


@pytest.fixture(scope="module")
def reranker(folder: Path) -> Reranker:
    return Reranker(folder, CARD)


def test_every_passage_gets_a_score_of_its_own(reranker: Reranker) -> None:
    scores = reranker.scores(QUESTION, PASSAGES)
    assert scores.shape == (3,)
    assert scores.dtype == np.float32
    assert len(set(scores.tolist())) == 3


def test_a_score_does_not_depend_on_its_neighbours(reranker: Reranker) -> None:
    together = reranker.scores(QUESTION, PASSAGES)
    assert together[::-1].tolist() == reranker.scores(QUESTION, PASSAGES[::-1]).tolist()


def test_the_question_counts(reranker: Reranker) -> None:
    assert reranker.scores("salt", PASSAGES).tolist() != reranker.scores(QUESTION, PASSAGES).tolist()


def test_of_no_passages_there_are_no_scores(reranker: Reranker) -> None:
    assert reranker.scores(QUESTION, ()).shape == (0,)


def test_what_is_longer_than_the_context_is_cut_off(reranker: Reranker) -> None:
    longer = ["amoxicillin " * length for length in (100, 200)]
    first, second = reranker.scores(QUESTION, longer)
    assert first == second


def test_half_a_character_is_read_as_a_question_mark(reranker: Reranker) -> None:
    assert reranker.scores("\ud83d", ["amoxicillin"]) == reranker.scores("?", ["amoxicillin"])


def test_a_model_that_is_no_reranker_is_refused(folder: Path) -> None:
    with pytest.raises(RerankerUnavailable, match="is no reranker"):
        Reranker(folder, Registry.load().card("multilingual-e5-small"))


@pytest.mark.parametrize("lost", ["model.safetensors", "config.json"])
def test_an_incomplete_folder_names_the_command_that_checks_it(folder: Path, tmp_path: Path, lost: str) -> None:
    incomplete = shutil.copytree(folder, tmp_path / "incomplete", ignore=shutil.ignore_patterns(lost))
    with pytest.raises(RerankerUnavailable, match="coreasoner models verify bge-reranker-v2-m3"):
        Reranker(incomplete, CARD)


def test_pickled_weights_are_never_opened(folder: Path, tmp_path: Path) -> None:
    pickled = shutil.copytree(folder, tmp_path / "pickled", ignore=shutil.ignore_patterns("model.safetensors"))
    (pickled / "pytorch_model.bin").write_bytes(b"\x80\x04cos\nsystem\n(S'touch ran'\ntR.")
    with pytest.raises(RerankerUnavailable):
        Reranker(pickled, CARD)
    assert not Path("ran").exists()
