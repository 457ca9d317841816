"""Lines to train on: whole, without duplicates, split by family, and each with where it comes from."""

from dataclasses import replace
from pathlib import Path

import pytest

from agents.workspace import Workspace
from evaluation.distil import Exported, Rules, export, family
from evaluation.run_folder import Run
from tests.evaluation.distil.conftest import ITEMS, run_of
from tests.evaluation.runs.values import item
from transcripts.event import EventKind

pytest.importorskip("datasketch", reason="datasketch is not installed: pip install 'med-coreasoner[evaluation]'")

# Nothing supports what the server says: there are no guidelines.
RULES = Rules(supported=0.0, validation=0.34)
BY = {"by": "test"}


def made(workspace: Workspace, *runs: Run, rules: Rules = RULES) -> Exported:
    return export(runs, workspace.transcripts, BY, rules)


def right(run: Run) -> set[str]:
    """Items that the team answered rightly, by key."""
    asked = {one.id: one for one in run.items}
    team = [one for one in run.predictions if one.system == "coreasoner"]
    return {asked[one.id].key for one in team if one.chosen == asked[one.id].right}


def test_right_answers_of_the_team_become_lines_and_the_rest_is_counted(workspace: Workspace, run: Run) -> None:
    found = made(workspace, run)

    assert {line.provenance.item for line in found.lines} == right(run)
    assert found.left_out["no co-reasoning"] == len(ITEMS)
    assert found.traces + sum(found.left_out.values()) == len(run.predictions)


def test_unsupported_answers_are_left_out_unless_they_are_wanted(workspace: Workspace, run: Run) -> None:
    found = made(workspace, run, rules=replace(RULES, supported=1.0))

    assert found.lines == ()
    assert found.left_out["unsupported sentences"] == len(right(run))


def test_a_line_asks_the_case_and_answers_with_argument_chain_and_conclusion(workspace: Workspace, run: Run) -> None:
    line = made(workspace, run).lines[0]

    asked = next(one for one in ITEMS if one.key == line.provenance.item)
    system, question, answer = line.messages
    assert (system.role, question.role, answer.role) == ("system", "user", "assistant")
    assert asked.text in question.content
    assert all(option in question.content for option in asked.options)
    assert "fast breathing → amoxicilina" in answer.content
    assert question.content.endswith('"Answer: " and one letter: A, B. Escribe en español.')
    assert answer.content.endswith("\n\nAnswer: A")


def test_a_line_says_where_it_comes_from_and_the_record_proves_it(workspace: Workspace, run: Run) -> None:
    told = made(workspace, run).lines[0].provenance

    events = list(workspace.transcripts.events(told.transcript))
    workspace.transcripts.verify(told.transcript)
    assert told.head in {event.hash for event in events}
    assert "local ward" in told.models


def test_every_record_that_is_used_says_so_and_no_other(workspace: Workspace, run: Run) -> None:
    used = {line.provenance.transcript for line in made(workspace, run).lines}

    said = {
        one.transcript_id
        for one in run.predictions
        if any(event.kind is EventKind.EXPORTED for event in workspace.transcripts.events(one.transcript_id))
    }
    assert said == used


def test_the_same_export_twice_gives_the_same_conversations(workspace: Workspace, run: Run) -> None:
    first, second = (made(workspace, run) for _ in range(2))

    assert [line.messages for line in first.lines] == [line.messages for line in second.lines]


def test_the_turns_of_the_agents_can_be_had_instead(workspace: Workspace, run: Run) -> None:
    found = made(workspace, run, rules=replace(RULES, form="turns", alike=1.0))

    tasks = {line.task for line in found.lines}
    assert {"EnglishReasoner/reasoning", "LocalClinician/reasoning", "consultation"} <= tasks
    assert all(line.provenance.events for line in found.lines)


def test_a_second_run_of_the_same_items_adds_nothing(workspace: Workspace, run: Run, tmp_path: Path) -> None:
    again = run_of(workspace, tmp_path / "again", *ITEMS)

    once, both = made(workspace, run), made(workspace, run, again)

    assert len(both.lines) == len(once.lines)
    assert both.left_out["exact duplicate"] == len(once.lines)


def test_no_family_is_in_both_splits(workspace: Workspace, tmp_path: Path) -> None:
    asked = [
        item(f"{n}{half}", family=f"family-{n}", text=f"Caso {n * 7919} {half * 9}: {ITEMS[n % 3].text} {n * 31}")
        for n in range(6)
        for half in "ab"
    ]
    run = run_of(workspace, tmp_path / "families", *asked)

    lines = made(workspace, run, rules=replace(RULES, alike=1.0)).lines

    splits = {line.family: {other.split for other in lines if other.family == line.family} for line in lines}
    assert all(len(found) == 1 for found in splits.values())
    assert {line.split for line in lines} == {"train", "validation"}


def test_an_item_without_a_family_is_one_of_its_own() -> None:
    assert family(item("7")) == "ward/7"
    assert family(item("7", language="ja")) == family(item("7"))
    assert family(item("7", family="cough")) == "ward/cough"
