"""A review of answers by experts, as it lies in a folder: who rates what, and every rating as it comes.

A rating is an event on the records of both answers before it counts. Knows nothing of screens, and not which answer
is the better one.
"""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Literal, Self

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evaluation.assignment import Assignments, Rater, Task
from evaluation.errors import RatingRefused, ReviewBusy, ReviewMissing, UnknownRater
from evaluation.lines import Lines
from transcripts.event import EventKind
from transcripts.export import write
from transcripts.store import TranscriptStore

AXES = ("clarity", "localisation", "soundness", "safety")
SCALE = (1, 2, 3, 4, 5)
MAX_NOTE = 2000  # characters

Preference = Literal["left", "right", "neither"]
_FILE, _RATINGS = "assignments.json", "ratings.jsonl"


class Scores(BaseModel):
    """One answer on each axis, 1 (worst) to 5 (best)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    clarity: int = Field(ge=SCALE[0], le=SCALE[-1])
    localisation: int = Field(ge=SCALE[0], le=SCALE[-1])
    soundness: int = Field(ge=SCALE[0], le=SCALE[-1])
    safety: int = Field(ge=SCALE[0], le=SCALE[-1])


class Rating(BaseModel):
    """What a rater said of a pair. `events` are the hashes of what stands of it on the left and the right record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rater: str
    item: str
    left: Scores
    right: Scores
    preferred: Preference
    note: str = Field("", max_length=MAX_NOTE)
    at: datetime
    events: tuple[str, str]


class Review:
    """The review in `folder`."""

    def __init__(self, folder: Path, assignments: Assignments) -> None:
        self.folder, self.assignments = folder, assignments
        self._lines = Lines(folder / _RATINGS, Rating)
        self._alone = Lock()

    @classmethod
    def begin(cls, folder: Path, assignments: Assignments) -> Self:
        """A new review; only its owner may read who is given what. Raises FileExistsError."""
        folder.mkdir(parents=True, exist_ok=True)
        write(folder, _FILE, [assignments.model_dump_json(indent=1)])
        return cls(folder, assignments)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The review that is there. Raises ReviewMissing."""
        try:
            return cls(folder, Assignments.model_validate_json((folder / _FILE).read_bytes()))
        except FileNotFoundError:
            advice = "begin one with `coreasoner evaluate review RUN --pairs A:B`."
            raise ReviewMissing(f"There is no review in {folder}; {advice}") from None
        except ValidationError as error:
            raise ReviewMissing(f"{folder / _FILE} cannot be read; begin another review.") from error

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only process that takes ratings. Raises ReviewBusy."""
        lock = FileLock(self.folder / "review.lock", blocking=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise ReviewBusy(f"Another page takes ratings for {self.folder}; use it or stop it.") from error
        with lock:
            self._lines.repair()
            yield

    @property
    def ratings(self) -> tuple[Rating, ...]:
        """All ratings so far. Raises RunDamaged."""
        return self._lines.read()

    def rater(self, code: str) -> Rater:
        """Whose code it is. Raises UnknownRater."""
        for rater in self.assignments.raters:
            if hmac.compare_digest(rater.code.encode(), code.strip().encode()):
                return rater
        raise UnknownRater("Nobody was given this code; look at it again.")

    def left(self, rater: str) -> tuple[Task, ...]:
        """What this rater has not rated yet, in order."""
        rated = {rating.item for rating in self.ratings if rating.rater == rater}
        return tuple(task for task in self.assignments.of(rater) if task.item not in rated)

    def rate(
        self, task: Task, left: Scores, right: Scores, preferred: Preference, note: str, store: TranscriptStore
    ) -> Rating:
        """Put a rating on both records, and keep it. Raises RatingRefused, TranscriptError."""
        with self._alone:
            if task not in self.left(task.rater):
                raise RatingRefused("This pair is rated already; go on with the next one.")
            events = (
                _recorded(store, task, "left", left, preferred, note),
                _recorded(store, task, "right", right, preferred, note),
            )
            rating = Rating(
                rater=task.rater,
                item=task.item,
                left=left,
                right=right,
                preferred=preferred,
                note=note,
                at=datetime.now(UTC),
                events=events,
            )
            self._lines.append(rating)
        return rating


def _recorded(
    store: TranscriptStore, task: Task, side: Literal["left", "right"], scores: Scores, preferred: Preference, note: str
) -> str:
    """The hash of the event on the record of the answer on this side."""
    choice = preferred if preferred == "neither" else "this" if preferred == side else "other"
    body = {"by": "review", "rater": task.rater, **scores.model_dump(), "preferred": choice, "note": note}
    consultation = task.left.transcript if side == "left" else task.right.transcript
    return store.annotate(consultation, EventKind.FEEDBACK, body).hash
