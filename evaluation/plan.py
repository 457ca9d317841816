"""The plan of a run: what is asked of which systems, with which models, and everything else that decides the answers.

Two processes may work on one run only where their plans are the same. Knows nothing of answers.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict

from agents import machine
from agents.machine import LoadedModel
from agents.team import TeamSettings
from agents.workspace import ROLES, Workspace
from evaluation.item import Item
from models.protocol import EngineSettings


class Choice(BaseModel):
    """What a person chose. Systems stand in their own order; no `limit` asks every item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    benchmarks: tuple[str, ...]
    languages: tuple[str, ...]
    systems: tuple[str, ...]
    limit: int | None = None
    seed: int = 7


class Plan(BaseModel):
    """A choice, and all that was there when it was made. `day` is the one on which guidelines count as expired.

    `items` is a hash over the items drawn, `prompts` and `questions` over the prompt files of team and evaluation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    choice: Choice
    day: date
    items: str
    models: tuple[LoadedModel, ...]
    temperature: float
    engine: EngineSettings
    engines: dict[str, dict[str, Any]] = {}
    team: TeamSettings
    without: dict[str, str] = {}
    guidelines: str
    prompts: str
    questions: str
    versions: dict[str, str]

    @property
    def model(self) -> str:
        """The model that answers; several names where roles have models of their own."""
        return "+".join(dict.fromkeys(model.name for model in self.models if model.role in ROLES))

    @property
    def mark(self) -> str:
        """What stands around quoted passages: the same in every process that works on such a run."""
        return hashlib.sha256(f"coreasoner evaluate {self.choice.seed}".encode()).hexdigest()[:16]

    def differences(self, other: "Plan") -> Iterator[str]:
        """What the other plan has otherwise, in words; the day does not count."""
        for field in type(self).model_fields:
            ours, theirs = getattr(self, field), getattr(other, field)
            if field != "day" and ours != theirs:
                yield f"{_NAMES[field]} ({_brief(ours)} there, {_brief(theirs)} now)"


_NAMES = {
    "choice": "what is asked",
    "items": "the items of the benchmark files",
    "models": "the models or their weights",
    "temperature": "the temperature",
    "engine": "the engine's settings",
    "engines": "the settings of a model's engine",
    "team": "the team's settings",
    "without": "what is missing here",
    "guidelines": "the version of the guidelines",
    "prompts": "the prompts of the team",
    "questions": "the prompts of the evaluation",
    "versions": "the versions of the software",
}


def _brief(value: object) -> str:
    if isinstance(value, tuple) and all(isinstance(model, LoadedModel) for model in value):
        return ", ".join(dict.fromkeys(f"{model.name} {model.sha256[:19]}" for model in value))
    plain = value.model_dump_json() if isinstance(value, BaseModel) else str(value)
    return plain if len(plain) <= 160 else f"{plain[:160]}…"


def plan(choice: Choice, items: Sequence[Item], workspace: Workspace, day: date) -> Plan:
    """The plan for these items with what is here now. Raises ModelError."""
    resources, settings = workspace.resources(), workspace.settings
    return Plan(
        choice=choice,
        day=day,
        items=digest(items),
        models=workspace.loaded(),
        temperature=settings.models.temperature,
        engine=settings.engine,
        engines=settings.engines,
        team=settings.team.model_copy(update={"seed": choice.seed}),
        without=dict(resources.without),
        guidelines=(resources.store.version() or "") if resources.store else "",
        prompts=machine.prompts(),
        questions=machine.prompts("evaluation"),
        versions=machine.versions(),
    )


def digest(items: Sequence[Item]) -> str:
    """A hash over items in order."""
    lines = "".join(f"{item.model_dump_json()}\n" for item in items)
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"
