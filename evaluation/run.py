"""A run at work: every item before every system, several at once, each prediction kept as it comes.

As many items are at work as keep the engine's sequences busy. Whatever ends it, the run goes on from there. Knows
nothing of screens, benchmarks' files or scores.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from agents import marks
from agents.conclusions import positions
from agents.consultation import prepare
from agents.errors import CaseError
from agents.messages import Case, Usage
from agents.team import Resources
from agents.workspace import ROLES, Workspace
from evaluation.draw import Shown, shuffled
from evaluation.energy import Energy
from evaluation.item import Item, Prediction
from evaluation.plan import Plan
from evaluation.run_folder import Activity, Run
from evaluation.system import Answered, Sitting, System
from evaluation.systems import chosen
from knowledge.errors import KnowledgeError
from models.engine import Engine
from models.errors import ModelError

REMOTE_AT_ONCE = 8
# A case uses up to two seats and now and then none, while passages are searched and the record is written.
_CASES_A_SEAT = 2

Work = tuple[Shown, System]


class Meter:
    """Counts how much of the engines' seats is in use, from now on."""

    def __init__(self, engines: tuple[Engine, ...]) -> None:
        self._engines, self._session = engines, datetime.now(UTC).isoformat()
        self._begun, self._before = time.perf_counter(), self._in_use
        self._energy = Energy()

    @property
    def _in_use(self) -> float:
        return sum(engine.seat_seconds for engine in self._engines)

    @property
    def seats(self) -> int:
        """Texts at once; 0 where the models run elsewhere."""
        return sum(engine.seats for engine in self._engines)

    def activity(self) -> Activity:
        """Until now."""
        seconds = time.perf_counter() - self._begun
        in_use = self._in_use - self._before
        joules = self._energy.joules()
        return Activity(session=self._session, seconds=seconds, seats=self.seats, in_use=in_use, joules=joules)


def left(run: Run) -> tuple[Work, ...]:
    """What has no prediction yet: each item before all systems, one after the other."""
    return tuple(
        (shown, system)
        for shown in shuffled(run.items, run.plan.choice.seed)
        for system in chosen(run.plan.choice.systems)
        if _key(run.plan, shown.item, system) not in run.predictions
    )


def _key(plan: Plan, item: Item, system: System) -> str:
    return f"{system.name}/{plan.model}/{item.key}"


def engines(workspace: Workspace) -> tuple[Engine, ...]:
    """The engines of this machine that play a role."""
    names = dict.fromkeys(workspace.model(role) for role in ROLES)
    return tuple(workspace.engine(name) for name in names if name not in workspace.settings.remote)


def at_once(workspace: Workspace, seats: int) -> int:
    """How many cases are at work: enough to keep the seats busy, and not so many that the engine refuses one."""
    if not seats:
        return REMOTE_AT_ONCE
    room = min(workspace.settings.engine_of(workspace.model(role)).queue_length for role in ROLES)
    return max(1, min(_CASES_A_SEAT * seats, (seats + room) // 2))


async def carry_on(run: Run, workspace: Workspace, on_prediction: Callable[[Prediction], None]) -> None:
    """Work on all that is left. The models are open. Raises TranscriptError, and CancelledError when it is stopped."""
    work, meter = iter(left(run)), Meter(engines(workspace))
    present = workspace.resources()
    resources = replace(present, settings=run.plan.team, today=run.plan.day)

    async def desk() -> None:
        for shown, system in work:
            prediction = await predict(shown, system, resources, workspace, run.plan)
            run.predictions.add(prediction)
            run.note(meter.activity())
            on_prediction(prediction)

    with marks.given(run.plan.mark):
        await together([asyncio.create_task(desk()) for _ in range(at_once(workspace, meter.seats))])


async def together(tasks: list[asyncio.Task[None]]) -> None:
    """Wait for all; when one fails, or this is cancelled, stop the others and wait until they have stopped."""
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def predict(shown: Shown, system: System, resources: Resources, workspace: Workspace, plan: Plan) -> Prediction:
    """What a system answers, on a record of its own; what keeps it from answering is its reason.

    A RuntimeError is what AutoGen makes of a mistake in an agent: one case is lost by it, not the run. Raises
    TranscriptError.
    """
    begun, consultation, spent = time.perf_counter(), "", list[Usage]()
    arranged = system.arranged(resources)
    try:
        case = case_of(shown)
        with workspace.recorded(arranged, evaluated=_key(plan, shown.item, system)) as recorder:
            consultation = recorder.consultation_id
            sitting = Sitting(shown.item, case, arranged, recorder, spent=spent)
            answered = await system.answer(sitting)
            seconds = sitting.clock()
            recorder.at_the_end({"seconds": seconds, "usage": answered.usage.model_dump(mode="json")})
    except (CaseError, KnowledgeError, ModelError, RuntimeError) as error:
        answered = Answered(status="failed", reason=str(error), usage=sum(spent, Usage()))
        seconds = time.perf_counter() - begun
    return _prediction(shown, system, answered, plan, seconds, consultation)


def case_of(shown: Shown) -> Case:
    """The item as it is argued: its options as they are shown. Raises CaseError."""
    item = shown.item
    return prepare(
        item.text,
        spoken=item.language,
        english=item.english,
        options=shown.options,
        english_options=shown.english_options,
        several=item.task == "choices",
        hypothesis=item.hypothesis,
        english_hypothesis=item.english_hypothesis,
    )


def _prediction(
    shown: Shown, system: System, answered: Answered, plan: Plan, seconds: float, consultation: str
) -> Prediction:
    item = shown.item
    conclusion = answered.conclusion if answered.status == "answered" else ""
    chosen, label = _own(shown, conclusion)
    leaning, leaning_label = _own(shown, answered.leaning)
    said = answered.model_dump(exclude={"conclusion", "leaning"})
    found = {"chosen": chosen, "label": label, "leaning": leaning, "leaning_label": leaning_label, **said}
    asked = {"benchmark": item.benchmark, "id": item.id, "language": item.language, "system": system.name}
    circumstances = {"model": plan.model, "seed": plan.choice.seed, "seconds": seconds, "transcript_id": consultation}
    return Prediction.model_validate({**asked, **circumstances, **found})


def _own(shown: Shown, conclusion: str) -> tuple[tuple[int, ...], str | None]:
    """A conclusion as the item's own options, or as a label."""
    chosen = shown.own(positions(conclusion)) if shown.item.options else ()
    return chosen, conclusion or None if shown.item.task == "entailment" else None
