"""`coreasoner transcripts rerun`: a case computed again, watched in the terminal, and held against its first time."""

import asyncio
import signal
from typing import Annotated

import typer
from autogen_core import CancellationToken
from rich.console import Console
from rich.text import Text

from agents.consultation import Outcome
from agents.rerun import Original, compared, original, reasons, require, rerun, settings_of
from agents.settings import Settings
from agents.workspace import Workspace
from transcripts.event import EventKind
from transcripts.show import visible
from ui.terminal import TerminalView
from ui.transcript_commands import difference
from ui.translation import translation


def rerun_command(
    context: typer.Context, transcript: Annotated[str, typer.Argument(help="The id of a consultation.")]
) -> None:
    """Compute a case again as it was asked, and say what comes out differently, and why that may be."""
    console, settings = Console(), context.obj
    first = _first(settings, transcript)
    for notice in first.notices:
        console.print(Text(notice, style="yellow"), soft_wrap=True)
    with Workspace(settings_of(first, settings)) as workspace:
        require(first, workspace)
        workspace.transcripts.annotate(transcript, EventKind.VIEWED, {"by": "command line", "as": "rerun"})
        workspace.open_models()
        outcome = asyncio.run(_watched(console, first, workspace))
        found = compared(first, workspace, outcome)
    console.print(Text(f"{transcript} was computed again as {outcome.transcript_id}."), soft_wrap=True)
    if found.difference is None:
        console.print(Text("Identical: the same was said and decided."))
        return
    for line in difference(found.difference):
        console.print(Text(line), soft_wrap=True)
    console.print(Text("That may be because:"))
    for reason in reasons(first, found):
        console.print(Text(f"  {visible(reason)}"), soft_wrap=True)
    raise typer.Exit(1)


def _first(settings: Settings, transcript: str) -> Original:
    with Workspace(settings) as workspace:
        workspace.transcripts.verify(transcript)
        return original(transcript, workspace.transcripts.events(transcript))


async def _watched(console: Console, first: Original, workspace: Workspace) -> Outcome:
    view = TerminalView(console, translation(first.case.language), live=console.is_terminal)
    token = CancellationToken()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, token.cancel)
    try:
        async for progress in rerun(first, workspace, token):
            view.take(progress)
    finally:
        view.close()
    assert isinstance(progress, Outcome)
    return progress
