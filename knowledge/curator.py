"""What a curator sees and does: the marked passages with their state, and decisions about them.

It writes decisions into the store and knows no screen.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from knowledge.curation import Curation, Decision, Decisions, Verdict
from knowledge.durable import write_whole
from knowledge.errors import DecisionRefused, ExportRefused, KnowledgeBaseDamaged
from knowledge.mark_list import Mark, Subject
from knowledge.passage import Passage
from knowledge.scanner import Suspicion
from knowledge.store import KnowledgeStore

State = Literal["waiting", "approved", "refused"]


class Reviewed(BaseModel):
    """A marked passage, why it is marked, and what was decided: `decision` is None while it waits for a curator."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passage: Passage
    mark: Mark
    decision: Decision | None

    @property
    def state(self) -> State:
        """`waiting` and `refused` passages are withheld."""
        return self.decision.verdict if self.decision else "waiting"

    @property
    def marked_words(self) -> tuple[tuple[Suspicion, str], ...]:
        """Each suspicion with the words that it is about."""
        places = ((self.mark.in_text, self.passage.text), (self.mark.in_heading, self.mark.heading))
        return tuple((one, text[one.start : one.end]) for suspicions, text in places for one in suspicions)


def review(store: KnowledgeStore) -> tuple[Reviewed, ...]:
    """Every marked passage of the version that is read, by pack and place. Raises KnowledgeError."""
    curation = store.curation
    packs = dict.fromkeys(pack for pack, _ in curation.marks)
    found = ((passage, curation.marks.get((pack, passage.id))) for pack in packs for passage in store.passages(pack))
    return tuple(
        Reviewed(passage=passage, mark=mark, decision=curation.decisions.last(mark.subject))
        for passage, mark in found
        if mark
    )


def decide(
    store: KnowledgeStore, ids: Iterable[str], verdict: Verdict, *, by: str, note: str, now: datetime
) -> tuple[Decision, ...]:
    """Approve or refuse passages, as one new version; any passage can be refused, what is withheld can be approved.

    Raises NotInKnowledgeBase for an unknown id, DecisionRefused, StoreUnwritable; then nothing was decided.
    """
    decisions = tuple(
        _valid(
            {
                "verdict": verdict,
                "text": subject[0],
                "heading": subject[1],
                "by": by,
                "note": note,
                "time": now,
                "pack": passage.pack,
                "passage": passage.id,
                "rules": rules,
            }
        )
        for passage in map(store.passage, dict.fromkeys(ids))
        for subject, rules in _subjects(store.curation, passage, verdict)
    )
    store.decide(decisions, f"{verdict} {len(decisions)} marked passages, by {decisions[0].by}")
    return decisions


def _valid(values: Mapping[str, object]) -> Decision:
    try:
        return Decision.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        said = {"by": "nobody is named who decides, so say who with --by NAME"}.get(str(problem["loc"][0]))
        raise DecisionRefused(said or f"{problem['loc'][0]}: {problem['msg']}") from error


def _subjects(curation: Curation, passage: Passage, verdict: Verdict) -> Iterator[tuple[Subject, tuple[str, ...]]]:
    """What is decided about where a passage is decided about: it may stand in several packs, under other headings."""
    marks = [mark for (_, identifier), mark in curation.marks.items() if identifier == passage.id]
    if not marks and verdict == "approved" and not curation.withholds(passage):
        raise DecisionRefused(f"{passage.id} is not withheld, so there is nothing to approve")
    yield from {mark.subject: mark.rules for mark in marks}.items() if marks else [((passage.sha256, ""), ())]


def write_decisions(store: KnowledgeStore, file: Path) -> int:
    """Write all decisions into a new file, to be taken over elsewhere; returns how many. Raises ExportRefused."""
    if file.exists():
        raise ExportRefused(str(file))
    decisions = store.curation.decisions
    write_whole(file, [decisions.written()])
    return len(decisions.all)


def take_over(store: KnowledgeStore, file: Path, *, by: str, now: datetime) -> tuple[Decision, ...]:
    """Make the last decisions of a file one's own, but those that are in force here already.

    Whoever takes them over answers for them: the former curator is named in the note. Raises DecisionRefused where
    the file holds none, StoreUnwritable.
    """
    try:
        offered = Decisions.read(file.read_bytes())
    except (OSError, KnowledgeBaseDamaged, UnicodeDecodeError) as error:
        raise DecisionRefused(f"{file.name} can't be read as a list of decisions") from error
    known = store.curation.decisions
    taken = tuple(_own(decision, by, now) for decision in _news(offered, known))
    if taken:
        store.decide(taken, f"took over {len(taken)} decisions, by {taken[0].by}")
    return taken


def _news(offered: Decisions, known: Decisions) -> Sequence[Decision]:
    last = {decision.subject: decision for decision in offered.all}
    here = {subject: known.last(subject) for subject in last}
    return [one for subject, one in last.items() if not (own := here[subject]) or own.verdict != one.verdict]


def _own(decision: Decision, by: str, now: datetime) -> Decision:
    origin = f"taken over from {decision.by}, {decision.time.date()}"
    note = f"{origin}: {decision.note}" if decision.note else origin
    return _valid({**decision.model_dump(), "by": by, "note": note[:1000], "time": now})
