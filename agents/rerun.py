"""A consultation computed again: what it was argued with is taken from its record, and a new consultation names it.

Weights are compared by hash, guidelines read as they were, seeds and settings are those of the first time. Knows
nothing of terminals.
"""

import re
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from autogen_core import CancellationToken
from pydantic import JsonValue, ValidationError

from agents import marks
from agents.consultation import Outcome, Progress
from agents.errors import NotRecomputable
from agents.machine import Circumstances, LoadedModel
from agents.messages import Case
from agents.settings import Settings
from agents.team import Resources
from agents.workspace import ROLES, Workspace
from knowledge.errors import KnowledgeError
from models.errors import ModelError
from transcripts.compare import Comparison, compare
from transcripts.consultation import Status
from transcripts.event import Event, EventKind

_MARK = re.compile("<<([0-9a-f]{16})\n")

_WHY = {
    "models": "other models, or other weights of them",
    "engine": "the engine runs in another mode",
    "engines": "the engine runs in another mode",
    "chat_templates": "other chat templates",
    "sampling": "other sampling parameters",
    "team": "other settings of the team",
    "thresholds": "other thresholds of the embedder",
    "guidelines": "another version of the guidelines",
    "prompts": "other prompt files",
    "versions": "software of another version",
    "machine": "other hardware, or another operating system",
}
_SHARED = "it was argued in shared batches, which change the last digits of what a model computes"
_SLICES = (
    "nothing that is on record of the circumstances differs; a cache from an earlier case may have divided the reading "
    "of a prompt otherwise, or another number of threads was free where flash attention is used; `engine.exact` rules "
    "both out"
)


class Original(NamedTuple):
    """What a record tells of how its case was argued.

    `day` is the one on which guidelines counted as expired or not, `mark` stood around quoted passages, `shared` says
    that texts were computed together with others, and `guidelines` None that their version is not on the record.
    """

    consultation: str
    case: Case
    circumstances: Circumstances
    guidelines: str | None
    day: date
    mark: str
    shared: bool
    status: str

    @property
    def notices(self) -> Iterator[str]:
        """What keeps this case from coming out the same, as far as that is known before."""
        if self.shared:
            yield f"It cannot be computed again to the last bit: {_SHARED}."
        if self.status != Status.FINISHED:
            yield f"It was {self.status}; it is compared as far as it went."
        if self.guidelines is None:
            yield "Its record does not name the version of the guidelines; the newest is read."
        if self.circumstances.sampling is None:
            yield "Its record, of an older version, does not name the sampling parameters; the present ones are used."


def original(consultation: str, events: Iterable[Event]) -> Original:
    """What is to be computed again. Raises NotRecomputable for a record that does not say it."""
    read = list(events)
    bodies = [event.body for event in read if event.kind is EventKind.MODEL and not event.body.get("agent")]
    case = next((event for event in read if event.kind is EventKind.CASE), None)
    if not bodies or case is None:
        raise NotRecomputable(consultation, "its record names no models, or no case; nothing was argued.")
    if bodies[0].get("evaluated"):
        raise NotRecomputable(consultation, "an evaluation asked it; ask it again with `coreasoner evaluate run`.")
    try:
        return Original(
            consultation=consultation,
            case=Case.model_validate(case.body),
            circumstances=(circumstances := Circumstances.model_validate(bodies[0])),
            guidelines=_guidelines(circumstances, read),
            day=case.time.astimezone().date(),
            mark=_mark(read),
            shared=any(_is_shared(event) for event in read),
            status=str(next((e.body["status"] for e in read if e.kind is EventKind.FINISHED), Status.INTERRUPTED)),
        )
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        reason = f"another version of the product wrote its {where}; install that version and ask there."
        raise NotRecomputable(consultation, reason) from error


def settings_of(first: Original, present: Settings) -> Settings:
    """The present settings, but for what the record says. Raises NotRecomputable."""
    said = first.circumstances
    names = {model.role: model.name for model in said.models}
    if missing := [role for role in (*ROLES, "embedder") if role not in names]:
        raise NotRecomputable(first.consultation, f"its record names no model for {missing[0]}.")
    chosen: dict[str, Any] = {"reranker": "", **names}
    if said.sampling:
        chosen["temperature"] = said.sampling.temperature
    return present.model_copy(
        update={
            "models": present.models.model_copy(update=chosen),
            "engine": said.engine,
            "engines": {name: _settled(engine) for name, engine in said.engines.items()},
            "team": said.team,
        }
    )


