"""A run's folder: plan, items that were drawn, predictions, judgements, how busy the engine was; and who writes it.

Everything that a report needs lies in it. The benchmark's own files are read to begin one, or to draw the items again
where they were taken out because they may not be handed on. Knows nothing of models.
"""

import os
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import tomlkit
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from evaluation.errors import RunBusy, RunDamaged, RunDiffers, RunMissing
from evaluation.item import Item
from evaluation.judge import Judgement
from evaluation.lines import Lines, synced
from evaluation.plan import Choice, Plan, digest
from evaluation.predictions import Predictions

PLAN = "run.toml"
_ITEMS = "items.jsonl"


class Activity(BaseModel):
    """How busy the engine was in one session of a run until now: `seats` of them for `seconds`, in use `in_use` all
    added up. `session` counts the program's starts by the time of each. `joules` are what the processors used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: str
    seconds: float
    seats: int
    in_use: float
    joules: float | None = None


class Run:
    """A run as it lies in `folder`."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder, self.plan = folder, plan
        self.items = Lines(folder / _ITEMS, Item).read()
        self.predictions = Predictions(folder)
        self._activity = Lines(folder / "activity.jsonl", Activity)
        self._judgements = Lines(folder / "judgements.jsonl", Judgement)

    @classmethod
    def open(cls, folder: Path, draw: Callable[[Choice], Sequence[Item]] | None = None) -> Self:
        """The run that is there; items that are not there are drawn again with `draw`.

        Raises RunMissing, RunDamaged, and what `draw` raises.
        """
        file = folder / PLAN
        if not file.is_file():
            raise RunMissing(f"There is no run in {folder}; begin one with `coreasoner evaluate run --data FOLDER`.")
        try:
            plan = Plan.model_validate(tomllib.loads(file.read_text("utf-8")))
        except (ValidationError, tomllib.TOMLDecodeError) as error:
            raise RunDamaged(f"{file} cannot be read; begin another run, or use the version that wrote it.") from error
        items = Lines(folder / _ITEMS, Item)
        if draw is None and not items.path.exists():
            raise RunDamaged(f"There is no {_ITEMS} in {folder}; draw it: `coreasoner evaluate run --data FOLDER`.")
        if draw and digest(items.read()) != plan.items and digest(again := draw(plan.choice)) == plan.items:
            items.path.unlink(missing_ok=True)
            items.extend(again)
        run = cls(folder, plan)
        if digest(run.items) != plan.items:
            raise RunDamaged(f"The items in {folder} are not those that were drawn; begin another run.")
        return run

    @classmethod
    def begin(cls, folder: Path, plan: Plan, items: Sequence[Item]) -> Self:
        """A new run. The plan is written last, so that a folder with a plan has everything. Raises RunDiffers."""
        if (folder / PLAN).exists():
            raise RunDiffers(f"There is a run in {folder} already; name another folder.")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _ITEMS).unlink(missing_ok=True)
        Lines(folder / _ITEMS, Item).extend(items)
        unfinished = folder / f"{PLAN}.new"
        unfinished.write_text(tomlkit.dumps(plan.model_dump(mode="json", exclude_none=True)), "utf-8")
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(folder / PLAN)
        synced(folder)
        return cls(folder, plan)

    def require(self, plan: Plan) -> None:
        """That the run was begun with the same. Raises RunDiffers."""
        if differences := list(self.plan.differences(plan)):
            raise RunDiffers(
                f"The run in {self.folder} was begun with something else: {'; '.join(differences)}. "
                "Set it as it was, or name another folder."
            )

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only one who writes; what was cut off is repaired. Raises RunBusy."""
        lock = FileLock(self.folder / "run.lock", blocking=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise RunBusy(f"Another process is writing the run in {self.folder}; wait for it or stop it.") from error
        with lock:
            # Another process may have written between the reading and the lock.
            self.predictions = Predictions(self.folder)
            self.predictions.repair()
            self._activity.repair()
            self._judgements.repair()
            yield

    def note(self, activity: Activity) -> None:
        """Keep how busy the engine was in this session until now."""
        self._activity.append(activity)

    def keep(self, judgement: Judgement) -> None:
        """Keep what a judge says; of an answer that it judges again the last word counts."""
        self._judgements.append(judgement)

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """The last word of each judge on each answer."""
        return tuple({(one.judge, one.system, one.item): one for one in self._judgements.read()}.values())

    @property
    def sessions(self) -> tuple[Activity, ...]:
        """The last word of each session."""
        return tuple({activity.session: activity for activity in self._activity.read()}.values())

    @property
    def busy(self) -> float | None:
        """The share of seat-seconds in use over all sessions; None where no engine of this machine worked."""
        had = sum(session.seats * session.seconds for session in self.sessions)
        return sum(session.in_use for session in self.sessions) / had if had else None

    @property
    def joules(self) -> float | None:
        """What the processors used over all sessions; None where the machine did not tell in each."""
        told = [session.joules for session in self.sessions]
        known = [joules for joules in told if joules is not None]
        return sum(known) if known and len(known) == len(told) else None
