"""`coreasoner evaluate`: run benchmarks against systems, report what came out, compare two of them, list what there is.

Knows nothing of how answers are made or scored.
"""

import asyncio
import signal
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from agents.settings import Settings
from agents.workspace import ROLES, Workspace
from evaluation.drawing import drawn
from evaluation.errors import RunDiffers
from evaluation.item import Prediction
from evaluation.judge import Judge
from evaluation.judging import carry_on as judge_on
from evaluation.judging import waiting
from evaluation.plan import Choice, Plan, plan
from evaluation.rubric import DEFAULT
from evaluation.rubric import rubric as read_rubric
from evaluation.run import REMOTE_AT_ONCE, carry_on, engines, left
from evaluation.run_folder import PLAN, Run
from evaluation.systems import chosen
from ui import evaluate_views as views
from ui import review_commands
from ui.terminal import plain

app = typer.Typer(no_args_is_help=True)
review_commands.register(app)

_BAR = 0.85
_LONG_S = 3600.0  # a case takes a minute, so what the last half minute brought says nothing

Repeated = Annotated[list[str] | None, typer.Option(help="Repeatable; default: all.")]


@app.command("run")
def run_command(
    context: typer.Context,
    data: Annotated[Path | None, typer.Option(help="Folder with the benchmarks' own files.")] = None,
    benchmark: Repeated = None,
    language: Repeated = None,
    system: Repeated = None,
    model: Annotated[str | None, typer.Option(help="Play all roles with this model.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Items a benchmark and language; default: all.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Draws items, shuffles options, samples. Default: 7.")] = None,
    run: Annotated[Path | None, typer.Option(help="The run's folder; one that was begun goes on.")] = None,
    again: Annotated[bool, typer.Option("--retry-failed", help="Ask again what failed, such as for a server.")] = False,
) -> None:
    """Answer every item with every system. Stopped or killed, it goes on with `--run FOLDER`, nothing done twice."""
    settings: Settings = context.obj.evaluating()
    folder = run or settings.home / "evaluations" / datetime.now().strftime("%Y-%m-%d-%H%M%S")
    begun = Run.open(folder, partial(drawn, data=data) if data else None) if (folder / PLAN).exists() else None
    name = model or (_model_of(begun.plan) if begun else None)
    if name:
        settings = settings.model_copy(update={"models": settings.models.model_copy(update=dict.fromkeys(ROLES, name))})
    with Workspace(settings) as workspace:
        opened = _opened(workspace, begun, folder, data, _choice(begun, benchmark, language, system, limit, seed))
        if again:
            with opened.writing():
                opened.predictions.put_failed_aside()
        asyncio.run(_watched(opened, workspace))
        Console().print(Text(_told(opened)), soft_wrap=True)


def _model_of(begun: Plan) -> str | None:
    """The model of a run in which one plays all roles."""
    return None if "+" in begun.model else begun.model


def _choice(
    begun: Run | None,
    benchmark: list[str] | None,
    language: list[str] | None,
    system: list[str] | None,
    limit: int | None,
    seed: int | None,
) -> Choice:
    """What was chosen now, and of a run that was begun what was chosen then."""
    named = {"benchmarks": benchmark, "languages": language, "limit": limit, "seed": seed}
    if system or not begun:
        named["systems"] = [one.name for one in chosen(system or ())]
    given = {field: value for field, value in named.items() if value is not None}
    if begun:
        return Choice.model_validate({**begun.plan.choice.model_dump(), **given})
    return Choice.model_validate({"benchmarks": (), "languages": (), **given})


def _opened(workspace: Workspace, begun: Run | None, folder: Path, data: Path | None, choice: Choice) -> Run:
    """The run, begun or held against what is here now, with its models open."""
    if begun is None and data is None:
        raise typer.BadParameter("name the folder with the benchmarks' files", param_hint="--data")
    if begun is not None and data is None and choice != begun.plan.choice:
        raise RunDiffers(f"The run in {folder} asks something else; leave its options out, or name another folder.")
    items = drawn(choice, data) if data else begun.items if begun else ()
    for part, reason in workspace.ready().items():
        Console(stderr=True).print(Text(plain(f"MISSING: {part}: {reason}"), style="yellow"), soft_wrap=True)
    workspace.open_models()
    planned = plan(choice, items, workspace, date.today())
    if begun is None:
        return Run.begin(folder, planned, items)
    begun.require(planned)
    return begun


