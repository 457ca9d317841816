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

_LONGEST = 60  # characters of a value in a sentence


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

    `remote` says of models that run elsewhere what their servers are asked for.

    `items` is a hash over the items drawn, `prompts` and `questions` over the prompt files of team and evaluation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    choice: Choice
    day: date
    items: str
    models: tuple[LoadedModel, ...]
    remote: dict[str, dict[str, Any]] = {}
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
        """What the other plan has otherwise, setting by setting; the day does not count."""
        ours, theirs = (dict(_leaves("", one.model_dump(mode="json", exclude={"day"}))) for one in (self, other))
        for name in dict.fromkeys((*ours, *theirs)):
            if ours.get(name) != theirs.get(name):
                yield f"{name} ({_brief(ours.get(name))} there, {_brief(theirs.get(name))} now)"


def _leaves(name: str, value: object) -> Iterator[tuple[str, object]]:
    """The single values of nested ones, each with the names that lead to it."""
    if not isinstance(value, dict | list) or not value:
        yield name, value
        return
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in entries:
        yield from _leaves(f"{name}.{key}" if name else str(key), entry)


def _brief(value: object) -> str:
    shown = "nothing" if value in (None, [], {}) else str(value)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def plan(choice: Choice, items: Sequence[Item], workspace: Workspace, day: date) -> Plan:
    """The plan for these items with what is here now. Raises ModelError."""
    resources, settings = workspace.resources(), workspace.settings
    return Plan(
        choice=choice,
        day=day,
        items=digest(items),
        models=workspace.loaded(),
        remote={
            name: settings.remote[name].model_dump(include={"model", "context_length", "schema_style"})
            for name in dict.fromkeys(map(workspace.model, ROLES))
            if name in settings.remote
        },
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
