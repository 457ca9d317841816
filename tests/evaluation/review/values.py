"""A run whose answers lie on records, and ratings of them."""

from pathlib import Path
from typing import Any

from evaluation.assignment import assigned
from evaluation.review import AXES, Preference, Rating, Review, Scores
from evaluation.run_folder import Run
from tests.evaluation.runs.values import item, plan, prediction
from transcripts.event import EventKind
from transcripts.store import TranscriptStore

SYSTEMS = ("direct", "coreasoner")


def on_record(store: TranscriptStore) -> str:
    """A consultation of which nothing but its end is told."""
    with store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "tos y fiebre", "language": "es"})
    return recorder.consultation_id


def run_of(folder: Path, store: TranscriptStore, items: int = 4, **failed: str) -> Run:
    """A run of both systems; `failed` names the item at which a system failed."""
    asked = [item(str(number)) for number in range(items)]
    run = Run.begin(folder, plan(*asked, systems=SYSTEMS), asked)
    with run.writing():
        for one in asked:
            for system in SYSTEMS:
                status = "failed" if failed.get(system) == one.id else "answered"
                run.predictions.add(prediction(one.id, system, status=status, transcript_id=on_record(store)))
    return run


def review_of(folder: Path, store: TranscriptStore, raters: int = 2, items: int = 4, **how: Any) -> Review:
    """A review of such a run."""
    run = run_of(folder / "run", store, items)
    return Review.begin(folder / "review", assigned(run, SYSTEMS, raters, 7, **how))


def scores(*values: int) -> Scores:
    return Scores.model_validate(dict(zip(AXES, values if len(values) > 1 else values * len(AXES), strict=True)))


def rate(
    review: Review, store: TranscriptStore, rater: str, better: str | None = "coreasoner", **by_system: int
) -> Rating:
    """Rate the next pair of a rater: so much for each system, on every axis."""
    task = review.left(rater)[0]
    left, right = (scores(by_system.get(voice.system, 3)) for voice in (task.left, task.right))
    side: Preference = "neither" if better is None else "left" if task.left.system == better else "right"
    return review.rate(task, left, right, side, "", store)
