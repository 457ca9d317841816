"""The product as it is configured, and the paper's method with the same models and guidelines.

`paper` is what the code released with Gao et al. 2026 (arXiv 2601.08267) does: its fusion at 0.7, guidelines searched
with the question, one answer, no rebuttal. Unlike there a chain survives when the other is empty.
"""

from dataclasses import replace
from typing import Any

from agents.fusion import PAPER_THRESHOLD
from agents.team import Resources
from evaluation.consulted import consulted
from evaluation.system import System

_PAPER: dict[str, Any] = {
    "fusion": "paper",
    "paper_threshold": PAPER_THRESHOLD,
    "query_mode": "question",
    "rounds": 0,
}


def _paper(resources: Resources) -> Resources:
    settings = resources.settings
    once = settings.synthesis.model_copy(update={"attempts": 1})
    return replace(resources, settings=settings.model_copy(update={**_PAPER, "synthesis": once}))


SYSTEMS = (
    System("paper", "The paper's released fusion and search, one answer, no rebuttal.", consulted, _paper),
    System("coreasoner", "The product as it is configured.", consulted),
)
