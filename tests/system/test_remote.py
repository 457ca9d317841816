"""The whole program with every language model on another machine: a real llama.cpp server, and none."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from models.registry import Registry
from models.weights import WeightStore
from tests.models.llama_server import ALIAS, running_llama_server
from tests.system.conftest import COMMAND

EMBEDDER = "multilingual-e5-small"
BUDGETS = {
    "COREASONER_TEAM__KEPT": "2",
    "COREASONER_TEAM__REASONER__RENDERING_TOKENS": "16",
    "COREASONER_TEAM__REASONER__REASONING_TOKENS": "24",
    "COREASONER_TEAM__REASONER__CONCEPT_TOKENS": "48",
    "COREASONER_TEAM__SYNTHESIS__ANSWER_TOKENS": "64",
    "COREASONER_TEAM__SYNTHESIS__EVIDENCE_TOKENS": "100",
}
KEY = "sk-of-the-ward"


@pytest.fixture(scope="module")
def url(models_folder: Path) -> Iterator[str]:
    weights = WeightStore(models_folder, Registry.load()).checked_path("smollm2-135m-instruct-q4_1")
    with running_llama_server(weights, context_length=4096) as server:
        yield server.url


@pytest.fixture
def reader(installation: Mapping[str, str], models_folder: Path, tmp_path: Path) -> Mapping[str, str]:
    """An installation without a language model of its own."""
    for file in models_folder.iterdir():
        if file.name.startswith(EMBEDDER):
            os.symlink(file, tmp_path / file.name)
    own = {"COREASONER_MODELS__FOLDER": str(tmp_path), "WARD_KEY": KEY}
    return {**installation, **BUDGETS, **own}


def ask(reader: Mapping[str, str], tmp_path: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Ask about a child, all roles played at `url`."""
    file = tmp_path / "ward.toml"
    file.write_text(
        f"""
        [models]
        english = "ward"
        local = "ward"
        synthesizer = "ward"

        [remote.ward]
        urls = ["{url}"]
        model = "{ALIAS}"
        schema_style = "json_object"
        context_length = 4096
        api_key_variable = "WARD_KEY"
        """
    )
    case = "Niño de 2 años con diarrea, ojos hundidos y sed. ¿Qué hago?"
    command = [COMMAND, "--config", str(file), "ask", "--json", "--language", "es", case]
    return subprocess.run(command, env=reader, capture_output=True, text=True, timeout=300)


def test_a_case_is_argued_without_a_language_model_on_this_machine(
    reader: Mapping[str, str], tmp_path: Path, url: str
) -> None:
    done = ask(reader, tmp_path, url)

    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert [outcome[f"{side}_reasoning"]["status"] for side in ("english", "local")] == ["argued", "argued"]
    assert outcome["usage"]["completion_tokens"] > 0
    assert {model["name"] for model in outcome["models"]} == {"ward", EMBEDDER}
    kept = subprocess.run(
        [COMMAND, "transcripts", "show", outcome["transcript_id"]], env=reader, capture_output=True, text=True
    )
    assert kept.returncode == 0, kept.stderr
    assert url.split("/")[2] in kept.stdout
    assert KEY not in kept.stdout


def test_a_server_that_is_not_there_is_named_and_the_passages_are_the_answer(
    reader: Mapping[str, str], tmp_path: Path
) -> None:
    done = ask(reader, tmp_path, "http://127.0.0.1:9/v1")

    assert done.returncode == 0
    assert done.stderr.count(f"No server of {ALIAS} answers (not 127.0.0.1:9); check that one runs.\n") == 3
    assert json.loads(done.stdout)["answer"]["mode"] == "evidence_only"
    # The emergency is told all the same: no model is needed to see it.
    assert "Posible deshidratación grave" in done.stderr
