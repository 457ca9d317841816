"""Two runs of one case: identical where the same was said, else the first event and token that differ."""

from collections.abc import Sequence

from pydantic import JsonValue

from transcripts.compare import Difference, compare
from transcripts.event import Body, EventKind
from transcripts.store import TranscriptStore

MACHINE: Body = {"versions": {"torch": "2.13"}, "machine": {"processors": 2}}
ENGLISH = ("Think ", "of ", "infarction", ".")
LOCAL = ("急性", "心筋", "梗塞")


def run(
    store: TranscriptStore,
    english: Sequence[str] = ENGLISH,
    *,
    local_first: bool = False,
    machine: Body = MACHINE,
    concepts: tuple[str, ...] = ("infarction", "ecg"),
    answer: str | None = "aspirin",
) -> str:
    """Record a case in which both sides speak, in either order."""
    with store.begin() as recorder:
        recorder.record(EventKind.MODEL, machine)
        recorder.record(EventKind.CASE, {"text": "胸痛"})
        for agent, said in [("english", english), ("local", LOCAL)][:: -1 if local_first else 1]:
            options: dict[str, JsonValue] = {"conversation": recorder.consultation_id, "seed": 7}
            recorder.record(EventKind.PROMPT, {"agent": agent, "messages": ["argue"], "options": options})
            with recorder.stream(agent, "argue") as stream:
                for token in said:
                    stream.add(token)
        recorder.record(EventKind.FUSION, {"concepts": [{"name": name} for name in concepts]})
        if answer is not None:
            recorder.record(EventKind.ANSWER, {"text": answer, "spans": [{"start": id(recorder)}]})
    return recorder.consultation_id


def difference(store: TranscriptStore, left: str, right: str) -> Difference | None:
    return compare(store.events(left), store.events(right)).difference


def test_runs_that_differ_in_times_and_ids_alone_are_identical(store: TranscriptStore) -> None:
    assert compare(store.events(run(store)), store.events(run(store))) == (None, ())


def test_agents_that_took_turns_otherwise_said_the_same(store: TranscriptStore) -> None:
    assert difference(store, run(store), run(store, local_first=True)) is None


def test_a_later_view_is_no_difference(store: TranscriptStore) -> None:
    left, right = run(store), run(store)
    store.annotate(left, EventKind.VIEWED, {"by": "auditor"})

    assert difference(store, left, right) is None


def test_the_first_word_that_differs_is_named(store: TranscriptStore) -> None:
    left = run(store)
    right = run(store, ("Think ", "of ", "reflux", "."), answer="antacid")

    assert difference(store, left, right) == ("stream english argue", 3, 3, "character 9", "infarction.", "reflux.")


def test_a_stream_that_goes_on_longer_differs_where_the_other_ends(store: TranscriptStore) -> None:
    found = difference(store, run(store), run(store, (*ENGLISH, " Or")))

    assert found is not None
    assert (found.place, found.left, found.right) == ("character 20", "infarction.", "infarction. Or")


def test_a_value_that_differs_is_named_by_its_place(store: TranscriptStore) -> None:
    found = difference(store, run(store), run(store, concepts=("infarction", "troponin")))

    assert found is not None
    assert (found.what, found.place, found.left, found.right) == ("fusion", "concepts.1.name", "ecg", "troponin")


def test_an_event_that_one_side_lacks_is_named(store: TranscriptStore) -> None:
    found = difference(store, run(store), run(store, answer=None))

    assert found is not None
    assert (found.what, found.left_seq, found.right_seq, found.left) == ("answer", 7, None, "it is there")


def test_other_conditions_are_told_and_are_no_difference_by_themselves(store: TranscriptStore) -> None:
    other: Body = {"versions": {"torch": "2.14"}, "machine": {"processors": 2}}

    assert compare(store.events(run(store)), store.events(run(store, machine=other))) == (None, ("versions",))
