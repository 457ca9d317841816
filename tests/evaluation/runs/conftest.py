"""An installation whose models are a chat server that says whatever a test wants said; record and run are real."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.settings import load_settings
from agents.workspace import Workspace
from tests.models.chat_server import ChatServer, running_server, says

# Whatever is asked: an argument, a listing, a conclusion or an answer, each reads its own of it.
EVERYTHING = {
    "concepts": ["fast breathing", "amoxicilina"],
    "sentences": [{"text": "La respiración rápida indica neumonía y se trata con amoxicilina oral."}],
    "conclusion": "A",
}


@pytest.fixture
def server() -> Iterator[ChatServer]:
    """Says EVERYTHING to everybody."""
    with running_server() as running:
        running.turns = [says(json.dumps(EVERYTHING, ensure_ascii=False))]
        yield running


@pytest.fixture
def workspace(server: ChatServer, tmp_path: Path, no_settings: Path) -> Iterator[Workspace]:
    """All roles are played by the server; there are no guidelines and no embedder."""
    roles = dict.fromkeys(("english", "local", "synthesizer"), "ward")
    remote = {"ward": {"urls": [server.url], "model": "ward-7b"}}
    settings = load_settings(home=tmp_path / "home", models={"folder": tmp_path / "none", **roles}, remote=remote)
    with Workspace(settings.evaluating()) as opened:
        yield opened
