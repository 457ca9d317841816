"""`coreasoner models`: list, pull, import, verify."""

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from agents.workspace import Workspace

app = typer.Typer(no_args_is_help=True)


class DownloadProgress:
    """Draws one bar a label as bytes arrive."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, label: str, done_bytes: int, total_bytes: int | None) -> None:
        """Move the bar of `label`."""
        if label not in self._tasks:
            self._tasks[label] = self._progress.add_task(label, total=total_bytes)
        self._progress.update(self._tasks[label], completed=done_bytes, total=total_bytes)


def pull_with_progress(workspace: Workspace, name: str) -> None:
    """Fetch a model or a set of them; what is there already is only checked. Raises ModelError."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        workspace.weights.pull(name, DownloadProgress(progress))


@app.command("list")
def list_models(context: typer.Context) -> None:
    """The models of the registry and whether their weights are here."""
    workspace = Workspace(context.obj)
    columns = (Column(name, no_wrap=True) for name in ("name", "role", "state", "size"))
    table = Table(*columns, "licence", "languages", "note", box=SIMPLE_HEAD, padding=0, collapse_padding=True)
    for card in workspace.registry.cards:
        size = f"{card.bytes / 1e9:.2f} GB" if card.bytes else "?"
        note = "demonstration, not fit for patients" if card.demonstration else card.title
        state = workspace.weights.status(card.name)
        table.add_row(
            *(Text(v) for v in (card.name, card.role, state, size, card.licence, " ".join(card.languages), note))
        )
    Console().print(table)


@app.command()
def pull(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A model of the registry, or a set: starter, test.")],
) -> None:
    """Fetch weights and check their hashes; an interrupted fetch goes on where it stopped."""
    pull_with_progress(Workspace(context.obj), name)
    Console().print(Text(f"{name} is here and its hashes are right."))


@app.command("import")
def import_weights(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A weights file, for instance on a USB stick.")],
    name: Annotated[str | None, typer.Option(help="The model it is, where its hash is not in the registry.")] = None,
    allow: Annotated[bool, typer.Option(help="Open it although no hash of it is pinned: you answer for it.")] = False,
) -> None:
    """Take weights from a file."""
    imported = Workspace(context.obj).weights.import_file(file, name, allow=allow)
    Console().print(Text(f"{imported} is imported."))


@app.command()
def verify(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="A model or set; default: all that are here.")] = None,
) -> None:
    """Hash weights again."""
    workspace = Workspace(context.obj)
    cards = workspace.registry.expand(name) if name else workspace.registry.cards
    here = [card for card in cards if name or workspace.weights.status(card.name) != "missing"]
    found = [workspace.weights.verify(card.name) for card in here]
    for verification in found:
        Console().print(Text(f"{verification.name}: {verification.reason or 'hashes are right'}"))
    if any(verification.status != "ready" for verification in found):
        raise typer.Exit(1)
    if not here:
        Console().print(Text("There are no weights here; run `coreasoner models pull starter`."))
