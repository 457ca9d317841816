"""`coreasoner distil` from a run to a student in the registry, and what it refuses."""

import json
from pathlib import Path

import pytest
import tomlkit
from typer.testing import CliRunner, Result

from agents.settings import load_settings
from agents.workspace import Workspace
from evaluation.run_folder import Run
from models import files
from models.errors import MalformedRegistry, WeightsAltered, WeightsMissing
from models.registry import Registry
from tests.evaluation.distil.conftest import ITEMS, run_of
from tests.evaluation.runs.conftest import server, workspace
from tests.evaluation.runs.values import item
from tests.models.chat_server import ChatServer
from tests.models.shortened import WHOLE, shorten
from ui.cli import app

__all__ = ["server", "workspace"]

pytest.importorskip("datasketch", reason="datasketch is not installed: pip install 'med-coreasoner[evaluation]'")


def command(home: Path, *arguments: object) -> Result:
    return CliRunner().invoke(app, ["--home", str(home), *map(str, arguments)])


@pytest.fixture
def home(workspace: Workspace, server: ChatServer) -> Path:
    """The home folder of the workspace, with the server in its settings."""
    folder = workspace.settings.home
    folder.mkdir(parents=True, exist_ok=True)
    roles = dict.fromkeys(("english", "local", "synthesizer"), "ward")
    remote = {"ward": {"urls": [server.url], "model": "ward-7b"}}
    (folder / "coreasoner.toml").write_text(tomlkit.dumps({"models": roles, "remote": remote}), "utf-8")
    return folder


@pytest.fixture
def run(workspace: Workspace, tmp_path: Path) -> Run:
    more = [item(str(n), text=f"{ITEMS[n % 3].text} Pesa {n} kg y tiene {n * 37} días.") for n in range(4, 13)]
    return run_of(workspace, tmp_path / "run", *ITEMS, *more)


def exported(home: Path, run: Run, file: Path) -> Result:
    return command(home, "distil", "export", run.folder, "--to", file, "--supported", 0, "--alike", 1)


def test_an_export_says_what_it_kept_and_why_it_left_out_the_rest(home: Path, run: Run, tmp_path: Path) -> None:
    done = exported(home, run, tmp_path / "data" / "lines.jsonl")

    lines = [json.loads(line) for line in (tmp_path / "data" / "lines.jsonl").read_text("utf-8").splitlines()]
    assert done.exit_code == 0
    assert f"{len(lines)} lines of {len(lines)} answers are in" in done.output
    assert f"Left out: {len(run.predictions) - len(lines)} wrong answer." in done.output
    assert {message["role"] for line in lines for message in line["messages"]} == {"system", "user", "assistant"}


def test_an_export_does_not_write_over_another(home: Path, run: Run, tmp_path: Path) -> None:
    exported(home, run, tmp_path / "lines.jsonl")

    assert isinstance(exported(home, run, tmp_path / "lines.jsonl").exception, FileExistsError)


def test_a_student_goes_from_a_run_to_the_registry(home: Path, run: Run, models_folder: Path, tmp_path: Path) -> None:
    for name in ("gguf", "peft", "trl"):
        pytest.importorskip(name, reason=f"{name} is not installed: pip install 'med-coreasoner[distil]'")
    base = shorten(models_folder / WHOLE, tmp_path / "short.gguf")
    entry = {
        **{
            "role": "llm",
            "format": "gguf",
            "title": "A block of SmolLM2",
            "file": "short.gguf",
            "licence": "Apache-2.0",
        },
        **{"sha256": files.sha256(base), "languages": ["en"], "parameters": 32_000_000, "context_length": 8192},
        "chat_template": "chatml",
    }
    (home / "registry.toml").write_text(tomlkit.dumps({"models": {"short": entry}}), "utf-8")
    assert command(home, "models", "import", base).exit_code == 0
    data, folder = tmp_path / "lines.jsonl", tmp_path / "student"
    exported(home, run, data)

    trained = command(
        home,
        "distil",
        "train",
        data,
        "--base",
        "short",
        "--to",
        folder,
        "--name",
        "pupil",
        "--steps",
        2,
        "--threads",
        1,
    )
    assert trained.exit_code == 0, trained.output
    registered = command(home, "distil", "register", folder)

    assert registered.exit_code == 0, registered.output
    with Workspace(load_settings(home=home)) as opened:
        card = opened.registry.card("pupil")
        assert opened.weights.verify("pupil").status == "ready"
    assert (card.demonstration, card.languages, card.chat_template) == (True, ("es",), "chatml")
    assert opened.registry.card("short").title == "A block of SmolLM2"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--base", "nobody"), "no model called 'nobody'"),
        (("--base", "multilingual-e5-small"), "no language model"),
        (("--base", "smollm2-135m-instruct-q4_1", "--name", "../etc"), "cannot name a model"),
        (("--base", "smollm2-135m-instruct-q4_1", "--name", "qwen3-8b-q4_k_m"), "already"),
        (("--base", "smollm2-135m-instruct-q4_1"), "not on this machine"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(
    arguments: tuple[str, ...], said: str, home: Path, tmp_path: Path
) -> None:
    pytest.importorskip("trl", reason="trl is not installed: pip install 'med-coreasoner[distil]'")
    (tmp_path / "lines.jsonl").write_text("", "utf-8")

    refused = command(home, "distil", "train", tmp_path / "lines.jsonl", "--to", tmp_path / "student", *arguments)

    assert refused.exception is not None
    assert said in str(refused.exception)
    assert not (tmp_path / "student").exists()


def test_a_folder_without_a_finished_student_is_not_registered(home: Path, tmp_path: Path) -> None:
    refused = command(home, "distil", "register", tmp_path)

    assert refused.exit_code == 2
    assert "no finished student" in " ".join(refused.output.replace("│", " ").split())


def _entry(sha256: str, file: str = "pupil.gguf") -> str:
    card = Registry.load().card("smollm2-135m-instruct-q4_1")
    kept = card.model_dump(include={"role", "format", "licence", "parameters", "context_length", "chat_template"})
    fields = {**kept, "title": "A pupil", "languages": ["es"], "file": file, "sha256": sha256}
    return tomlkit.dumps({"models": {"pupil": fields}})


@pytest.mark.parametrize(
    ("entry", "error", "said"),
    [
        ("models = 3", MalformedRegistry, "describes no model"),
        ("[models.pupil]\nfile = 'pupil.gguf'", MalformedRegistry, "describes no model"),
        (_entry("0" * 64, "../pupil.gguf"), MalformedRegistry, "describes no model"),
        (_entry("0" * 64, "other/pupil.gguf"), MalformedRegistry, "one file beside it"),
        (_entry(""), MalformedRegistry, "its hash"),
        (_entry("0" * 64), WeightsAltered, "its hash differs"),
        (_entry("0" * 64, "gone.gguf"), WeightsMissing, "gone.gguf"),
    ],
)
def test_a_student_that_is_not_what_was_trained_does_not_reach_the_registry(
    entry: str, error: type[Exception], said: str, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "registry.toml").write_text(entry, "utf-8")
    (tmp_path / "pupil.gguf").write_bytes(b"GGUF")

    refused = command(home, "distil", "register", tmp_path)

    assert isinstance(refused.exception, error)
    assert said in str(refused.exception)
    assert not load_settings(home=home).registry_file.exists()
