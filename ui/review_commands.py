"""`coreasoner evaluate` for expert review: draw who rates what, open the page, report what raters said.

Knows nothing of how ratings are kept or counted.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from agents.settings import Settings
from agents.workspace import Workspace
from evaluation.assignment import assigned
from evaluation.errors import UnknownSystem
from evaluation.pages import markdown, page
from evaluation.review import Review
from evaluation.review_report import csv_lines, json_lines, sections
from evaluation.run_folder import Run
from transcripts.export import write
from ui.ports import require_free
from ui.terminal import plain

_TITLE = "Expert review"

_Folder = Annotated[Path, typer.Argument(help="The review's folder.")]


def register(app: typer.Typer) -> None:
    """Add these commands to those of the evaluation."""
    app.command()(review)
    app.command("review-page")(review_page)
    app.command("review-report")(review_report)


def review(
    run: Annotated[Path, typer.Argument(help="The folder of a run.")],
    pairs: Annotated[str, typer.Option(metavar="A:B", help="The two systems that are compared.")],
    raters: Annotated[int, typer.Option(min=1, max=100, help="How many people rate.")],
    seed: Annotated[int, typer.Option(min=0, help="Draws items, orders and sides.")] = 7,
    per_pair: Annotated[int | None, typer.Option(min=1, help="Raters a pair; default: all.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Items; default: all.")] = None,
    to: Annotated[Path | None, typer.Option(help="A new folder; default: in the run's.")] = None,
) -> None:
    """Draw which pairs of answers each rater is given, in which order and on which sides."""
    opened, systems = Run.open(run), _systems(pairs)
    if unknown := next((name for name in systems if name not in opened.plan.choice.systems), None):
        known = ", ".join(opened.plan.choice.systems)
        raise UnknownSystem(f"The run in {run} has no system {unknown}; choose among {known}.")
    folder = to or run / f"review-{'-'.join(systems)}"
    begun = Review.begin(folder, assigned(opened, systems, raters, seed, per_pair, limit))
    _say(f"{len(begun.assignments.tasks)} pairs are given to {raters} raters in {folder}.")
    for rater in begun.assignments.raters:
        _say(f"{rater.name}: {len(begun.assignments.of(rater.name))} pairs, code {rater.code}")
    _say(f"Open the page with: coreasoner evaluate review-page {folder}")


def _systems(pairs: str) -> tuple[str, str]:
    first, _, second = pairs.partition(":")
    if not first or not second or first == second:
        raise typer.BadParameter("name two systems, such as direct:coreasoner", param_hint="--pairs")
    return first, second


def review_page(
    context: typer.Context,
    folder: _Folder,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 7861,
) -> None:
    """Open the page on which raters, each with a code, rate blinded answers."""
    settings: Settings = context.obj.evaluating()
    opened = Review.open(folder)
    require_free(host, port)
    with Workspace(settings) as workspace:
        _ = workspace.transcripts  # without a record no rating is taken
        _say(f"Raters open http://{host}:{port}/ and give their code. Ctrl-C stops; nothing is lost.")
        # Gradio takes seconds to import; the checks above should not wait for it.
        from ui.review_page import serve

        serve(workspace, opened, host, port)


def review_report(
    folder: _Folder,
    to: Annotated[Path | None, typer.Option(help="A new folder, also for the ratings with the systems told.")] = None,
) -> None:
    """Say what raters think of both systems, how sure that is, and how far they agree."""
    opened = Review.open(folder)
    found = sections(opened)
    Console().print(Text(plain(markdown(_TITLE, found))), soft_wrap=True)
    if to:
        to.mkdir(parents=True)
        write(to, "review.md", [markdown(_TITLE, found)])
        write(to, "review.html", [page(_TITLE, found)])
        write(to, "ratings.jsonl", json_lines(opened))
        write(to, "ratings.csv", csv_lines(opened))
        _say(f"The report and the ratings with the systems told are in {to}.")


def _say(text: str) -> None:
    Console().print(Text(plain(text)), soft_wrap=True)
