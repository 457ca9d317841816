"""Fixtures that every room's tests may use."""

import os
from pathlib import Path

import platformdirs
import pytest


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """The folder with the weights of the test set: COREASONER_TEST_MODELS, or the user's own models folder."""
    folder = os.environ.get("COREASONER_TEST_MODELS")
    return Path(folder) if folder else platformdirs.user_data_path("coreasoner") / "models"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with documents, guidelines and benchmarks that tests may use but the project doesn't hold."""
    folder = os.environ.get("COREASONER_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("COREASONER_TEST_DATA names no folder with the shared test data")
    return Path(folder)
