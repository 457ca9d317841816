"""Items, a plan and predictions, as small as they can be."""

from datetime import date
from typing import Any

from agents.machine import LoadedModel
from agents.team import TeamSettings
from evaluation.item import Item, Prediction
from evaluation.plan import Choice, Plan, digest
from models.protocol import EngineSettings

QUESTION = "Niña de 3 años con tos, fiebre y 52 respiraciones por minuto. ¿Qué antibiótico?"
OPTIONS = ("Amoxicilina oral", "Ceftriaxona intravenosa", "Ningún antibiótico")


def item(id: str = "1", **fields: Any) -> Item:
    """A question in Spanish with one right option."""
    asked = {"benchmark": "ward", "id": id, "language": "es", "task": "choice", "text": f"{QUESTION} ({id})"}
    return Item.model_validate({**asked, "options": OPTIONS, "right": (0,), **fields})


def prediction(id: str = "1", system: str = "direct", **fields: Any) -> Prediction:
    """An answer to it."""
    asked = {"benchmark": "ward", "id": id, "language": "es", "system": system, "model": "ward-7b", "seed": 7}
    return Prediction.model_validate({**asked, "status": "answered", "chosen": (0,), "seconds": 1.5, **fields})


def plan(*items: Item, systems: tuple[str, ...] = ("direct",), **fields: Any) -> Plan:
    """What a run of these items is begun with."""
    choice = Choice(benchmarks=("ward",), languages=("es",), systems=systems)
    model = LoadedModel(role="local", name="ward-7b", sha256="", demonstration=False)
    made = {"choice": choice, "day": date(2026, 11, 30), "items": digest(items), "models": (model,), "temperature": 0.0}
    rest = {"engine": EngineSettings(), "team": TeamSettings(), "guidelines": "1", "prompts": "p", "questions": "q"}
    return Plan.model_validate({**made, **rest, "versions": {"python": "3.11"}, **fields})
