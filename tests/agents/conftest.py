"""The small model and the embedder of the test set, opened once, and the starter guidelines in two languages."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import tomlkit

from agents.team import Thresholds
from knowledge.shipped import starter_packs
from knowledge.store import KnowledgeStore
from models.embedder import Embedder
from models.engine import Engine
from models.protocol import EngineSettings
from models.registry import Registry
from models.weights import WeightStore
from tests.agents.cases import EMBEDDER, MODEL
from transcripts.store import TranscriptStore

DOCUMENTS = ("childhood-pneumonia.md", "tuberculosis.md")


@pytest.fixture(scope="session")
def weights(models_folder: Path) -> WeightStore:
    return WeightStore(models_folder, Registry.load())


@pytest.fixture(scope="session")
def embedder(weights: WeightStore) -> Embedder:
    return Embedder(weights.checked_path(EMBEDDER.name), EMBEDDER, threads=2)


@pytest.fixture(scope="session")
def thresholds(embedder: Embedder) -> Thresholds:
    return Thresholds.model_validate(embedder.thresholds.model_dump())


@pytest.fixture(scope="session")
def engine(weights: WeightStore) -> Iterator[Engine]:
    """Two lanes of SmolLM2 135M."""
    opened = Engine(lambda: weights.checked_path(MODEL.name), EngineSettings(context_length=2048, lanes=2))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def guidelines(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> KnowledgeStore:
    """The starter guidelines in English and Spanish, as far as they speak of coughing children."""
    store = KnowledgeStore(tmp_path_factory.mktemp("knowledge"), embedder)
    for folder in starter_packs():
        if folder.name in ("en", "es"):
            store.add(_shortened(folder, tmp_path_factory.mktemp("packs") / folder.name))
    return store


def _shortened(pack: Path, folder: Path) -> Path:
    """A pack with two of its documents: embedding them all would take longer than most of the tests."""
    content = tomlkit.parse((pack / "pack.toml").read_text("utf-8"))
    content["documents"] = [entry for entry in content.unwrap()["documents"] if entry["file"] in DOCUMENTS]
    folder.mkdir()
    (folder / "pack.toml").write_text(tomlkit.dumps(content), "utf-8")
    for name in DOCUMENTS:
        shutil.copy(pack / name, folder)
    return folder


@pytest.fixture
def transcripts(tmp_path: Path) -> Iterator[TranscriptStore]:
    with TranscriptStore.open(tmp_path / "transcripts.db") as store:
        yield store
