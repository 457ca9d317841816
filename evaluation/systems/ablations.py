"""The product with one part left out at a time, each a change of what the team works with.

Where a voice is left out the team copes as it does when a model is missing; guidelines are searched in both languages
all the same.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from autogen_core.models import ChatCompletionClient

from agents.team import Resources, Role, TeamSettings
from evaluation.consulted import consulted
from evaluation.system import System
from models.absent import AbsentChatClient
from models.errors import ModelError

_ON_PURPOSE = "left out of this evaluation on purpose"


def _silent(left_out: Role) -> Callable[[Resources], Resources]:
    """Without the model of one role."""

    def arranged(resources: Resources) -> Resources:
        def client(role: Role) -> ChatCompletionClient:
            return AbsentChatClient(ModelError(_ON_PURPOSE)) if role == left_out else resources.client(role)

        return replace(resources, client=client, without={**resources.without, left_out: _ON_PURPOSE})

    return arranged


def _set(change: Callable[[TeamSettings], dict[str, Any]]) -> Callable[[Resources], Resources]:
    """With other settings of the team."""

    def arranged(resources: Resources) -> Resources:
        settings = resources.settings
        return replace(resources, settings=settings.model_copy(update=change(settings)))

    return arranged


def _without_concepts(settings: TeamSettings) -> dict[str, Any]:
    return {
        "reasoner": settings.reasoner.model_copy(update={"concepts": False}),
        "synthesis": settings.synthesis.model_copy(update={"arguments": True}),
        "query_mode": "question",
    }


def _without_guidelines(resources: Resources) -> Resources:
    return replace(resources, store=None, without={**resources.without, "guidelines": _ON_PURPOSE})


_ABLATIONS: tuple[tuple[str, str, Callable[[Resources], Resources]], ...] = (
    ("english", "the English reasoner", _silent("english")),
    ("local", "the local clinician", _silent("local")),
    ("concepts", "concepts: the answer is written from both arguments whole", _set(_without_concepts)),
    ("fusion", "fusion: both chains stand one after the other", _set(lambda _: {"fusion": "side_by_side"})),
    ("retrieval", "guidelines", _without_guidelines),
    ("rebuttal", "the rebuttal", _set(lambda _: {"rounds": 0})),
)

SYSTEMS = tuple(
    System(f"without-{name}", f"The product without {what}.", consulted, arranged)
    for name, what, arranged in _ABLATIONS
)
