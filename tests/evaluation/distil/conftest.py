"""A run whose answers are on a real record, made by the team with a chat server as its models."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from agents.workspace import Workspace
from evaluation.item import Item
from evaluation.plan import Choice, plan
from evaluation.run import carry_on
from evaluation.run_folder import Run
from evaluation.scoring import Answered
from evaluation.trace import Trace, traced
from tests.evaluation.runs.conftest import server, workspace
from tests.evaluation.runs.values import item

__all__ = ["server", "workspace"]

# The server concludes A: so the first two are right, wherever their options are shown.
ITEMS = (
    item("1", options=("Amoxicilina oral", "Ninguno"), text="Niña de 3 años con tos y 52 respiraciones por minuto."),
    item("2", options=("Adrenalina", "Esperar"), text="Adulto con urticaria y sibilancias tras una inyección."),
    item("3", options=("Sulfato de magnesio", "Alta"), text="Embarazada con presión de 170/115 y dolor de cabeza."),
)


def run_of(workspace: Workspace, folder: Path, *items: Item, systems: tuple[str, ...] = ("coreasoner",)) -> Run:
    """A finished run."""
    choice = Choice(benchmarks=("ward",), languages=("es",), systems=systems)
    run = Run.begin(folder, plan(choice, items, workspace, date(2026, 11, 30)), items)
    workspace.open_models()
    with run.writing():
        asyncio.run(carry_on(run, workspace, lambda prediction: None))
    return run


@pytest.fixture
def run(workspace: Workspace, tmp_path: Path) -> Run:
    """Three items, answered by the team and by one model alone."""
    return run_of(workspace, tmp_path / "run", *ITEMS, systems=("coreasoner", "direct"))


@pytest.fixture
def trace(workspace: Workspace, run: Run) -> Trace:
    """The team's answer to the first item."""
    prediction = next(one for one in run.predictions if (one.system, one.id) == ("coreasoner", "1"))
    found = traced(workspace.transcripts, Answered(run.items[0], prediction))
    assert isinstance(found, Trace)
    return found