def require(first: Original, workspace: Workspace) -> None:
    """That everything is here with which the case was argued. Raises NotRecomputable."""
    for model in first.circumstances.models:
        _require_weights(first, workspace, model)
    if first.guidelines:
        try:
            workspace.archive.at(first.guidelines)
        except KnowledgeError as error:
            raise NotRecomputable(first.consultation, str(error)) from error


async def rerun(first: Original, workspace: Workspace, token: CancellationToken) -> AsyncGenerator[Progress, None]:
    """Argue the case once more on a new record. `workspace` has the settings of the first time, its models are open.

    Raises what `Workspace.consult` raises.
    """
    resources, shown = _resources(first, workspace), first.case.language
    argued = workspace.consult(first.case, token, resources=resources, rerun_of=first.consultation, shown=shown)
    async with aclosing(argued) as items:
        while True:
            # Set for each step: between two of them other code runs in this context.
            with marks.given(first.mark):
                try:
                    progress = await anext(items)
                except StopAsyncIteration:
                    return
            yield progress


def compared(first: Original, workspace: Workspace, outcome: Outcome) -> Comparison:
    """Both consultations, event by event."""
    record = workspace.transcripts
    return compare(record.events(first.consultation), record.events(outcome.transcript_id))


def reasons(first: Original, found: Comparison) -> tuple[str, ...]:
    """Why two runs may differ, from what is on record of their circumstances."""
    known = [_WHY.get(name, f"other {name}") for name in found.conditions]
    return tuple(dict.fromkeys([*known, *([_SHARED] if first.shared else [])])) or (_SLICES,)


def _guidelines(circumstances: Circumstances, events: Sequence[Event]) -> str | None:
    """The version that was read; empty where there were no guidelines."""
    if circumstances.guidelines is not None:
        return circumstances.guidelines
    searched = next((event.body for event in events if event.kind is EventKind.RETRIEVAL), None)
    return None if searched is None else str(searched.get("version", ""))


def _mark(events: Sequence[Event]) -> str:
    prompts = (event.body.get("messages") for event in events if event.kind is EventKind.PROMPT)
    texts = (str(message.get("content")) for sent in prompts for message in _objects(sent))
    return next((found[1] for text in texts if (found := _MARK.search(text))), "")


def _objects(value: JsonValue) -> list[dict[str, JsonValue]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _is_shared(event: Event) -> bool:
    figures = event.body.get("figures")
    return event.kind is EventKind.MODEL and isinstance(figures, dict) and figures.get("shared") is True


def _settled(engine: dict[str, JsonValue]) -> dict[str, Any]:
    """The engine's settings, with the number of lanes that a calibration chose."""
    settings, opened = engine.get("settings"), engine.get("opened")
    chosen = dict(settings) if isinstance(settings, dict) else {}
    return {**chosen, "lanes": opened["lanes"]} if isinstance(opened, dict) and chosen else chosen


def _require_weights(first: Original, workspace: Workspace, model: LoadedModel) -> None:
    if not model.sha256:
        reason = f"{model.name} ran on another machine, whose weights nobody can compare from here."
        raise NotRecomputable(first.consultation, reason)
    try:
        here = workspace.weights.digest(model.name)
        workspace.weights.path(model.name)
    except ModelError as error:
        raise NotRecomputable(first.consultation, str(error)) from error
    if here != model.sha256:
        reason = f"{model.name} has the hash {here} here and {model.sha256} on the record; import the weights of then."
        raise NotRecomputable(first.consultation, reason)


def _resources(first: Original, workspace: Workspace) -> Resources:
    present = workspace.resources()
    thresholds = first.circumstances.thresholds or present.thresholds
    store = present.store
    if first.guidelines is not None:
        store = workspace.store.at(first.guidelines) if first.guidelines else None
    return replace(present, store=store, thresholds=thresholds, today=first.day)
