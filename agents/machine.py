"""What the first event of a consultation says of its circumstances: everything that decides what will be said, beside
the case itself.

`rerun` reads it back; a field that is missing was not recorded yet by the version that wrote it. Knows nothing of how
the values came about.
"""

import hashlib
import importlib.metadata
import os
import platform
from functools import cache
from importlib.resources import files
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict, JsonValue, field_validator

from agents.team import TeamSettings, Thresholds
from models.protocol import EngineSettings, Sampling

_PACKAGES = (
    *("med-coreasoner", "autogen-agentchat", "gradio", "lancedb", "lingua-language-detector", "llama-cpp-python"),
    *("sentence-transformers", "tokenizers", "torch"),
)
_PROCESSORS = Path("/proc/cpuinfo")


class LoadedModel(BaseModel):
    """A model in use: its role, name in the registry or the settings, and the hash of its weights, if they are here."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    role: str
    name: str
    sha256: str
    demonstration: bool


class Circumstances(BaseModel):
    """The models, how they are run and asked, the guidelines' version, and what all of it runs on.

    `engines` says how each model is run, and what was chosen for it when it was opened; `chat_templates` and `prompts`
    (a hash over all of the product's own) what stands around the words of the case. `rerun_of` names a consultation
    that is computed again, `evaluated` the item and the system of an evaluation, `shown` the language of the page that
    shows this one, and `without` what was not there.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    models: tuple[LoadedModel, ...] = ()
    engine: EngineSettings = EngineSettings()
    engines: dict[str, dict[str, JsonValue]] = {}
    remote: dict[str, JsonValue] = {}
    without: dict[str, str] = {}
    chat_templates: dict[str, JsonValue] = {}
    sampling: Sampling | None = None
    team: TeamSettings = TeamSettings()
    thresholds: Thresholds | None = None
    guidelines: str | None = None
    prompts: str = ""
    versions: dict[str, str] = {}
    machine: dict[str, JsonValue] = {}
    shown: str = ""
    rerun_of: str = ""
    evaluated: str = ""

    @field_validator("team", mode="before")
    @classmethod
    def _before_rebuttals(cls, team: object) -> object:
        """Records of before there were rebuttals had no round of them."""
        return {"rounds": 0, **team} if isinstance(team, dict) else team


def versions() -> dict[str, str]:
    """Of the product, of what decides its figures, and of Python."""
    return {**{name: importlib.metadata.version(name) for name in _PACKAGES}, "python": platform.python_version()}


def hardware() -> dict[str, JsonValue]:
    """The system, its processors by name, and its memory in bytes."""
    return {
        "system": platform.platform(),
        "processors": os.cpu_count() or 0,
        "processor": _processor(),
        "memory_bytes": psutil.virtual_memory().total,
    }


@cache
def prompts(room: str = "agents") -> str:
    """A hash over the names and the text of all prompt files of a room."""
    folder = files(room).joinpath("prompts")
    hashed = hashlib.sha256()
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        hashed.update(f"{file.name}\n{file.read_text('utf-8')}\n".encode())
    return f"sha256:{hashed.hexdigest()}"


def _processor() -> str:
    # Python's own `platform.processor` is empty on most Linux systems.
    try:
        lines = _PROCESSORS.read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())
