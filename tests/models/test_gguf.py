"""The GGUF header check: sound files pass, and each known way to hurt a native loader is refused before it."""

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import MalformedWeights
from models.gguf import inspect
from tests.models.gguf_files import (
    ARRAY,
    BOOL,
    FLOAT32,
    GGUF,
    INT32,
    Q4_0,
    STRING,
    UINT8,
    UINT32,
    Tensor,
    array,
    scalar,
    sound_pairs,
    string,
    text,
)

SMOLLM2 = "smollm2-135m-instruct-q4_1.gguf"


def test_a_sound_header_is_described(tmp_path: Path) -> None:
    header = inspect(GGUF().write(tmp_path / "m.gguf"))
    assert (header.architecture, header.context_length, header.vocabulary_size) == ("llama", 512, 2)
    assert (header.n_tensors, header.parameters, header.alignment) == (1, 128, 32)


@pytest.mark.parametrize("version", [2, 3])
def test_both_versions_in_use_pass(tmp_path: Path, version: int) -> None:
    assert inspect(GGUF(version=version).write(tmp_path / "m.gguf")).version == version


def test_another_alignment_passes(tmp_path: Path) -> None:
    file = GGUF(alignment=64).with_pair("general.alignment", scalar(UINT32, "I", 64))
    assert inspect(file.write(tmp_path / "m.gguf")).alignment == 64


def test_a_real_models_header_is_described(models_folder: Path) -> None:
    header = inspect(models_folder / SMOLLM2)
    assert (header.architecture, header.context_length, header.vocabulary_size) == ("llama", 8192, 49152)
    assert (header.n_tensors, header.parameters, header.size) == (272, 134_515_008, 98_362_432)


def with_tensor(**changes: object) -> GGUF:
    return GGUF(tensors=(replace(Tensor(), **changes),))  # type: ignore[arg-type]  # one field at a time


def without(key: str) -> GGUF:
    return GGUF(pairs={name: value for name, value in sound_pairs().items() if name != key})


BROKEN = {
    "bad magic": (GGUF(magic=b"GGML"), "is no GGUF file"),
    "big-endian": (GGUF(version=0x03000000), "has version"),
    "version 1": (GGUF(version=1), "has version 1"),
    "version of the future": (GGUF(version=4), "has version 4"),
    "no tensors": (GGUF(tensors=()), "announces 0 tensors"),
    "2^63 tensors": (GGUF(n_tensors=1 << 63), "tensors and"),
    "2^63 settings": (GGUF(n_pairs=1 << 63), "settings"),
    "more settings than there are": (GGUF(n_pairs=6), "has a text of"),
    "more tensors than there are": (GGUF(n_tensors=2, tensor_bytes=0), "without a name"),
    "empty key": (GGUF().with_pair("", scalar(UINT8, "B", 1)), "setting without a name"),
    "unknown value type": (GGUF().with_pair("k", struct.pack("<IQ", 13, 0)), "unknown type 13"),
    "value neither true nor false": (GGUF().with_pair("k", scalar(BOOL, "B", 2)), "neither true nor false"),
    "string longer than the file": (GGUF().with_pair("k", struct.pack("<IQ", STRING, 1 << 62)), "has a text of"),
    "array of arrays": (GGUF().with_pair("k", array(ARRAY, 1, bytes(12))), "unknown type 9"),
    "array of an unknown type": (GGUF().with_pair("k", array(99, 1, bytes(8))), "unknown type 99"),
    "array of 2^61 numbers": (GGUF().with_pair("k", array(FLOAT32, 1 << 61, b"")), "2305843009213693952 values"),
    "array longer than the file": (GGUF().with_pair("k", array(FLOAT32, 1 << 20, b"")), "middle of its header"),
    "array of strings longer than the file": (
        GGUF().with_pair("k", array(STRING, 1, struct.pack("<Q", 1 << 63))),
        "middle of its header",
    ),
    "tokens that are numbers": (GGUF().with_pair("tokenizer.ggml.tokens", array(UINT32, 2, bytes(8))), "wrong type"),
    "tokens that are one string": (GGUF().with_pair("tokenizer.ggml.tokens", string("ab")), "wrong type"),
    "scores of one byte each": (GGUF().with_pair("tokenizer.ggml.scores", array(UINT8, 2, bytes(2))), "wrong type"),
    "fewer scores than tokens": (
        GGUF().with_pair("tokenizer.ggml.scores", array(FLOAT32, 1, bytes(4))),
        "fewer tokens",
    ),
    "fewer token types than tokens": (
        GGUF().with_pair("tokenizer.ggml.token_type", array(INT32, 1, bytes(4))),
        "fewer tokens",
    ),
    "architecture that is a number": (GGUF().with_pair("general.architecture", scalar(UINT32, "I", 1)), "wrong type"),
    "architecture that is an array": (
        GGUF().with_pair("general.architecture", array(STRING, 1, text("llama"))),
        "wrong type",
    ),
    "no architecture": (without("general.architecture"), "names no architecture"),
    "no context length": (without("llama.context_length"), "no context length"),
    "context length of zero": (GGUF().with_pair("llama.context_length", scalar(UINT32, "I", 0)), "no context length"),
    "alignment of zero": (GGUF().with_pair("general.alignment", scalar(UINT32, "I", 0)), "alignment of 0"),
    "alignment of 2^31": (
        GGUF().with_pair("general.alignment", scalar(UINT32, "I", 1 << 31)),
        "alignment of 2147483648",
    ),
    "alignment of 48": (GGUF().with_pair("general.alignment", scalar(UINT32, "I", 48)), "alignment of 48"),
    "signed alignment": (GGUF().with_pair("general.alignment", scalar(INT32, "i", 32)), "wrong type"),
    "zeroed metadata": (GGUF(pairs={"": bytes(64)}), "setting without a name"),
    "tensor without a name": (with_tensor(name=""), "tensor without a name"),
    "tensor name of 64 bytes": (with_tensor(name="w" * 64), "text of 64 bytes"),
    "no dimensions": (with_tensor(shape=()), "0 dimensions"),
    "five dimensions": (with_tensor(shape=(32, 1, 1, 1, 1)), "5 dimensions"),
    "2^31 dimensions": (with_tensor(n_dimensions=1 << 31), "2147483648 dimensions"),
    "nine dimensions": (with_tensor(n_dimensions=9), "9 dimensions"),
    "zero dimension": (with_tensor(shape=(32, 0)), "the shape"),
    "2^42 dimension": (with_tensor(shape=(1 << 42,)), "the shape"),
    "dimensions whose product wraps round": (with_tensor(shape=(1 << 32, 1 << 32)), "the shape"),
    "dimension that is negative when signed": (with_tensor(shape=((1 << 64) - 32,)), "the shape"),
    "unknown tensor type": (with_tensor(kind=99), "unknown type 99"),
    "removed tensor type": (with_tensor(kind=4), "unknown type 4"),
    "rows of half a block": (with_tensor(shape=(48, 4), kind=Q4_0), "no whole blocks"),
    "offset off the alignment": (with_tensor(offset=8), "misplaces"),
    "offset outside the file": (with_tensor(offset=1 << 40), "ends before"),
    "offset that wraps round": (with_tensor(offset=(1 << 64) - 32), "ends before"),
    "tensor longer than the file": (with_tensor(shape=(32, 5)), "ends before"),
    "two tensors of one name": (GGUF(tensors=(Tensor(), Tensor(offset=512)), tensor_bytes=1024), "twice"),
    "two tensors in one place": (
        GGUF(tensors=(Tensor(), Tensor(name="other")), tensor_bytes=1024),
        "misplaces the tensor 'other'",
    ),
}


