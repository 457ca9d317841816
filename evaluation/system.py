"""A system: a way to answer an item with the models and guidelines that are here, always on the record.

What every system is handed is a `Sitting`, what it hands back an `Answered`. Knows nothing of right answers.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from autogen_core import CancellationToken

from agents.messages import Case, Usage
from agents.team import Clock, Resources
from evaluation.item import Item, Result
from transcripts.recorder import Recorder


class Answered(Result):
    """What a system made of a case. `conclusion` is as the case admits it, in the order in which options were shown.

    `leaning` is the conclusion that its voices came to where the answer has none.
    """

    conclusion: str = ""
    leaning: str = ""


@dataclass(frozen=True)
class Sitting:
    """One item before one system. `case` is the item as it is asked; everything goes into `recorder`.

    `spent` is what each turn of a model alone has cost, for when it fails in a later one.
    """

    item: Item
    case: Case
    resources: Resources
    recorder: Recorder
    token: CancellationToken = field(default_factory=CancellationToken)
    clock: Clock = field(default_factory=Clock)
    spent: list[Usage] = field(default_factory=list)

    @property
    def budget(self) -> int:
        """Tokens that may be written for this case: as many as the whole team may write."""
        return self.resources.settings.token_budget(self.case)


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
