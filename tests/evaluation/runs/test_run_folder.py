"""A run's folder holds everything, and one process at a time writes it."""

from pathlib import Path

import pytest

from agents.team import TeamSettings
from evaluation.errors import RunBusy, RunDamaged, RunDiffers, RunMissing
from evaluation.run_folder import PLAN, Activity, Run
from tests.evaluation.runs.values import item, plan, prediction

ITEMS = (item("1"), item("2"))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.begin(tmp_path / "run", plan(*ITEMS), ITEMS)


def test_a_run_is_opened_as_it_was_begun(run: Run) -> None:
    opened = Run.open(run.folder)

    assert (opened.plan, opened.items, len(opened.predictions)) == (plan(*ITEMS), ITEMS, 0)


def test_a_folder_without_a_plan_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunMissing, match="coreasoner evaluate run"):
        Run.open(tmp_path)


def test_what_was_left_by_a_beginning_that_was_killed_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "items.jsonl").write_text('{"benchmark": "wa')

    begun = Run.begin(tmp_path, plan(*ITEMS), ITEMS)

    assert begun.items == ITEMS


def test_a_second_run_is_not_begun_over_the_first(run: Run) -> None:
    with pytest.raises(RunDiffers, match="another folder"):
        Run.begin(run.folder, plan(*ITEMS), ITEMS)


def test_other_items_than_were_drawn_are_noticed(run: Run) -> None:
    with (run.folder / "items.jsonl").open("a") as file:
        file.write(item("3").model_dump_json() + "\n")

    with pytest.raises(RunDamaged, match="not those that were drawn"):
        Run.open(run.folder)


def test_items_that_may_not_lie_beside_the_answers_are_drawn_again(run: Run) -> None:
    (run.folder / "items.jsonl").unlink()

    with pytest.raises(RunDamaged, match="evaluate run --data"):
        Run.open(run.folder)
    with pytest.raises(RunDamaged, match="not those that were drawn"):
        Run.open(run.folder, lambda _: ITEMS[:1])
    assert Run.open(run.folder, lambda choice: ITEMS if choice == run.plan.choice else ()).items == ITEMS
    assert Run.open(run.folder).items == ITEMS


def test_a_plan_of_another_form_is_one_sentence(run: Run) -> None:
    (run.folder / PLAN).write_text("choice = 1\n")

    with pytest.raises(RunDamaged, match="cannot be read"):
        Run.open(run.folder)


def test_what_is_otherwise_than_when_the_run_was_begun_is_named(run: Run) -> None:
    other = plan(*ITEMS, guidelines="2", team=TeamSettings(rounds=0))

    with pytest.raises(RunDiffers, match=r"team\.rounds \(1 there, 0 now\); guidelines \(1 there, 2 now\)"):
        run.require(other)


def test_a_later_day_is_no_difference(run: Run) -> None:
    later = plan(*ITEMS, day="2027-01-01")

    assert list(run.plan.differences(later)) == []


def test_two_may_not_write_at_once(run: Run) -> None:
    with run.writing(), pytest.raises(RunBusy), Run.open(run.folder).writing():
        pytest.fail("two wrote")


def test_whoever_waited_for_the_lock_sees_what_was_written_meanwhile(run: Run) -> None:
    late = Run.open(run.folder)
    with run.writing():
        run.predictions.add(prediction("1"))

    with late.writing():
        assert prediction("1").key in late.predictions


def test_how_busy_the_seats_were_is_taken_over_all_sessions_as_each_ended(run: Run) -> None:
    with run.writing():
        for session, seconds, in_use in (("a", 1.0, 1.0), ("a", 10.0, 18.0), ("b", 10.0, 16.0)):
            run.note(Activity(session=session, seconds=seconds, seats=2, in_use=in_use))

    assert run.busy == pytest.approx(34 / 40)


def test_without_an_engine_of_this_machine_nothing_is_said_of_its_seats(run: Run) -> None:
    assert run.busy is None


@pytest.mark.parametrize(("told", "joules"), [((20.0, 5.0), 25.0), ((20.0, None), None), ((None, None), None)])
def test_joules_are_added_up_where_every_session_tells_them(
    told: tuple[float | None, ...], joules: float | None, run: Run
) -> None:
    with run.writing():
        for session, used in zip("ab", told, strict=True):
            run.note(Activity(session=session, seconds=1.0, seats=2, in_use=1.0, joules=used))

    assert run.joules == joules
