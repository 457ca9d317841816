"""A system: a way to answer an item with the models and guidelines that are here, always on the record.

What every system is handed is a `Sitting`, what it hands back an `Answered`. Knows nothing of right answers.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from autogen_core import CancellationToken
from pydantic import BaseModel, ConfigDict, Field

from agents.messages import Case, Usage
from agents.team import Clock, Resources
from evaluation.item import Item
from transcripts.recorder import Recorder


class Answered(BaseModel):
    """What a system made of a case. `conclusion` is as the case admits it, in the order in which options were shown.

    Otherwise as `Prediction`, of which it becomes a part.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Literal["answered", "abstained", "failed"]
    reason: str = ""
    conclusion: str = ""
    text: str = ""
    confidence: float | None = Field(None, ge=0, le=1)
    claims: int = 0
    cited: int = 0
    supported: int = 0
    usage: Usage = Usage()


@dataclass(frozen=True)
class Sitting:
    """One item before one system. `case` is the item as it is asked, `english_options` its options in that order in
    English where the benchmark has them; everything goes into `recorder`."""

    item: Item
    case: Case
    resources: Resources
    recorder: Recorder
    english_options: tuple[str, ...] = ()
    token: CancellationToken = field(default_factory=CancellationToken)
    clock: Clock = field(default_factory=Clock)

    @property
    def budget(self) -> int:
        """Tokens that may be written for this case: as many as the whole team may write."""
        return self.resources.settings.token_budget


def unchanged(resources: Resources) -> Resources:
    """The installation as it is."""
    return resources


@dataclass(frozen=True)
class System:
    """A named way to answer. `about` is one sentence; `arranged` changes what it works with, before it is recorded."""

    name: str
    about: str
    answer: Callable[[Sitting], Awaitable[Answered]]
    arranged: Callable[[Resources], Resources] = unchanged
