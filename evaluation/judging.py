"""A judge at work on a run: every open answer that it has not marked yet, several at once, each judgement kept.

Whatever ends it, it goes on from there; an answer whose judgement had a fault is put to it again. Knows nothing of
screens, and of what a mark is worth.
"""

import asyncio
from collections.abc import Callable

from autogen_core.models import ChatCompletionClient

from evaluation.answers import sorted_answers
from evaluation.judge import Judge, Judgement, judged
from evaluation.run import together
from evaluation.run_folder import Run
from evaluation.scoring import Answered


def waiting(run: Run, judge: Judge) -> tuple[Answered, ...]:
    """The open answers without marks of this judge, in the order of systems and items."""
    marked = {(one.system, one.item) for one in run.judgements if one.judge == judge.name and one.marks}
    return tuple(
        pair
        for answers in sorted_answers([run])
        for pair in answers.pairs
        if pair.item.task == "open" and (answers.system, pair.item.key) not in marked
    )


async def carry_on(
    run: Run, judge: Judge, client: ChatCompletionClient, at_once: int, on_judgement: Callable[[Judgement], None]
) -> None:
    """Judge all that waits, so many at once. Raises MalformedRubric, and CancelledError when it is stopped."""
    pairs = iter(waiting(run, judge))

    async def desk() -> None:
        for pair in pairs:
            judgement = await judged(pair, client, judge, seed=run.plan.choice.seed)
            run.keep(judgement)
            on_judgement(judgement)

    await together([asyncio.create_task(desk()) for _ in range(at_once)])
