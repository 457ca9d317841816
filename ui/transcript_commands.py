"""`coreasoner transcripts`: list, show."""

from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from transcripts.event import EventKind
from transcripts.show import playback
from ui.terminal import plain
from ui.workspace import Workspace

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_transcripts(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    before: Annotated[str | None, typer.Option(help="Only those before this id, for the next page.")] = None,
) -> None:
    """The consultations on record."""
    columns = (Column(name, no_wrap=True) for name in ("transcript", "started (UTC)", "lang", "status", "events"))
    table = Table(*columns, "case", box=SIMPLE_HEAD, padding=0, collapse_padding=True)
    with Workspace(context.obj) as workspace:
        for item in workspace.transcripts.consultations(limit, before):
            started = item.started.strftime("%Y-%m-%d %H:%M")
            cells = (item.id, started, item.language or "", item.status.value, str(item.events), item.case or "")
            table.add_row(*(Text(plain(" ".join(cell.split())), no_wrap=True, overflow="ellipsis") for cell in cells))
    Console().print(table)


@app.command()
def show(context: typer.Context, transcript: Annotated[str, typer.Argument(help="Its id.")]) -> None:
    """A consultation as it went, after proving that nobody altered it."""
    console = Console()
    with Workspace(context.obj) as workspace:
        verified = workspace.transcripts.verify(transcript)
        lines = list(playback(workspace.transcripts.events(transcript)))
        workspace.transcripts.annotate(transcript, EventKind.VIEWED, {"by": "command line"})
    for line in lines:
        console.print(Text(f"{line.offset:8.2f} s  {line.kind.value}  {line.agent}"), style="bold")
        console.print(Text(line.text), soft_wrap=True)
    console.print(Text(f"{verified.events} events, unaltered; head {verified.head}"), style="dim", soft_wrap=True)