@pytest.mark.parametrize(("file", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_a_header_that_could_hurt_the_loader_is_refused(tmp_path: Path, file: GGUF, reason: str) -> None:
    path = file.write(tmp_path / "m.gguf")
    with pytest.raises(MalformedWeights, match=rf"m\.gguf .*{reason}.*pull or import the model again"):
        inspect(path)


def test_the_same_setting_twice_is_refused(tmp_path: Path) -> None:
    twice = text("general.name") + string("a") + text("general.name") + string("b")
    file = GGUF(pairs={**sound_pairs(), "general.is_tiny": scalar(BOOL, "B", 1) + twice}, n_pairs=7)
    with pytest.raises(MalformedWeights, match="twice"):
        inspect(file.write(tmp_path / "m.gguf"))


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    content = GGUF().content().replace(b"general.is_tiny", b"general.is_t\xff\xfe\xfd")
    (tmp_path / "m.gguf").write_bytes(content)
    with pytest.raises(MalformedWeights, match="UTF-8"):
        inspect(tmp_path / "m.gguf")


def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    content, path = GGUF().content(), tmp_path / "m.gguf"
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(MalformedWeights):
            inspect(path)


def test_a_web_page_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_text("<!doctype html><html><body>404: no such model here</body></html>")
    with pytest.raises(MalformedWeights, match="is a web page"):
        inspect(tmp_path / "m.gguf")


@pytest.mark.parametrize("share", [0.25, 0.5, 0.999])
def test_a_real_header_cut_off_is_refused(models_folder: Path, tmp_path: Path, share: float) -> None:
    with (models_folder / SMOLLM2).open("rb") as file:
        header = file.read(inspect(models_folder / SMOLLM2).data_offset)
    (tmp_path / "m.gguf").write_bytes(header[: int(len(header) * share)])
    with pytest.raises(MalformedWeights):
        inspect(tmp_path / "m.gguf")


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (0, b"GGUT"),
        (4, struct.pack("<I", 99)),
        (8, struct.pack("<Q", 1 << 62)),
        (16, struct.pack("<Q", 1 << 62)),
        (24, struct.pack("<Q", 0)),
        (24, struct.pack("<Q", (1 << 64) - 1)),
        (52, struct.pack("<I", 77)),
    ],
    ids=["magic", "version", "tensor count", "setting count", "empty key", "endless key", "value type"],
)
def test_a_real_header_altered_in_one_field_is_refused(
    models_folder: Path, tmp_path: Path, position: int, value: bytes
) -> None:
    sound = inspect(models_folder / SMOLLM2)
    path = tmp_path / "m.gguf"
    with (models_folder / SMOLLM2).open("rb") as source, path.open("wb") as altered:
        altered.write(source.read(sound.data_offset))
        altered.truncate(sound.size)  # sparse: the tensor bytes do not matter here
        altered.seek(position)
        altered.write(value)
    with pytest.raises(MalformedWeights):
        inspect(path)
