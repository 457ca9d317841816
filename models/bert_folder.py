"""Writes a BERT sentence encoder as the folder that sentence-transformers opens: safetensors, tokenizer, settings.

Mean pooling; prompts and normalization are left to whoever embeds. Knows nothing of where the numbers come from.
"""

import json
import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.files import write_small

_SPACE = "▁"
_PRIVATE_USE = 0xE000

Matrix = npt.NDArray[np.float32]


class Shape(NamedTuple):
    """Sizes of a BERT encoder; `epsilon` is that of its layer normalization."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


class Vocabulary(NamedTuple):
    """A unigram vocabulary: pieces with their log-probabilities, special token ids, and a map of single characters."""

    pieces: list[tuple[str, float]]
    bos: int
    eos: int
    pad: int
    unk: int
    characters: dict[str, str]


def write_folder(
    folder: Path, shape: Shape, vocabulary: Vocabulary, weights: Iterable[tuple[str, Matrix]], origin: str
) -> None:
    """Write the folder; `weights` go by their names in transformers' BertModel.

    `origin` is noted in `config.json`, so that it can be seen when a folder was made in another way.
    """
    folder.mkdir(parents=True)
    _write_weights(folder / "model.safetensors", weights)
    _write_tokenizer(folder / "tokenizer.json", vocabulary)
    for path, content in _settings(shape, vocabulary, origin).items():
        write_small(folder / path, json.dumps(content, indent=1))


def _write_weights(path: Path, weights: Iterable[tuple[str, Matrix]]) -> None:
    from safetensors.numpy import save_file

    save_file(dict(weights), path, metadata={"format": "pt"})  # one key: more are written in random order
    path.chmod(0o644)  # safetensors makes it private to whoever pulled; the service may run as somebody else
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _write_tokenizer(path: Path, vocabulary: Vocabulary) -> None:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(vocabulary.pieces, unk_id=vocabulary.unk, byte_fallback=False))
    replaced = [normalizers.Replace(Regex(pattern), text) for pattern, text in _before_nfkc(vocabulary)]
    restored = [normalizers.Replace(chr(_PRIVATE_USE + n), text) for n, text in enumerate(_kept(vocabulary))]
    tokenizer.normalizer = normalizers.Sequence([*replaced, normalizers.NFKC(), *restored])
    words = pre_tokenizers.WhitespaceSplit()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, pre_tokenizers.Metaspace(_SPACE, "always")])
    tokenizer.decoder = decoders.Metaspace(_SPACE, "always")
    special = (vocabulary.bos, vocabulary.pad, vocabulary.eos, vocabulary.unk)
    tokenizer.add_special_tokens([AddedToken(vocabulary.pieces[token][0], normalized=False) for token in special])
    bos, eos = vocabulary.pieces[vocabulary.bos][0], vocabulary.pieces[vocabulary.eos][0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, vocabulary.bos), (eos, vocabulary.eos)],
    )
    write_small(path, tokenizer.to_str())


def _before_nfkc(vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    """Patterns and replacements that turn Unicode NFKC into the vocabulary's own character map."""
    by_replacement: dict[str, list[str]] = defaultdict(list)
    for character, replacement in vocabulary.characters.items():
        if unicodedata.normalize("NFKC", character) != replacement:
            by_replacement[replacement].append(character)
    for number, character in enumerate(_kept(vocabulary)):
        by_replacement[chr(_PRIVATE_USE + number)].append(character)
    for replacement, characters in by_replacement.items():
        yield "[" + "".join(rf"\x{{{ord(character):x}}}" for character in characters) + "]", replacement


def _kept(vocabulary: Vocabulary) -> list[str]:
    """Characters that NFKC would change and the vocabulary wants as they are."""
    used = {character for piece, _ in vocabulary.pieces for character in piece} - set(vocabulary.characters)
    return sorted(character for character in used if unicodedata.normalize("NFKC", character) != character)


def _settings(shape: Shape, vocabulary: Vocabulary, origin: str) -> dict[str, object]:
    """The small files that transformers and sentence-transformers want beside weights and tokenizer."""
    bos, eos, pad, unk = (vocabulary.pieces[token][0] for token in vocabulary[1:5])
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "intermediate_size": shape.feed_forward,
            "vocab_size": shape.vocabulary,
            "max_position_embeddings": shape.positions,
            "type_vocab_size": shape.types,
            "layer_norm_eps": shape.epsilon,
            "hidden_act": "gelu",
            "pad_token_id": vocabulary.pad,
            "dtype": "float32",
            "origin": origin,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.positions,
            "bos_token": bos,
            "cls_token": bos,
            "eos_token": eos,
            "sep_token": eos,
            "pad_token": pad,
            "unk_token": unk,
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        ],
        "sentence_bert_config.json": {"max_seq_length": shape.positions, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": shape.hidden, "pooling_mode_mean_tokens": True},
    }
