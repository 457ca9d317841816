"""A model as a judge of open answers: it marks each on the axes of a rubric, with a reason, in a form that is checked.

Any chat client of AutoGen may judge. What an answer or a question says to the judge is quoted, never obeyed. Knows
nothing of who wrote an answer: the judge is not told either.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from autogen_core import CancellationToken
from autogen_core.models import ChatCompletionClient, SystemMessage, UserMessage
from pydantic import BaseModel, ConfigDict, ValidationError

from agents.marks import marks
from agents.messages import Usage
from agents.quotation import quoted_lines
from evaluation.metric import Measured, measured, value
from evaluation.rubric import Rubric
from evaluation.scoring import Answered
from models.errors import ModelError

_TOKENS = 600  # of a reply: a sentence and a mark for each axis


class Judge(NamedTuple):
    """Who judges by what: a model, what tells its weights from others of that name, and a rubric."""

    model: str
    weights: str
    rubric: Rubric

    @property
    def name(self) -> str:
        """What names it among all judges; other weights or words are another judge."""
        weights = f" ({self.weights})" if self.weights else ""
        return f"{self.model}{weights} by {self.rubric.name} {self.rubric.version} ({self.rubric.digest})"


class Mark(BaseModel):
    """What a judge says on one axis."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    axis: str
    mark: int
    reason: str


class Judgement(BaseModel):
    """What a judge said of one answer; without marks, `fault` says why there are none."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    item: str
    system: str
    judge: str
    marks: tuple[Mark, ...] = ()
    fault: str = ""
    usage: Usage = Usage()

    def on(self, axis: str) -> int | None:
        """The mark on an axis."""
        return next((mark.mark for mark in self.marks if mark.axis == axis), None)


async def judged(
    pair: Answered, client: ChatCompletionClient, judge: Judge, token: CancellationToken | None = None, seed: int = 0
) -> Judgement:
    """The judgement of one answer to an open question.

    An abstained or failed answer is not put to the judge and has the lowest mark on each axis. A judge that fails, or
    keeps to no form, is a fault of the judgement, never of the answer. Raises MalformedRubric.
    """
    rubric = judge.rubric
    told = Judgement(item=pair.item.key, system=pair.prediction.system, judge=judge.name)
    if pair.prediction.status != "answered":
        lowest = (Mark(axis=axis.name, mark=rubric.lowest, reason="there is no answer") for axis in rubric.axes)
        return told.model_copy(update={"marks": tuple(lowest)})
    try:
        result = await client.create(
            [
                SystemMessage(content=rubric.system.strip()),
                UserMessage(content=_asked(pair, rubric), source="evaluation"),
            ],
            json_output=rubric.form(),
            extra_create_args={"max_tokens": _TOKENS, "seed": seed},
            cancellation_token=token,
        )
    except ModelError as error:
        return told.model_copy(update={"fault": str(error)})
    usage = Usage(prompt_tokens=result.usage.prompt_tokens, completion_tokens=result.usage.completion_tokens)
    return _read(told.model_copy(update={"usage": usage}), result.content, rubric)


def _asked(pair: Answered, rubric: Rubric) -> str:
    item, prediction = pair
    texts = (item.text, *item.references, prediction.text)
    mark = next(mark for mark in marks() if not any(mark in text for text in texts))
    numbered = [f"{number}. {text}" for number, text in enumerate(item.references, 1)]
    question, references, answer = (
        quoted_lines("\n".join(lines).splitlines(), mark) for lines in ([item.text], numbered, [prediction.text])
    )
    return rubric.asked(question, references, answer, mark)


def _read(told: Judgement, content: object, rubric: Rubric) -> Judgement:
    try:
        reply = rubric.form().model_validate_json(content if isinstance(content, str) else "")
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the reply"
        return told.model_copy(update={"fault": f"the judge kept to no form: {place}: {first['msg'].lower()}"})
    found = (Mark(axis=axis, **entry) for axis, entry in reply.model_dump().items())
    return told.model_copy(update={"marks": tuple(found)})


def marked(pairs: Sequence[Answered], judgements: Iterable[Judgement], axis: str) -> Measured:
    """The marks on one axis as a metric; items whose judgement has none have no value."""
    known = {judgement.item: judgement.on(axis) for judgement in judgements}
    found = ((pair.item, known.get(pair.item.key)) for pair in pairs)
    return measured(value(item, mark) for item, mark in found if mark is not None)
