"""The embedder with its real weights: what its vectors are, and when it is not there."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from models.embedder import Embedder
from models.errors import EmbedderUnavailable
from models.registry import Registry
from models.weights import WeightStore

CARD = Registry.load().card("multilingual-e5-small")
FEVER = {
    "en": "The child has had a high fever for three days.",
    "ja": "子どもは三日前から高熱が続いている。",
    "sw": "Mtoto amekuwa na homa kali kwa siku tatu.",
    "th": "เด็กมีไข้สูงมาสามวัน",
    "ar": "يعاني الطفل من حمى شديدة منذ ثلاثة أيام.",
}
OTHERS = ["The invoice is due on Friday.", "Wash the potatoes and peel them.", "The ankle was sprained while running."]


@pytest.fixture(scope="module")
def folder(models_folder: Path) -> Path:
    return WeightStore(models_folder, Registry.load()).checked_path(CARD.name)


@pytest.fixture(scope="module")
def embedder(folder: Path) -> Embedder:
    return Embedder(folder, CARD, threads=2)


def test_vectors_are_one_row_a_text_in_single_precision(embedder: Embedder) -> None:
    vectors = embedder.embed_passages(list(FEVER.values()))
    assert vectors.shape == (len(FEVER), embedder.dimension) == (5, 384)
    assert vectors.dtype == np.dtype("float32")


def test_vectors_have_length_one(embedder: Embedder) -> None:
    lengths = np.linalg.norm(embedder.embed_queries(list(FEVER.values())), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-6)


@pytest.mark.parametrize("language", [language for language in FEVER if language != "en"])
def test_a_passage_is_found_across_languages(embedder: Embedder, language: str) -> None:
    passages = embedder.embed_passages([*OTHERS, FEVER["en"]])
    similarities = passages @ embedder.embed_queries([FEVER[language]])[0]
    assert int(similarities.argmax()) == len(OTHERS)


def test_queries_and_passages_carry_their_own_prefix(embedder: Embedder) -> None:
    assert not np.array_equal(embedder.embed_queries(["fever"]), embedder.embed_passages(["fever"]))


def test_a_concept_is_as_near_to_another_as_the_other_to_it(embedder: Embedder) -> None:
    vectors = embedder.embed_concepts(["fever", "homa", "fever"])
    np.testing.assert_array_equal(vectors[0], vectors[2])
    assert vectors[0] @ vectors[1] > embedder.embed_concepts(["invoice"])[0] @ vectors[1]


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert embedder.embed_concepts([]).shape == (0, 384)


def test_a_vector_does_not_depend_on_its_neighbours(folder: Path, embedder: Embedder) -> None:
    together = embedder.embed_passages([*FEVER.values(), *OTHERS])
    alone = np.concatenate([embedder.embed_passages([text]) for text in (*FEVER.values(), *OTHERS)])
    np.testing.assert_array_equal(together, alone)


def test_a_repeated_text_gives_the_same_vector_bit_for_bit(folder: Path, embedder: Embedder) -> None:
    first = embedder.embed_queries([FEVER["ja"]])
    np.testing.assert_array_equal(first, embedder.embed_queries([FEVER["ja"]]))
    np.testing.assert_array_equal(first, Embedder(folder, CARD, threads=2).embed_queries([FEVER["ja"]]))


def test_a_caller_cannot_spoil_what_is_remembered(embedder: Embedder) -> None:
    vectors = embedder.embed_queries(["cough"])
    kept = vectors.copy()
    vectors[:] = 0
    np.testing.assert_array_equal(embedder.embed_queries(["cough"]), kept)


def test_threads_may_embed_at_once(embedder: Embedder) -> None:
    texts = [f"patient {number} with cough" for number in range(12)]
    expected = embedder.embed_passages(texts)
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda text: embedder.embed_passages([text])[0], texts))
    np.testing.assert_array_equal(np.stack(rows), expected)


@pytest.mark.parametrize(
    "text", ["", "\x00", "half a pair \ud83d", "fever " * 3000], ids=["empty", "nul", "half", "long"]
)
def test_any_text_has_a_vector(embedder: Embedder, text: str) -> None:
    assert np.isfinite(embedder.embed_queries([text])).all()


def test_thresholds_come_with_the_model(embedder: Embedder) -> None:
    assert embedder.thresholds == CARD.thresholds


def test_the_name_tells_other_weights_apart(folder: Path, tmp_path: Path, embedder: Embedder) -> None:
    other = shutil.copytree(folder, tmp_path / "other")
    config = (other / "config.json").read_text()
    (other / "config.json").write_text(config.replace("converter 1", "converter 0"))
    assert embedder.name.startswith("multilingual-e5-small@")
    assert Embedder(other, CARD).name != embedder.name


def test_opening_an_embedder_leaves_the_engines_environment_alone(embedder: Embedder) -> None:
    assert os.environ.get("OMP_WAIT_POLICY") != "PASSIVE"


def test_a_language_model_is_no_embedder(folder: Path) -> None:
    with pytest.raises(EmbedderUnavailable, match="is no embedding model"):
        Embedder(folder, Registry.load().card("smollm2-135m-instruct-q4_1"))


def test_a_missing_folder_is_answered_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailable, match="coreasoner models verify multilingual-e5-small"):
        Embedder(tmp_path / "nowhere", CARD)


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json", "modules.json"])
def test_a_spoilt_folder_is_unavailable(folder: Path, tmp_path: Path, file: str) -> None:
    spoilt = shutil.copytree(folder, tmp_path / "spoilt")
    (spoilt / file).write_bytes(b"{")
    with pytest.raises(EmbedderUnavailable):
        Embedder(spoilt, CARD)


def test_pickled_weights_are_never_opened(folder: Path, tmp_path: Path) -> None:
    pickled = shutil.copytree(folder, tmp_path / "pickled", ignore=shutil.ignore_patterns("model.safetensors"))
    (pickled / "pytorch_model.bin").write_bytes(b"\x80\x04cos\nsystem\n(S'touch ran'\ntR.")
    with pytest.raises(EmbedderUnavailable):
        Embedder(pickled, CARD)
    assert not Path("ran").exists()


def test_code_in_the_folder_is_never_run(folder: Path, tmp_path: Path) -> None:
    hostile = shutil.copytree(folder, tmp_path / "hostile")
    (hostile / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\nclass Module: ...\n")
    (hostile / "modules.json").write_text('[{"idx": 0, "name": "0", "path": "", "type": "evil.Module"}]')
    with pytest.raises(EmbedderUnavailable):
        Embedder(hostile, CARD)
    assert not (tmp_path / "ran").exists()
