"""The README's commands do what it says they do."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = re.findall(r"```sh\n(.+?)\n```", README, re.DOTALL)
MADE = ("make run", "make test")
SMALL = {
    "COREASONER_MODELS__ENGLISH": "smollm2-135m-instruct-q4_1",
    "COREASONER_MODELS__LOCAL": "smollm2-135m-instruct-q4_1",
    "COREASONER_MODELS__SYNTHESIZER": "smollm2-135m-instruct-q4_1",
    "COREASONER_TEAM__REASONER__REASONING_TOKENS": "32",
    "COREASONER_TEAM__SYNTHESIS__ANSWER_TOKENS": "64",
}


@pytest.fixture(scope="module")
def reader(
    installation: Mapping[str, str], models_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, str]:
    """A reader's shell: their home, their folder of guidelines, their file on a stick; models of their own."""
    folder = tmp_path_factory.mktemp("guidelines")
    (folder / "oral-rehydration.md").write_text("# Oral rehydration\n\n## Treat\n\nGive ORS after each loose stool.\n")
    models = tmp_path_factory.mktemp("models")
    for file in models_folder.iterdir():
        if not file.name.startswith("."):
            os.symlink(file, models / file.name)
    stick = tmp_path_factory.mktemp("stick") / "model.gguf"
    shutil.copyfile(models_folder / "smollm2-135m-instruct-q4_1.gguf", stick)
    own = {"FOLDER": str(folder), "FILE": str(stick), "COREASONER_MODELS__FOLDER": str(models)}
    return {**installation, **SMALL, **own}


def test_the_first_two_commands_set_up_and_test() -> None:
    assert tuple(COMMANDS[:2]) == MADE
    assert "make test" in (ROOT / ".ci/run").read_text()


def test_it_is_short() -> None:
    assert len(README.splitlines()) < 150


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in MADE])
def test_a_command_works(command: str, reader: Mapping[str, str]) -> None:
    if "doctor" in command:
        port = free_port()
        reader = {**reader, "COREASONER_CHAT__PORT": str(port)}

    done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=reader, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_make_run_opens_the_chat(installation: Mapping[str, str]) -> None:
    port = free_port()
    environment = {**installation, **SMALL, "COREASONER_CHAT__PORT": str(port), "PYTHONUNBUFFERED": "1"}
    command = shlex.split(MADE[0])
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as server:
        assert server.stdout is not None
        said = ""
        for line in server.stdout:
            said += line.decode()
            if f":{port}" in said:
                break
        assert server.poll() is None, said
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as page:
            assert page.status == 200
        os.killpg(server.pid, 15)


@pytest.mark.parametrize("shown", re.findall(r"```toml\n(.+?)\n```", README, re.DOTALL))
def test_the_settings_that_it_shows_are_accepted(shown: str, tmp_path: Path, installation: Mapping[str, str]) -> None:
    file = tmp_path / "coreasoner.toml"
    file.write_text(shown)
    command = [str(ROOT / ".venv/bin/coreasoner"), "--config", str(file), "models", "list"]

    done = subprocess.run(command, env=installation, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
