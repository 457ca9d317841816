"""A co-reasoned answer as its record tells it: the item, what was predicted, what was said, and what proves it.

Only the record of that very answer counts: a run that names a patient's consultation gets none. Knows nothing of what
a trace is used for.
"""

from typing import NamedTuple

from pydantic import ValidationError

from agents.consultation import Outcome
from agents.machine import Circumstances
from agents.retold import told
from evaluation.item import Item, Prediction
from evaluation.scoring import Answered
from transcripts.errors import CheckpointAltered, ContentErased, TranscriptAltered, TranscriptMissing
from transcripts.event import Event, EventKind
from transcripts.store import TranscriptStore


class Trace(NamedTuple):
    """`head` is the hash of the record's last event when it was read; `events` are all of it."""

    item: Item
    prediction: Prediction
    outcome: Outcome
    circumstances: Circumstances
    events: tuple[Event, ...]
    head: str

    @property
    def pair(self) -> Answered:
        """The item and the prediction."""
        return Answered(self.item, self.prediction)


def traced(store: TranscriptStore, pair: Answered) -> Trace | str:
    """The trace of an answer, or why there is none. Raises AccessDenied, TranscriptUnreadable."""
    item, prediction = pair
    if prediction.status != "answered":
        return prediction.status
    try:
        events, head = _exported(store, prediction.transcript_id)
        outcome = next((shown.progress for shown in told(events) if isinstance(shown.progress, Outcome)), None)
    except (TranscriptMissing, ContentErased):
        return "no record"
    except (TranscriptAltered, CheckpointAltered):
        return "altered record"
    circumstances = _circumstances(events)
    if circumstances is None or circumstances.evaluated != prediction.key:
        return "record of something else"
    if outcome is None:
        return "no co-reasoning"
    return Trace(item, prediction, outcome, circumstances, events, head)


def _exported(store: TranscriptStore, consultation: str) -> tuple[tuple[Event, ...], str]:
    next(store.export(consultation))  # whoever may not export it, or whose content is gone, is told here
    head = store.verify(consultation).head
    return tuple(store.events(consultation)), head


def _circumstances(events: tuple[Event, ...]) -> Circumstances | None:
    said = next((event.body for event in events if event.kind is EventKind.MODEL), None)
    try:
        return Circumstances.model_validate(said) if said else None
    except ValidationError:
        return None
