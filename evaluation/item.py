"""What is asked and what came back: an item of a benchmark, and what one system made of it.

Frozen values that loaders make, systems answer and metrics read. Knows nothing of files, models or scores.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.messages import Usage

Task = Literal["choice", "choices", "entailment", "open"]
Label = Literal["entailment", "neutral", "contradiction"]


class Item(BaseModel):
    """A question of a benchmark in one language.

    `id` is the authors' own, or made of the content where they gave none, and the same in every language. `task`: one
    right option (`choice`), one or several (`choices`), a hypothesis to be judged against the text, or free text.
    `right` are positions in `options`, from 0. Items of one `family` ask the same; `references` are all answers that
    the family's rows have. `english`, `english_options` (in the order of `options`) and `english_hypothesis` are the
    benchmark's own English texts. `faults` says what its file had wrong with it and what was done: its kind, a colon,
    and the rest. `excluded` says why the item can't be asked at all; nobody draws it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    benchmark: str
    id: str
    language: str
    task: Task
    text: str = Field(min_length=1)
    options: tuple[str, ...] = ()
    right: tuple[int, ...] = ()
    hypothesis: str | None = None
    label: Label | None = None
    references: tuple[str, ...] = ()
    family: str = ""
    english: str | None = None
    english_options: tuple[str, ...] = ()
    english_hypothesis: str | None = None
    faults: tuple[str, ...] = ()
    excluded: str = ""

    @property
    def key(self) -> str:
        """What names it among all items."""
        return f"{self.benchmark}/{self.language}/{self.id}"


class Result(BaseModel):
    """What any answer of a system says of itself.

    `abstained` is an answer that concludes nothing; `failed` one that could not be had, and `reason` says why.
    `confidence` is the probability that the system gives its conclusion, where it has one. `claims` are the answer's
    sentences, `cited` those with a citation, `supported` those that the passages they cite were found to support.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Literal["answered", "abstained", "failed"]
    reason: str = ""
    text: str = ""
    confidence: float | None = Field(None, ge=0, le=1)
    claims: int = 0
    cited: int = 0
    supported: int = 0
    usage: Usage = Usage()


class Prediction(Result):
    """What one system answered to one item, once.

    `chosen` are positions in the item's own options, whatever order they were shown in. An answer that concludes
    nothing may lean to something: `leaning` and `leaning_label` are what its voices concluded before it.
    """

    benchmark: str
    id: str
    language: str
    system: str
    model: str
    seed: int
    chosen: tuple[int, ...] = ()
    label: Label | None = None
    leaning: tuple[int, ...] = ()
    leaning_label: Label | None = None
    seconds: float = Field(ge=0)
    transcript_id: str = ""

    @property
    def key(self) -> str:
        """What names it among all predictions of one run."""
        return f"{self.system}/{self.model}/{self.benchmark}/{self.language}/{self.id}"
