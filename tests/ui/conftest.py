"""An installation to run commands on: the test weights, guidelines in three languages, settings by environment.

The guidelines are the starter packs of English, Spanish and Swahili with two of their nine documents each, since
embedding all of them takes longer than every test of this folder together. Knows nothing of what is asked of it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import tomlkit
from typer.testing import CliRunner

from agents.settings import load_settings
from agents.workspace import Workspace
from knowledge.shipped import starter_packs
from tests.conftest import only
from ui.cli import app

MODEL = "smollm2-135m-instruct-q4_1"
LANGUAGES = ("en", "es", "sw")
_DOCUMENTS = ("childhood-pneumonia.md", "diarrhoea-dehydration.md")
_COMMAND = Path(sys.executable).with_name("coreasoner")
_PATIENCE_S = 300
_BUDGETS = {
    "COREASONER_ENGINE__CONTEXT_LENGTH": "4096",
    "COREASONER_TEAM__KEPT": "2",
    "COREASONER_TEAM__REASONER__RENDERING_TOKENS": "16",
    "COREASONER_TEAM__REASONER__REASONING_TOKENS": "16",
    "COREASONER_TEAM__REASONER__CONCEPT_TOKENS": "96",
    "COREASONER_TEAM__SYNTHESIS__ANSWER_TOKENS": "64",
    "COREASONER_TEAM__SYNTHESIS__EVIDENCE_TOKENS": "100",
}


class Ran(NamedTuple):
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str


class Installation(NamedTuple):
    """A home folder and the environment that names it."""

    home: Path
    environment: Mapping[str, str]

    def elsewhere(self, **changes: object) -> "Installation":
        """The same with other settings: `home`, or `models__folder` and the like."""
        environment = {**self.environment, **{f"COREASONER_{name.upper()}": str(v) for name, v in changes.items()}}
        return Installation(Path(environment["COREASONER_HOME"]), environment)

    @staticmethod
    def command(*arguments: str) -> tuple[str, ...]:
        """The installed command with the test model."""
        return (str(_COMMAND), "--model", MODEL, *arguments)

    def run(self, *arguments: str, stdin: bytes = b"", before: tuple[str, ...] = ()) -> Ran:
        """Run the installed command to its end; `before` is what runs it, where something does."""
        done = subprocess.run(
            [*before, *self.command(*arguments)],
            input=stdin,
            capture_output=True,
            env=self.environment,
            timeout=_PATIENCE_S,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def run_here(self, *arguments: str) -> Ran:
        """Run a command in this process, which has imported already what a new one would take ten seconds for."""
        done = CliRunner().invoke(app, ["--model", MODEL, *arguments], env=self.environment, catch_exceptions=False)
        return Ran(done.exit_code, done.stdout, done.stderr)


def _shortened(pack: Path, target: Path) -> Path:
    content = tomlkit.parse((pack / "pack.toml").read_text("utf-8"))
    listed = [entry for entry in content["documents"] if entry["file"] in _DOCUMENTS]  # type: ignore[union-attr, index]  # tomlkit types items as a union
    content["documents"] = listed
    target.mkdir(parents=True)
    (target / "pack.toml").write_text(tomlkit.dumps(content), "utf-8")
    for name in _DOCUMENTS:
        shutil.copy(pack / name, target)
    return target


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Installation:
    """The prepared installation; whoever changes it works on a copy made by `elsewhere`."""
    root = tmp_path_factory.mktemp("installation")
    packs = {pack.name: pack for pack in starter_packs()}
    settings = {"COREASONER_HOME": str(root / "home"), "COREASONER_MODELS__FOLDER": str(models_folder), **_BUDGETS}
    others = {name: value for name, value in os.environ.items() if not name.startswith("COREASONER_")}
    with pytest.MonkeyPatch.context() as patch:
        only(patch, settings)
        with Workspace(load_settings()) as workspace:
            for language in LANGUAGES:
                workspace.store.add(_shortened(packs[language], root / "packs" / language))
    return Installation(root / "home", {**others, **settings})
