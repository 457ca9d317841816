"""Fixtures that every room's tests may use."""

import os
from collections.abc import Iterator
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
