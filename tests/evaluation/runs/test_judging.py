"""A judge goes through a run: what it has marked it is not given again, and the report has its marks."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from autogen_ext.models.replay import ReplayChatCompletionClient

from evaluation.errors import MalformedRubric
from evaluation.judging import carry_on, waiting
from evaluation.report import report
from evaluation.run_folder import Run
from tests.evaluation.runs.values import item, plan, prediction
from tests.evaluation.test_judge import JUDGE, judge
from tests.evaluation.test_rubric import REPLY

OPEN = ("1", "2", "3")
GOOD, SPOILED = json.dumps(REPLY), "5 of 5"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Three open questions and one with options, answered by two systems."""
    items = [item(name, task="open", options=(), right=(), references=("Amoxicilina.",)) for name in OPEN]
    items.append(item("4"))
    begun = Run.begin(tmp_path / "run", plan(*items, systems=("direct", "coreasoner")), items)
    with begun.writing():
        for system in ("direct", "coreasoner"):
            for name in OPEN:
                begun.predictions.add(prediction(name, system, chosen=(), text=f"{system} {name}"))
            begun.predictions.add(prediction("4", system))
    return begun


async def go_on(run: Run, client: ReplayChatCompletionClient) -> Sequence[str]:
    """Judge what waits, one after the other; whose answers they were."""
    seen: list[str] = []
    with run.writing():
        await carry_on(run, JUDGE, client, 1, lambda judgement: seen.append(f"{judgement.system} {judgement.item}"))
    return seen


async def test_every_open_answer_is_judged_once(run: Run) -> None:
    seen = await go_on(run, judge(*[GOOD] * 6))

    assert seen == [f"{system} ward/es/{name}" for system in ("direct", "coreasoner") for name in OPEN]
    assert await go_on(Run.open(run.folder), judge()) == []


async def test_a_fault_is_put_to_the_judge_again_and_the_last_word_counts(run: Run) -> None:
    await go_on(run, judge(SPOILED, *[GOOD] * 5))

    assert [pair.item.id for pair in waiting(run, JUDGE)] == ["1"]
    assert await go_on(run, judge(GOOD)) == ["direct ward/es/1"]
    assert (len(run.judgements), all(one.marks for one in run.judgements)) == (6, True)


async def test_another_judge_begins_anew(run: Run) -> None:
    await go_on(run, judge(*[GOOD] * 6))

    assert len(waiting(run, JUDGE._replace(model="ward-70b"))) == 6


async def test_a_rubric_that_cannot_be_asked_is_its_own_error(run: Run) -> None:
    spoiled = JUDGE._replace(rubric=JUDGE.rubric.model_copy(update={"prompt": "$nonsense"}))

    with run.writing(), pytest.raises(MalformedRubric, match="wrong name"):
        await carry_on(run, spoiled, judge(), 2, lambda _: None)


async def test_the_report_has_a_table_a_judge(run: Run) -> None:
    await go_on(run, judge(SPOILED, *[GOOD] * 5))

    (table,) = [t for section in report([run]) for t in section.tables if t.title == f"Judged by {JUDGE.name}"]
    assert table.head == ("system", *REPLY, "without marks")
    marks = {row[0]: (row[4].split()[0], row[-1]) for row in table.rows}
    assert marks == {"direct": ("5.000", "1"), "coreasoner": ("5.000", "0")}
