"""Fixtures that every room's tests may use."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import platformdirs
import pytest

from tests.storage import StorageServer, moto_server


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """The folder with the weights of the test set: COREASONER_TEST_MODELS, or the user's own models folder."""
    folder = os.environ.get("COREASONER_TEST_MODELS")
    return Path(folder) if folder else platformdirs.user_data_path("coreasoner") / "models"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of shared benchmark files that COREASONER_TEST_DATA names; without one the test is skipped."""
    folder = os.environ.get("COREASONER_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("COREASONER_TEST_DATA names no folder of shared benchmark files")
    return Path(folder)


@pytest.fixture(scope="session")
def storage_server() -> Iterator[StorageServer]:
    """An S3-compatible server on this machine; without moto (`make storage`) the test is skipped."""
    program = moto_server()
    if not program:
        pytest.skip("there is no moto_server; `make storage` installs it")
    with StorageServer(program) as server:
        yield server


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment that sets nothing but an empty home folder."""
    only(monkeypatch, {"COREASONER_HOME": str(tmp_path)})
    return tmp_path


def only(patch: pytest.MonkeyPatch, settings: Mapping[str, str]) -> None:
    """Make these the only settings in the environment."""
    for name in [name for name in os.environ if name.startswith("COREASONER_")]:
        patch.delenv(name)
    for name, value in settings.items():
        patch.setenv(name, value)
