"""The fast model of the test set, opened once: in a worker process, and in this one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.engine import Engine
from models.llama import Weights
from models.protocol import EngineSettings
from models.registry import Registry
from models.weights import CheckedWeights, WeightStore

OpenEngine = Callable[..., Engine]


@pytest.fixture(scope="session")
def smollm2(models_folder: Path) -> Path:
    return WeightStore(models_folder, Registry.load()).checked_path("smollm2-135m-instruct-q4_1")


@pytest.fixture(scope="session")
def engine(smollm2: Path) -> Iterator[Engine]:
    """Two lanes; no test may end its worker."""
    engine = Engine(lambda: smollm2, EngineSettings(context_length=1024, lanes=2, sequences=2))
    yield engine
    engine.close()


@pytest.fixture
def open_engine(smollm2: Path) -> Iterator[OpenEngine]:
    """Opens an engine that the test may break; it is closed afterwards."""
    engines: list[Engine] = []

    def open_(checked: Callable[[], CheckedWeights | Path] = lambda: smollm2, **settings: int) -> Engine:
        usual = {"context_length": 1024, "lanes": 2, "sequences": settings.get("lanes", 2)}
        engines.append(Engine(checked, EngineSettings.model_validate({**usual, **settings})))
        return engines[-1]

    yield open_
    for engine in engines:
        engine.close()


@pytest.fixture(scope="session")
def weights(smollm2: Path) -> Iterator[Weights]:
    weights = Weights(str(smollm2), EngineSettings())
    yield weights
    weights.close()
