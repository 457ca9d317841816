"""A consultation told again from its record: the values that the live page was shown, when it was shown them.

Their tokens and times are told as far as they are recorded: of each rebuttal, of the answer, and tokens of the whole.
Reads events of every version; one whose values it cannot read is shown as nothing and stays on the record. Knows
nothing of screens.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from agents.consultation import Chunk, Outcome, Progress
from agents.dispute import latest, remaining
from agents.messages import (
    Alarm,
    Alignment,
    Answer,
    Argument,
    Case,
    ConceptChain,
    Disagreement,
    Evidence,
    FusedChain,
    Message,
    Reasoning,
    Rebuttal,
    Side,
    Usage,
)
from transcripts.consultation import Status
from transcripts.event import Event, EventKind
from transcripts.replay import moments

_SIDES: Mapping[str, Side] = {"EnglishReasoner": "english", "LocalClinician": "local"}
_Value = TypeVar("_Value", bound=BaseModel)


class Ended(Message):
    """How a consultation ended before its answer: `reason` is what went wrong, empty where somebody stopped it."""

    reason: str = ""


class Shown(NamedTuple):
    """What was shown `offset` seconds after the first event, out of event `seq`: perhaps nothing but that event."""

    offset: float
    seq: int
    progress: Progress | Ended | None


def told(events: Iterable[Event]) -> list[Shown]:
    """Everything by time. Raises TranscriptAltered for a stream event that no recorder wrote."""
    read = tuple(events)
    values = _values(read)
    by_seq = {event.seq: event for event in read}
    shown: list[Shown] = []
    for moment in moments(read):
        if moment.stream is not None:
            phase = str(by_seq[moment.seq].body.get("role") or "")
            chunk = Chunk(agent=moment.agent, phase=phase, text=moment.text)
            shown.append(Shown(moment.offset, moment.seq, chunk))
            continue
        happened = values.get(moment.seq) or [None]
        shown += [Shown(moment.offset, moment.seq, progress) for progress in happened]
    return shown


def case_of(events: Iterable[Event]) -> Case | None:
    """The case, if it is on the record."""
    found = (event for event in events if event.kind is EventKind.CASE)
    return next((_read(Case, event) for event in found), None)


def _values(events: Sequence[Event]) -> dict[int, list[Progress | Ended | None]]:
    """What each event showed."""
    gathered = _Gathered(events)
    values: dict[int, list[Progress | Ended | None]] = {}
    for event in events:
        if progress := gathered.take(event):
            at = gathered.shown_at(event, progress)
            values.setdefault(at, []).append(progress)
        if isinstance(progress, Rebuttal) and (again := gathered.aligned_again()):
            values[event.seq].append(again)
    return values


class _Gathered:
    """What was read so far."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._consultation = events[0].consultation if events else ""
        self._case = case_of(events)
        self._began = events[0].time if events else None
        self._reasonings: dict[Side, Reasoning] = {}
        self._arguments: dict[Side, Argument] = {}
        self._spoke: dict[Side, int] = {}
        self._alarm: Alarm | None = None
        self._fused: FusedChain | None = None
        self._disagreement: Disagreement | None = None
        self._alignment: Alignment | None = None
        self._answer: Answer | None = None
        self._rebuttals: list[Rebuttal] = []

    def take(self, event: Event) -> Progress | Ended | None:
        """What the page was shown because of this event."""
        takers: dict[EventKind, Callable[[Event], Progress | Ended | None]] = {
            EventKind.RED_FLAG: self._alarmed,
            EventKind.MODEL: self._spoken,
            EventKind.REASONING: self._reasoned,
            EventKind.CHAIN: self._argued,
            EventKind.FUSION: self._fuse,
            EventKind.RETRIEVAL: self._aligned,
            EventKind.REBUTTAL: self._rebutted,
            EventKind.ANSWER: self._answered,
            EventKind.ERROR: _failed,
            EventKind.CANCELLED: lambda _: Ended(),
            EventKind.FINISHED: self._outcome,
        }
        taken = takers.get(event.kind)
        return taken(event) if taken else None

    def shown_at(self, event: Event, progress: Progress | Ended) -> int:
        """The event at which something was shown: an argument when its side had spoken, before it was recorded."""
        if isinstance(progress, Argument):
            return self._spoke.get(progress.reasoning.side, event.seq)
        return event.seq

    def _alarmed(self, event: Event) -> Alarm | None:
        self._alarm = _read(Alarm, event)
        return self._alarm

    def _spoken(self, event: Event) -> None:
        if side := _SIDES.get(str(event.body.get("agent"))):
            self._spoke[side] = event.seq

    def _reasoned(self, event: Event) -> None:
        if reasoning := _read(Reasoning, event):
            self._reasonings[reasoning.side] = reasoning

    def _answered(self, event: Event) -> Answer | None:
        self._answer = _read(Answer, event)
        return self._answer

    def _argued(self, event: Event) -> Argument | None:
        chain = _read(ConceptChain, event)
        if chain is None or chain.side not in self._reasonings:
            return None
        argument = Argument(reasoning=self._reasonings[chain.side], chain=chain, usage=Usage(), spans=())
        again = chain.side in self._arguments
        self._arguments[chain.side] = argument
        return None if again else argument  # what a side came to in a rebuttal is shown with that

    def _fuse(self, event: Event) -> None:
        body = {name: value for name, value in event.body.items() if name != "disagreement"}
        self._fused = _read(FusedChain, event.model_copy(update={"body": body}))
        differing = event.body.get("disagreement")
        found = event.model_copy(update={"body": differing}) if isinstance(differing, dict) else None
        self._disagreement = _read(Disagreement, found) if found else None

    def _aligned(self, event: Event) -> Alignment | None:
        evidence = _read(Evidence, event)
        if evidence is None or self._fused is None:
            return None
        aligned = Alignment(fused=self._fused, evidence=evidence, disagreement=self._disagreement, spans=())
        self._alignment = self._answered_so_far(aligned)
        return self._alignment

    def _answered_so_far(self, aligned: Alignment) -> Alignment:
        """An alignment with what the sides had said to each other by then, and what remained in dispute."""
        language = self._case.language if self._case else "en"
        left = remaining(aligned.disagreement, latest(self._rebuttals), language)
        return aligned.model_copy(update={"disagreement": left, "rebuttals": tuple(self._rebuttals)})

    def _rebutted(self, event: Event) -> Rebuttal | None:
        rebuttal = _read(Rebuttal, event)
        if rebuttal:
            self._rebuttals.append(rebuttal)
        return rebuttal

    def aligned_again(self) -> Alignment | None:
        """What was shown once both sides had answered each other and neither had moved: nothing new was recorded."""
        last = latest(self._rebuttals)
        moved = any(rebuttal.decision == "revise" for rebuttal in last)
        if self._alignment is None or len(last) < len(_SIDES) or moved:
            return None
        self._alignment = self._answered_so_far(self._alignment)
        return self._alignment

    def _outcome(self, event: Event) -> Outcome | None:
        english, local = self._arguments.get("english"), self._arguments.get("local")
        if event.body.get("status") != Status.FINISHED or not (self._case and english and local):
            return None
        if self._alignment is None or self._answer is None:
            return None
        seconds, began = event.body.get("seconds"), self._began or event.time
        return Outcome(
            transcript_id=self._consultation,
            case=self._case,
            english=english,
            local=local,
            alignment=self._alignment,
            answer=self._answer,
            spans=(),
            usage=_usage(event),
            # Versions that did not record how long it took showed what the events' own times come to.
            seconds=seconds if isinstance(seconds, int | float) else (event.time - began).total_seconds(),
            red_flags=self._alarm,
        )


def _failed(event: Event) -> Ended | None:
    """What ended the case; that one agent failed is told by the agent's own value."""
    return None if event.body.get("agent") else Ended(reason=str(event.body.get("message") or ""))


def _usage(event: Event) -> Usage:
    """The tokens of a whole case; none where an older version did not record them."""
    recorded = event.body.get("usage")
    found = _read(Usage, event.model_copy(update={"body": recorded})) if isinstance(recorded, dict) else None
    return found or Usage()


def _read(kind: type[_Value], event: Event) -> _Value | None:
    try:
        return kind.model_validate(event.body)
    except ValidationError:
        return None
