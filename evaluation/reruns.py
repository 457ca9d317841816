"""What the record of real cases is good for: computed again they come out the same, played again they look the same,
and keeping it costs next to nothing.

`python -m evaluation.reruns --reruns 20 --replays 200` argues short cases with the small test model, in lane mode
(`engine.exact`), prints a line each and Markdown tables. Knows nothing of how good an answer is.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from autogen_core import CancellationToken

from agents.consultation import Chunk, Outcome, prepare
from agents.rerun import compared, original, reasons, require, rerun, settings_of
from agents.retold import case_of, told
from agents.settings import Settings, load_settings
from agents.workspace import Workspace, starter_packs
from transcripts.event import EventKind
from ui.board import Board
from ui.translation import translation

MODEL = "smollm2-135m-instruct-q4_1"
PACKS = ("en", "es", "ja")
_BAR = 0.01

CASES = (
    ("en", "Child of 3 with cough, fever and 48 breaths per minute, no chest indrawing. Which drug?"),
    ("es", "Niño de 2 años con tos, fiebre y 48 respiraciones por minuto, sin tiraje. ¿Qué tratamiento?"),
    ("ja", "3歳の女児が三日前から咳と発熱を示している。呼吸数は毎分52回。外来での治療は何か。"),
    ("en", "A 7-month-old has had watery stools for two days, sunken eyes and drinks eagerly. What now?"),
    ("es", "Lactante de 7 meses con diarrea acuosa de dos días, ojos hundidos y sed. ¿Qué hago?"),
    ("ja", "生後7か月の乳児。二日前から水様便があり、眼がくぼみ、よく飲む。どうするか。"),
    ("en", "Man of 44, cough for five weeks, night sweats, weight loss. Which test first?"),
    ("es", "Hombre de 44 años, tos desde hace cinco semanas, sudores nocturnos. ¿Qué prueba primero?"),
    ("en", "Woman of 61 with blood pressure of 168/98 on three visits. Which treatment is begun?"),
    ("es", "Mujer de 61 años con presión arterial de 168/98 en tres visitas. ¿Qué tratamiento se inicia?"),
)


class Argued(NamedTuple):
    """A case as it was seen: its text by agent and phase, the last state of the page, and seconds.

    `closing` are those after the answer: the last event and its signature.
    """

    consultation: str
    said: dict[tuple[str, str], str]
    panels: dict[str, str]
    seconds: float
    closing: float


def settings(models: Path, home: Path, model: str = MODEL, *, small: bool = True) -> Settings:
    """Two lanes with a text each, and budgets as small as makes sense."""
    roles = dict.fromkeys(("english", "local", "synthesizer"), model)
    engine = {"context_length": 4096, "lanes": 2, "sequences": 2, "exact": True}
    reasoner = {"rendering_tokens": 24, "reasoning_tokens": 32, "concept_tokens": 48}
    synthesis = {"answer_tokens": 64, "evidence_tokens": 150, "attempts": 1}
    team = {"reasoner": reasoner, "kept": 2, "synthesis": synthesis}
    chosen: dict[str, Any] = {"team": team} if small else {}
    return load_settings(home=home, models={"folder": models, **roles}, engine=engine, **chosen)


def furnish(chosen: Settings) -> None:
    """Add guidelines to an installation."""
    with Workspace(chosen) as workspace:
        for pack in starter_packs():
            if pack.name in PACKS:
                workspace.store.add(pack)


async def argue(workspace: Workspace, number: int) -> Argued:
    """A case, as the page sees it."""
    language, text = CASES[number % len(CASES)]
    case = prepare(f"{text} ({number})", spoken=language)
    board = Board(translation(language), language, workspace.store.document_text)
    said: dict[tuple[str, str], str] = {}
    begun = time.perf_counter()
    async for progress in workspace.consult(case, CancellationToken(), shown=language):
        board.take(progress)
        if isinstance(progress, Chunk):
            key = progress.agent, progress.phase
            said[key] = said.get(key, "") + progress.text
        answered = time.perf_counter()
    assert isinstance(progress, Outcome)
    ended = time.perf_counter()
    return Argued(progress.transcript_id, said, board.panels(), ended - begun, ended - answered)


def replayed(workspace: Workspace, argued: Argued) -> bool:
    """Whether the record tells the very text and the very page."""
    events = list(workspace.transcripts.events(argued.consultation))
    case = case_of(events)
    assert case is not None
    board = Board(translation(case.language), case.language, workspace.archive.document_text)
    said: dict[tuple[str, str], str] = {}
    for shown in told(events):
        if isinstance(shown.progress, Chunk):
            key = shown.progress.agent, shown.progress.phase
            said[key] = said.get(key, "") + shown.progress.text
        if shown.progress is not None:
            board.take(shown.progress)
    same_text = {key: text.encode() for key, text in said.items()} == {k: t.encode() for k, t in argued.said.items()}
    return same_text and board.panels() == argued.panels


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
    """Argue, replay, compute again, and print."""
    chosen = settings(given.models_folder, home, given.model, small=given.model == MODEL)
    furnish(chosen)
    count = max(given.reruns, given.replays)
    argued = []
    with Workspace(chosen) as workspace:
        for number in range(count):
            argued.append(await argue(workspace, number))
        same = sum(replayed(workspace, case) for case in argued[: given.replays])
        shares = [cost(workspace, case) for case in argued]
    print(f"{same} of {given.replays} transcripts replayed byte for byte, text and page", flush=True)
    seconds = median(case.seconds for case in argued)
    print(f"the record costs {median(shares):.2%} of a case of {seconds:.1f} s (median; bar {_BAR:.0%}), ", end="")
    print(f"at most {max(shares):.2%}, over all {_overall(argued, shares):.2%}", flush=True)
    outcomes = []
    for case in reversed(argued[: given.reruns]):
        outcomes.append(await computed_again(chosen, case.consultation))
        if outcomes[-1] != "identical":
            print(f"{case.consultation}: {outcomes[-1]}", flush=True)
    print(f"{outcomes.count('identical')} of {len(outcomes)} computed again identically", flush=True)


def _overall(argued: Sequence[Argued], shares: Sequence[float]) -> float:
    waited = sum(case.seconds * share for case, share in zip(argued, shares, strict=True))
    return waited / sum(case.seconds for case in argued)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.reruns", description=str(__doc__).partition("\n\n")[0])
    folder = load_settings().models_folder
    parser.add_argument("--models-folder", type=Path, default=folder, help="where the weights are")
    parser.add_argument("--model", default=MODEL, help="plays all three roles; budgets are small for the test model")
    parser.add_argument("--reruns", type=int, default=20)
    parser.add_argument("--replays", type=int, default=20)
    given = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="coreasoner-reruns-") as home:
        asyncio.run(measure(given, Path(home)))


if __name__ == "__main__":
    main()
