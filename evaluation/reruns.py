"""What the record of real cases is good for: computed again they come out the same, and it costs next to nothing.

`python -m evaluation.reruns --cases 20` argues short cases with the small test model, in lane mode (`engine.exact`),
computes each again with everything opened anew, and prints what came out. That they look the same when they are played
again is measured beside the page (`python -m tests.ui.replays`). Knows nothing of how good an answer is.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from autogen_core import CancellationToken

from agents.consultation import Outcome
from agents.rerun import compared, original, reasons, require, rerun, settings_of
from agents.settings import Settings, load_settings
from agents.workspace import Workspace
from evaluation.short_cases import MODEL, case, furnish, settings
from transcripts.event import EventKind

_BAR = 0.01


class Argued(NamedTuple):
    """A consultation and its seconds; `closing` are those after the answer: the last event and its signature."""

    consultation: str
    seconds: float
    closing: float


async def argue(workspace: Workspace, number: int) -> Argued:
    """A case."""
    begun = time.perf_counter()
    async for progress in workspace.consult(case(number), CancellationToken()):
        last, answered = progress, time.perf_counter()
    assert isinstance(last, Outcome)
    ended = time.perf_counter()
    return Argued(last.transcript_id, ended - begun, ended - answered)


def cost(workspace: Workspace, argued: Argued) -> float:
    """The share of a case's time in which it waited for its record, as the record itself says, and for its end."""
    events = workspace.transcripts.events(argued.consultation)
    last = next(event.body for event in events if event.kind is EventKind.FINISHED)
    waited = last["record_seconds"]
    assert isinstance(waited, float)
    return (waited + argued.closing) / argued.seconds


async def computed_again(chosen: Settings, consultation: str) -> str:
    """`identical`, or the first difference and why that may be. Everything is opened anew."""
    with Workspace(chosen) as workspace:
        first = original(consultation, workspace.transcripts.events(consultation))
    with Workspace(settings_of(first, chosen)) as workspace:
        require(first, workspace)
        await asyncio.to_thread(workspace.open_models)
        async for progress in rerun(first, workspace, CancellationToken()):
            outcome = progress
        assert isinstance(outcome, Outcome)
        found = compared(first, workspace, outcome)
    if found.difference is None:
        return "identical"
    return f"{found.difference} because of {'; '.join(reasons(first, found))}"


async def measure(given: argparse.Namespace, home: Path) -> None:
    """Argue, compute again, and print."""
    chosen = settings(given.models_folder, home, given.model, small=given.model == MODEL)
    furnish(chosen)
    with Workspace(chosen) as workspace:
        argued = [await argue(workspace, number) for number in range(given.cases)]
        shares = [cost(workspace, one) for one in argued]
    seconds = median(one.seconds for one in argued)
    print(f"the record costs {median(shares):.2%} of a case of {seconds:.1f} s (median; bar {_BAR:.0%}), ", end="")
    print(f"at most {max(shares):.2%}, over all {_overall(argued, shares):.2%}", flush=True)
    outcomes = []
    for one in reversed(argued):
        outcomes.append(await computed_again(chosen, one.consultation))
        if outcomes[-1] != "identical":
            print(f"{one.consultation}: {outcomes[-1]}", flush=True)
    print(f"{outcomes.count('identical')} of {len(outcomes)} computed again identically", flush=True)


def _overall(argued: Sequence[Argued], shares: Sequence[float]) -> float:
    waited = sum(one.seconds * share for one, share in zip(argued, shares, strict=True))
    return waited / sum(one.seconds for one in argued)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.reruns", description=str(__doc__).partition("\n\n")[0])
    folder = load_settings().models_folder
    parser.add_argument("--models-folder", type=Path, default=folder, help="where the weights are")
    parser.add_argument("--model", default=MODEL, help="plays all three roles; budgets are small for the test model")
    parser.add_argument("--cases", type=int, default=20)
    given = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="coreasoner-reruns-") as home:
        asyncio.run(measure(given, Path(home)))


if __name__ == "__main__":
    main()
