"""A run answers everything once, whatever stops it in between; the models are a chat server."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from agents.workspace import Workspace
from evaluation.item import Item, Prediction
from evaluation.plan import Choice, plan
from evaluation.run import carry_on, case_of, left
from evaluation.run_folder import Run
from tests.evaluation.runs.values import OPTIONS, item
from tests.models.chat_server import ChatServer, answers, says
from transcripts.consultation import Status

SYSTEMS = ("direct", "local-only")
ITEMS = tuple(item(str(number)) for number in range(5))


def begun(workspace: Workspace, folder: Path, *items: Item, systems: tuple[str, ...] = SYSTEMS) -> Run:
    choice = Choice(benchmarks=("ward",), languages=("es",), systems=systems)
    return Run.begin(folder, plan(choice, items, workspace, date(2026, 11, 30)), items)


def finish(run: Run, workspace: Workspace, stop_after: int | None = None) -> list[Prediction]:
    """Go on with a run, and stop it after so many answers."""
    made: list[Prediction] = []

    async def watched() -> None:
        task = asyncio.current_task()
        assert task is not None

        def take(prediction: Prediction) -> None:
            made.append(prediction)
            if len(made) == stop_after:
                task.cancel()

        await carry_on(run, workspace, take)

    with run.writing():
        asyncio.run(watched())
    return made


def test_every_item_is_answered_by_every_system(workspace: Workspace, tmp_path: Path) -> None:
    run = begun(workspace, tmp_path / "run", *ITEMS)

    finish(run, workspace)

    found = {(prediction.id, prediction.system) for prediction in Run.open(run.folder).predictions}
    assert found == {(one.id, system) for one in ITEMS for system in SYSTEMS}
    assert left(run) == ()


def test_what_was_chosen_is_told_as_the_items_own_options(workspace: Workspace, tmp_path: Path) -> None:
    run = begun(workspace, tmp_path / "run", *ITEMS)
    shown = {each.item.id: each for each, _ in left(run)}

    finish(run, workspace)

    assert len({each.order[0] for each in shown.values()}) > 1
    assert all(prediction.chosen == (shown[prediction.id].order[0],) for prediction in run.predictions)


def test_a_run_that_was_stopped_goes_on_and_does_nothing_twice(workspace: Workspace, tmp_path: Path) -> None:
    run = begun(workspace, tmp_path / "run", *ITEMS)
    with pytest.raises(asyncio.CancelledError):
        finish(run, workspace, stop_after=3)
    before = {prediction.key: prediction for prediction in Run.open(run.folder).predictions}

    opened = Run.open(run.folder)
    made = finish(opened, workspace)

    assert 3 <= len(before) < 10
    assert not before.keys() & {prediction.key for prediction in made}
    assert len(opened.predictions) == 10
    assert all(prediction == before.get(prediction.key, prediction) for prediction in opened.predictions)


def test_what_a_stop_interrupted_is_told_on_its_record(workspace: Workspace, tmp_path: Path) -> None:
    run = begun(workspace, tmp_path / "run", *ITEMS)
    with pytest.raises(asyncio.CancelledError):
        finish(run, workspace, stop_after=1)

    ended = {summary.status for summary in workspace.transcripts.consultations()}
    assert ended <= {Status.FINISHED, Status.CANCELLED}


def test_each_prediction_names_its_record(workspace: Workspace, tmp_path: Path) -> None:
    run = begun(workspace, tmp_path / "run", ITEMS[0])

    finish(run, workspace)

    for prediction in run.predictions:
        events = list(workspace.transcripts.events(prediction.transcript_id))
        assert events[1].body["evaluated"] == prediction.key


def test_a_model_that_fails_fails_one_prediction_with_its_reason(
    workspace: Workspace, server: ChatServer, tmp_path: Path
) -> None:
    server.turns = [answers(404, '{"error": {"message": "no such model"}}'), *server.turns]
    run = begun(workspace, tmp_path / "run", ITEMS[0], systems=("direct",))

    (prediction,) = finish(run, workspace)

    assert (prediction.status, prediction.chosen) == ("failed", ())
    assert "knows no model ward-7b" in prediction.reason


def test_what_was_written_before_a_failure_is_counted(workspace: Workspace, server: ChatServer, tmp_path: Path) -> None:
    server.turns = [*server.turns[:1], answers(404, '{"error": {"message": "no such model"}}')]
    run = begun(workspace, tmp_path / "run", ITEMS[0], systems=("direct",))

    (prediction,) = finish(run, workspace)

    assert prediction.status == "failed"
    assert prediction.usage.completion_tokens > 0


def test_what_servers_are_asked_for_is_part_of_the_plan(workspace: Workspace, tmp_path: Path) -> None:
    run = begun(workspace, tmp_path / "run", ITEMS[0], systems=("direct",))

    other = run.plan.model_copy(update={"remote": {"ward": {**run.plan.remote["ward"], "model": "ward-1b"}}})

    assert list(run.plan.differences(other)) == ["remote.ward.model (ward-7b there, ward-1b now)"]


def test_a_question_that_cannot_be_argued_fails_with_what_is_wrong(workspace: Workspace, tmp_path: Path) -> None:
    run = begun(workspace, tmp_path / "run", item("long", text="x " * 7000), systems=("direct",))

    (prediction,) = finish(run, workspace)

    assert (prediction.status, prediction.transcript_id) == ("failed", "")
    assert "12,000" in prediction.reason


def test_a_label_is_told_as_a_label(workspace: Workspace, server: ChatServer, tmp_path: Path) -> None:
    server.turns = [says('{"conclusion": "contradiction"}')]
    asked = item("nli", task="entailment", options=(), right=(), hypothesis="Respira despacio.", label="contradiction")
    run = begun(workspace, tmp_path / "run", asked, systems=("direct",))

    (prediction,) = finish(run, workspace)

    assert (prediction.label, prediction.chosen) == ("contradiction", ())


def test_the_seed_of_a_run_is_that_of_its_models(workspace: Workspace, server: ChatServer, tmp_path: Path) -> None:
    choice = Choice(benchmarks=("ward",), languages=("es",), systems=("direct",), seed=41)
    run = Run.begin(tmp_path / "run", plan(choice, ITEMS[:1], workspace, date(2026, 11, 30)), ITEMS[:1])

    finish(run, workspace)

    assert {request["seed"] for request in server.requests} == {41}


def test_quotations_are_marked_alike_in_every_process_that_works_on_a_run(workspace: Workspace) -> None:
    choice = Choice(benchmarks=("ward",), languages=("es",), systems=("rag",))
    marks = {plan(choice, ITEMS, workspace, date(2026, 11, day)).mark for day in (1, 2)}

    assert len(marks) == 1


def test_an_item_keeps_the_benchmarks_english() -> None:
    from evaluation.draw import Shown

    case = case_of(Shown(item(english="A girl of 3 years."), (1, 0, 2)))

    assert (case.english, case.options[0]) == ("A girl of 3 years.", OPTIONS[1])
