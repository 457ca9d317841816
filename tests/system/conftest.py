"""A prepared installation that the whole-program tests share: real weights, real guidelines, its own home."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from knowledge.shipped import starter_packs

COMMAND = str(Path(sys.executable).with_name("coreasoner"))


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Mapping[str, str]:
    """The environment of an installation with three starter packs; its transcripts are its own."""
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, "COREASONER_HOME": str(home), "COREASONER_MODELS__FOLDER": str(models_folder)}
    for pack in starter_packs():
        if pack.name in ("en", "es", "ar"):
            command = [COMMAND, "knowledge", "add", str(pack)]
            subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)
    return environment


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots are kept for a person to look at."""
    folder = Path(os.environ.get("COREASONER_TEST_PICTURES", "build/pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