async def _watched(run: Run, workspace: Workspace) -> None:
    """Work on the run with a bar; Ctrl-C stops it."""
    _cancel_on_ctrl_c()
    with run.writing(), _bar() as bar:
        total = len(left(run)) + len(run.predictions)
        shown = bar.add_task("answers", total=total, completed=len(run.predictions))

        def made(prediction: Prediction) -> None:
            bar.update(shown, advance=1, description=plain(f"{prediction.system} {prediction.language}"))

        try:
            await carry_on(run, workspace, made)
        except asyncio.CancelledError:
            bar.stop()
            Console(stderr=True).print(Text(_stopped(run, total)), soft_wrap=True)
            raise typer.Exit(130) from None


def _cancel_on_ctrl_c() -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    return Progress(*columns, *times, console=Console(stderr=True), speed_estimate_period=_LONG_S)


def _stopped(run: Run, total: int) -> str:
    kept = f"Stopped: {len(run.predictions)} of {total} answers are kept."
    return f"{kept} Go on with: coreasoner evaluate run --run {run.folder}"


def _told(run: Run) -> str:
    """How the run ended: answers, failures, and how busy the engine was."""
    failed = sum(prediction.status == "failed" for prediction in run.predictions)
    again = f"; ask them again with --run {run.folder} --retry-failed" if failed else ""
    lines = [f"{len(run.predictions)} answers are in {run.folder}, {failed} of them failed{again}."]
    if (busy := run.busy) is not None:
        verdict = "" if busy >= _BAR else f", under the {_BAR:.0%} that a long run should have"
        lines.append(f"The engine's sequences were in use {busy:.1%} of the time{verdict}.")
    return "\n".join([*lines, f"Report it with: coreasoner evaluate report {run.folder} --to FOLDER"])


@app.command()
def judge(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    model: Annotated[str, typer.Option(help="The judge: better another model than the one that answered.")],
    rubric: Annotated[str, typer.Option(help="A rubric that ships, or the path of a file.")] = DEFAULT,
) -> None:
    """Have a model mark the open answers of a run on the axes of a rubric. Stopped, it goes on where it was."""
    settings: Settings = context.obj
    roles = settings.models.model_copy(update=dict.fromkeys(ROLES, model))
    opened, words = Run.open(run), read_rubric(rubric)
    with Workspace(settings.model_copy(update={"models": roles})) as workspace:
        workspace.open_models()
        sha256 = next(loaded.sha256 for loaded in workspace.loaded() if loaded.name == model)
        chosen = Judge(model, sha256[:12] or settings.remote[model].model, words)
        asyncio.run(_judging(opened, chosen, workspace))
    said = [judgement for judgement in opened.judgements if judgement.judge == chosen.name]
    faults = sum(not judgement.marks for judgement in said)
    told = f"{len(said)} answers are judged by {chosen.name}, {faults} of them without marks."
    Console().print(Text(f"{told} Report it with: coreasoner evaluate report {run} --to FOLDER"), soft_wrap=True)


async def _judging(run: Run, chosen: Judge, workspace: Workspace) -> None:
    """Judge with a bar; Ctrl-C stops it."""
    _cancel_on_ctrl_c()
    seats = sum(engine.seats for engine in engines(workspace))
    with run.writing(), _bar() as bar:
        shown = bar.add_task("judgements", total=len(waiting(run, chosen)))
        try:
            await judge_on(
                run, chosen, workspace.client("english"), seats or REMOTE_AT_ONCE, lambda _: bar.advance(shown)
            )
        except asyncio.CancelledError:
            bar.stop()
            Console(stderr=True).print("Stopped: what was judged is kept; say the same again to go on.")
            raise typer.Exit(130) from None


@app.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs.")],
    to: Annotated[Path, typer.Option(help="Folder for report.md and report.html.")],
) -> None:
    """Write tables with intervals and paired tests against `direct`, as Markdown and as a page with plots."""
    views.write_report([Run.open(folder) for folder in runs], to)
    Console().print(Text(f"The report is {to / 'report.html'}, and as text {to / 'report.md'}."), soft_wrap=True)


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="RUN[:SYSTEM]", help="A run's folder, and one of its systems.")],
    second: Annotated[str, typer.Argument(metavar="RUN[:SYSTEM]", help="The other one.")],
) -> None:
    """Compare two systems on the items that both answered, or two runs system by system."""
    views.compared(Console(), first, second)


@app.command("list")
def list_command() -> None:
    """The benchmarks, systems and metrics."""
    views.listed(Console())
