"""Co-reasoning traces as chat-format lines to train a student on, each with where it comes from.

A `trace` is asked as the systems `direct` and `rag` ask, and answered with the local argument, the fused chain and
the cited answer; `turns` are all turns of the agents as they were, for a student that plays their roles. Knows nothing
of any trainer.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from evaluation.conversation import conversation
from evaluation.duplicates import Seen
from evaluation.item import Item
from evaluation.run_folder import Run
from evaluation.scoring import Answered
from evaluation.trace import Trace, traced
from evaluation.trace_filters import Filter, first, in_language, right, supported
from models.chat_template import ChatMessage, Role
from transcripts.event import Body, EventKind
from transcripts.store import TranscriptStore
from transcripts.training import turns

Form = Literal["trace", "turns"]
Split = Literal["train", "validation"]
_ROLES: Mapping[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}


class Provenance(BaseModel):
    """Where a line comes from. `head` is the hash of the record's last event; `models` are hashes by role and name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    item: str
    system: str
    transcript: str
    head: str
    events: tuple[int, ...] = ()
    models: dict[str, str]
    guidelines: str


class Line(BaseModel):
    """One conversation; all lines of a `family` of questions are in one split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: Split
    task: str
    family: str
    language: str
    messages: tuple[ChatMessage, ...] = Field(min_length=2)
    provenance: Provenance


@dataclass(frozen=True)
class Rules:
    """How lines are made. `supported` is the least share of supported sentences, `alike` the similarity from which two
    are near duplicates, `validation` the share of families that is not trained on, `passages` how many are shown."""

    form: Form = "trace"
    supported: float = 1.0
    alike: float = 0.9
    validation: float = 0.1
    passages: int = 3
    seed: int = 7

    @property
    def filters(self) -> tuple[Filter, ...]:
        """What a trace has to pass."""
        return right, supported(self.supported), in_language


class Exported(NamedTuple):
    """The lines of `traces` answers, and how many answers or lines were left out for which reason."""

    lines: tuple[Line, ...]
    traces: int
    left_out: Mapping[str, int]


def export(runs: Sequence[Run], store: TranscriptStore, by: Body, rules: Rules) -> Exported:
    """The lines of all answers that pass. Every record that is used has an event that says so.

    Raises AccessDenied, TranscriptUnwritable, TranscriptUnreadable, LibraryMissing.
    """
    left_out: Counter[str] = Counter()
    kept = list(_kept(runs, store, rules, left_out))
    held_out = _held_out({family(trace.item) for trace in kept}, rules)
    seen, lines = Seen(rules.alike), []
    for trace in kept:
        made = [line for line in _lines(trace, held_out, rules) if _new(line, trace, seen, left_out)]
        if made:
            store.annotate(trace.prediction.transcript_id, EventKind.EXPORTED, {**by, "formats": ["distil"]})
        lines += made
    used = {line.provenance.transcript for line in lines}
    return Exported(tuple(lines), len(used), left_out)


def family(item: Item) -> str:
    """What names the questions that ask the same, in whatever language."""
    return f"{item.benchmark}/{item.family or item.id}"


def _kept(runs: Iterable[Run], store: TranscriptStore, rules: Rules, left_out: Counter[str]) -> Iterator[Trace]:
    for run in runs:
        items = {item.key: item for item in run.items}
        for prediction in run.predictions:
            item = items[f"{prediction.benchmark}/{prediction.language}/{prediction.id}"]
            found = traced(store, Answered(item, prediction))
            reason = found if isinstance(found, str) else first(rules.filters, found)
            if reason:
                left_out[reason] += 1
            elif isinstance(found, Trace):
                yield found


def _held_out(families: Iterable[str], rules: Rules) -> frozenset[str]:
    """The families to validate with: so many of them, at least one where there are two, chosen by the seed."""
    ranked = sorted(families, key=lambda name: hashlib.sha256(f"{rules.seed}\x1f{name}".encode()).digest())
    wanted = max(1, round(rules.validation * len(ranked))) if rules.validation and len(ranked) > 1 else 0
    return frozenset(ranked[:wanted])


def _new(line: Line, trace: Trace, seen: Seen, left_out: Counter[str]) -> bool:
    # The passages would make two questions alike that only share them.
    asked = trace.item.text if line.task == "trace" else line.messages[-2].content
    likeness = seen.again(f"{line.task}\n{asked}\n{line.messages[-1].content}")
    if likeness:
        left_out[likeness] += 1
    return not likeness


def _lines(trace: Trace, held_out: frozenset[str], rules: Rules) -> Iterator[Line]:
    own = family(trace.item)
    split: Split = "validation" if own in held_out else "train"
    for task, messages, events in _conversations(trace, rules):
        yield Line(
            split=split,
            task=task,
            family=own,
            language=trace.item.language,
            messages=tuple(messages),
            provenance=_provenance(trace, tuple(events)),
        )


def _conversations(trace: Trace, rules: Rules) -> Iterator[tuple[str, list[ChatMessage], Sequence[int]]]:
    if rules.form == "trace":
        yield "trace", conversation(trace, rules.passages), ()
        return
    for turn in turns(trace.events):
        yield turn.task, [ChatMessage(role=_ROLES[m["role"]], content=m["content"]) for m in turn.messages], turn.events


def _provenance(trace: Trace, events: tuple[int, ...]) -> Provenance:
    return Provenance(
        item=trace.item.key,
        system=trace.prediction.system,
        transcript=trace.prediction.transcript_id,
        head=trace.head,
        events=events,
        models={f"{model.role} {model.name}": model.sha256 for model in trace.circumstances.models},
        guidelines=trace.circumstances.guidelines or "",
    )
