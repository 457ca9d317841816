"""An answer is read from its own record or not at all."""

from agents.workspace import Workspace
from evaluation.run_folder import Run
from evaluation.scoring import Answered
from evaluation.trace import Trace, traced


def of(run: Run, system: str) -> Answered:
    return Answered(run.items[0], next(one for one in run.predictions if (one.system, one.id) == (system, "1")))


def test_a_trace_tells_what_the_team_came_to(trace: Trace) -> None:
    assert trace.outcome.case.text == trace.item.text
    assert trace.outcome.transcript_id == trace.prediction.transcript_id


def test_its_head_is_the_hash_of_the_last_event(trace: Trace) -> None:
    assert trace.head == trace.events[-1].hash


def test_a_system_without_a_team_has_no_trace(workspace: Workspace, run: Run) -> None:
    assert traced(workspace.transcripts, of(run, "direct")) == "no co-reasoning"


def test_what_failed_has_none(workspace: Workspace, run: Run) -> None:
    item, prediction = of(run, "coreasoner")

    failed = prediction.model_copy(update={"status": "failed"})

    assert traced(workspace.transcripts, Answered(item, failed)) == "failed"


def test_a_record_that_is_not_there_gives_none(workspace: Workspace, run: Run) -> None:
    item, prediction = of(run, "coreasoner")

    lost = prediction.model_copy(update={"transcript_id": f"c_{'0' * 26}"})

    assert traced(workspace.transcripts, Answered(item, lost)) == "no record"


def test_the_record_of_another_answer_gives_none(workspace: Workspace, run: Run) -> None:
    item, prediction = of(run, "coreasoner")
    other = of(run, "direct").prediction.transcript_id

    forged = prediction.model_copy(update={"transcript_id": other})

    assert traced(workspace.transcripts, Answered(item, forged)) == "record of something else"
