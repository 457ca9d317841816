"""`coreasoner transcripts`: list, show, verify, replay, diff, new-key; those that take something away stand in
`export_commands`."""

import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from agents.settings import Settings
from agents.workspace import Workspace, open_record
from transcripts.audit import Audit, Keys
from transcripts.compare import Difference, compare
from transcripts.consultation import Status, Verified
from transcripts.event import EventKind
from transcripts.keys import KeyRing, is_public_key, public_keys
from transcripts.listing import Filter
from transcripts.replay import Moment, moments, play, step
from transcripts.show import playback, visible
from ui import export_commands
from ui.terminal import plain

_BY = {"by": "command line"}

app = typer.Typer(no_args_is_help=True)
export_commands.register(app)

_Id = Annotated[str, typer.Argument(help="Its id.")]


@app.command("list")
def list_transcripts(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    before: Annotated[str | None, typer.Option(help="Only those before this id, for the next page.")] = None,
    language: Annotated[str | None, typer.Option(help="Only those in this language, such as ja.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only those begun then or later (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Only those begun before then (UTC).")] = None,
    status: Annotated[Status | None, typer.Option(help="Only those that ended so.")] = None,
    text: Annotated[str | None, typer.Option(help="Only those with this text in the case.")] = None,
) -> None:
    """The consultations on record."""
    begun, ended = (time.replace(tzinfo=UTC) if time else None for time in (since, until))
    wanted = Filter(language=language, since=begun, until=ended, status=status, text=text)
    columns = (Column(name, no_wrap=True) for name in ("transcript", "started (UTC)", "lang", "status", "events"))
    table = Table(*columns, "case", box=SIMPLE_HEAD, padding=0, collapse_padding=True)
    with Workspace(context.obj) as workspace:
        for item in workspace.transcripts.consultations(limit, before, wanted):
            started = item.started.strftime("%Y-%m-%d %H:%M")
            cells = (item.id, started, item.language or "", item.status.value, str(item.events), item.case or "")
            table.add_row(*(Text(plain(" ".join(cell.split())), no_wrap=True, overflow="ellipsis") for cell in cells))
    Console().print(table)


@app.command()
def show(context: typer.Context, transcript: _Id) -> None:
    """A consultation as it went, after proving that nobody altered it."""
    console = Console()
    with Workspace(context.obj) as workspace:
        verified = workspace.transcripts.verify(transcript)
        lines = list(playback(workspace.transcripts.events(transcript)))
        workspace.transcripts.annotate(transcript, EventKind.VIEWED, _BY)
    for line in lines:
        console.print(Text(f"{line.offset:8.2f} s  {line.kind.value}  {line.agent}"), style="bold")
        console.print(Text(line.text), soft_wrap=True)
    console.print(Text(f"{verified.events} events, unaltered; head {verified.head}"), style="dim", soft_wrap=True)


@app.command()
def verify(
    context: typer.Context,
    transcript: Annotated[str | None, typer.Argument(help="Its id.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="The whole file: every event and signature.")] = False,
    key: Annotated[
        list[str] | None,
        typer.Option(help="A file with public keys, or one as text; default: those of this installation."),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="The transcript file; default: that of this installation.")] = None,
    copy: Annotated[Path | None, typer.Option(help="The second copy of the signatures, to compare with.")] = None,
) -> None:
    """Prove that a consultation, or everything, is as it was written and signed."""
    if everything == bool(transcript):
        raise typer.BadParameter("name a transcript, or give --all")
    settings: Settings = context.obj
    keys = _keys(key or [], settings)
    with open_record(settings, read_only=True, file=file) as store:
        if transcript:
            said = _proved(store.verify(transcript, keys))
        else:
            said = _said(store.verify_all(keys, copy or (None if file else settings.transcripts.checkpoint_copy)))
    console = Console()
    console.print(Text(said), soft_wrap=True)
    if keys is None:
        console.print(Text("Who signed could not be checked: there is no public key here; give --key."), style="yellow")


def _keys(given: Iterable[str], settings: Settings) -> Keys | None:
    named = [frozenset((key,)) if is_public_key(key) else public_keys(Path(key)) for key in given]
    if named:
        return frozenset().union(*named)
    ring = KeyRing(settings.keys_folder)
    return ring.public if ring.public_file.exists() else None


def _proved(verified: Verified) -> str:
    said = f"{verified.events} events, unaltered, {verified.signed} of them signed; head {verified.head}"
    if gone := verified.erased:
        said += (
            f"; the content of {gone.seq} of them was erased under retention on {gone.time:%Y-%m-%d %H:%M:%S} UTC "
            f"by {gone.by or 'nobody named'} ({gone.reason}), their hashes are kept"
        )
    return said


def _said(audit: Audit) -> str:
    said = f"{audit.consultations} consultations with {audit.events} events, unaltered"
    if audit.signed_at:
        when = audit.signed_at.strftime("%Y-%m-%d %H:%M:%S")
        said += f"; checkpoint {audit.checkpoints} of {when} UTC signs all but {audit.unsigned}"
    if audit.erased:
        said += f"; the content of {audit.erased} of them was erased under retention, their hashes are kept"
    if audit.copy_lacks is not None:
        said += f"; the second copy lacks {audit.copy_lacks} checkpoints"
    return f"{said}."


@app.command()
def replay(
    context: typer.Context,
    transcript: _Id,
    speed: Annotated[float, typer.Option(min=0.01, help="How many times as fast as it was.")] = 1.0,
    stepwise: Annotated[bool, typer.Option("--step", help="Wait for Enter before each event.")] = False,
    start: Annotated[int, typer.Option("--from", min=0, help="Begin with this event.")] = 0,
    stream: Annotated[int | None, typer.Option(min=0, help="Only the text of this stream, and nothing else.")] = None,
) -> None:
    """A consultation again, as it ran, after proving that nobody altered it."""
    with Workspace(context.obj) as workspace:
        workspace.transcripts.verify(transcript)
        happened = moments(workspace.transcripts.events(transcript), start)
        workspace.transcripts.annotate(transcript, EventKind.VIEWED, _BY)
    if stream is not None:
        happened = [moment for moment in happened if moment.stream == stream]
    played = step(happened, _enter) if stepwise else play(happened, time.sleep, speed)
    if stream is None:
        _show(played)
    else:
        _pour(played)


def _enter() -> None:
    sys.stdin.readline()


def _show(played: Iterator[Moment]) -> None:
    console, speaker = Console(), None
    for moment in played:
        if (moment.kind, moment.agent, moment.stream) != speaker or moment.stream is None:
            speaker = (moment.kind, moment.agent, moment.stream)
            of = "" if moment.stream is None else f" {moment.stream}"
            console.print(
                Text(f"\n{moment.offset:8.2f} s  {moment.kind.value}{of}  {visible(moment.agent)}"), style="bold"
            )
        console.print(Text(visible(moment.text)), end="", soft_wrap=True)
    console.print()


def _pour(played: Iterator[Moment]) -> None:
    # To a file or a pipe go the very bytes; a terminal would obey some of them.
    exact = not sys.stdout.isatty()
    for moment in played:
        sys.stdout.buffer.write((moment.text if exact else visible(moment.text)).encode())
        sys.stdout.buffer.flush()


@app.command()
def diff(
    context: typer.Context,
    left: Annotated[str, typer.Argument(help="A transcript.")],
    right: Annotated[str, typer.Argument(help="Another one of the same case.")],
) -> None:
    """Name the first event and token in which two consultations differ."""
    with Workspace(context.obj) as workspace:
        for transcript in (left, right):
            workspace.transcripts.verify(transcript)
        compared = compare(workspace.transcripts.events(left), workspace.transcripts.events(right))
        for transcript in (left, right):
            workspace.transcripts.annotate(transcript, EventKind.VIEWED, _BY)
    console = Console()
    if compared.difference is None:
        console.print(Text("Identical: the same was said and decided."))
    else:
        for line in difference(compared.difference):
            console.print(Text(line), soft_wrap=True)
    if compared.conditions:
        console.print(Text(f"The conditions differ: {', '.join(compared.conditions)}."), soft_wrap=True)
    if compared.difference:
        raise typer.Exit(1)


def difference(found: Difference) -> Iterator[str]:
    """What to print of where two consultations part."""
    yield visible(f"They differ in {found.what}, {found.place}:")
    for seq, text in ((found.left_seq, found.left), (found.right_seq, found.right)):
        yield f"  event {seq}: {visible(repr(text))}" if seq is not None else "  it is missing"


@app.command("new-key")
def new_key(context: typer.Context) -> None:
    """Sign with a new key from now on; what older keys signed stays proved."""
    with Workspace(context.obj) as workspace:
        public = workspace.transcripts.change_key()
        where = workspace.keys.public_file
    Console().print(Text(f"New signatures are by {public}; give auditors {where} again."), soft_wrap=True)
