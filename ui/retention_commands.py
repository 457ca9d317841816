"""`coreasoner transcripts`: erase, hold, release, denials, create-database."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from agents.errors import SettingsInvalid
from agents.settings import Settings, TranscriptSettings
from agents.workspace import Workspace, server
from transcripts.errors import ErasureRefused, TranscriptAltered
from transcripts.event import EventKind
from transcripts.retention import Old
from transcripts.store import TranscriptStore
from ui.terminal import plain

_Id = Annotated[str, typer.Argument(help="Its id.")]
_Reason = Annotated[str, typer.Option(help="Why; it is recorded.")]


def erase(
    context: typer.Context,
    really: Annotated[bool, typer.Option("--really", help="Erase; otherwise only say what would be erased.")] = False,
) -> None:
    """Erase what consultations said that are older than transcripts.keep_years; their hashes are kept."""
    settings: Settings = context.obj
    years = settings.transcripts.keep_years
    if years is None:
        raise SettingsInvalid("How long consultations are kept is not set; set transcripts.keep_years first.")
    with Workspace(settings) as workspace:
        record = workspace.transcripts
        record.verify_all()
        old = list(record.old(_years_ago(datetime.now(UTC), years)))
        kept = [each for each in old if each.kept]
        if really:
            kept += _erase(record, [each for each in old if not each.kept], f"kept for {years} years")
        _tell(old, kept, really)
        if really and len(old) > len(kept) and not record.scrub():
            Console().print(Text(_SERVER_KEEPS), soft_wrap=True)


_SERVER_KEEPS = (
    "The database server keeps what was erased in its files and logs until the owner of the database runs "
    "`VACUUM FULL coreasoner.events`; its backups keep it too."
)


def _years_ago(now: datetime, years: int) -> datetime:
    try:
        return now.replace(year=now.year - years)
    except ValueError:  # on 29 February
        return now.replace(year=now.year - years, day=28)


def _erase(record: TranscriptStore, due: list[Old], reason: str) -> list[Old]:
    """Erase what is due; returned is what was kept nevertheless, and why."""
    kept = []
    for each in due:
        try:
            record.erase(each.consultation, reason)
        except (ErasureRefused, TranscriptAltered) as error:
            kept.append(each._replace(kept=str(error)))
    return kept


def _tell(old: list[Old], kept: list[Old], really: bool) -> None:
    why = {each.consultation: each.kept for each in kept}
    table = Table(
        *(Column(name, no_wrap=True) for name in ("transcript", "started (UTC)", "events")), "", box=SIMPLE_HEAD
    )
    for each in old:
        state = why.get(each.consultation) or ("erased" if really else "would be erased")
        cells = (each.consultation, each.started.strftime("%Y-%m-%d %H:%M"), str(each.events), state)
        table.add_row(*(Text(plain(cell)) for cell in cells))
    console = Console()
    if old:
        console.print(table)
    said = "erased" if really else "would be erased; add --really to erase them"
    console.print(Text(f"{len(old) - len(kept)} consultations {said}; {len(kept)} are kept."), soft_wrap=True)


def hold(context: typer.Context, transcript: _Id, reason: _Reason = "") -> None:
    """Keep a consultation from being erased until it is released, however old it is."""
    _mark(context, transcript, EventKind.HELD, reason)
    Console().print(Text(f"{transcript} is held and will not be erased."), soft_wrap=True)


def release(context: typer.Context, transcript: _Id, reason: _Reason = "") -> None:
    """Let a consultation that is held be erased again when its time has come."""
    _mark(context, transcript, EventKind.RELEASED, reason)
    Console().print(Text(f"{transcript} is released."), soft_wrap=True)


def _mark(context: typer.Context, transcript: str, kind: EventKind, reason: str) -> None:
    with Workspace(context.obj) as workspace:
        workspace.transcripts.annotate(transcript, kind, {"reason": reason})


def denials(context: typer.Context) -> None:
    """What was asked for and denied, by whom (as a pseudonym)."""
    table = Table("time (UTC)", "who", "what", "transcript", box=SIMPLE_HEAD)
    with Workspace(context.obj) as workspace:
        for event in workspace.transcripts.denials():
            said = (str(event.body.get(name) or "") for name in ("subject", "action", "consultation"))
            table.add_row(event.time.strftime("%Y-%m-%d %H:%M:%S"), *(Text(plain(cell)) for cell in said))
    Console().print(table)


def create_database(
    owner: Annotated[str, typer.Argument(help="The database, as postgresql://OWNER@HOST/DATABASE.")],
    service: Annotated[str, typer.Argument(help="The role that the service connects as; it may then look and add.")],
    password_variable: Annotated[str, typer.Option(help="The environment variable with the owner's password.")] = "",
) -> None:
    """Make the record in a PostgreSQL database, once, as the owner of the database."""
    from transcripts.postgres import create

    try:
        chosen = TranscriptSettings(database=owner, database_password_variable=password_variable)
    except ValueError as error:
        raise typer.BadParameter("name it as postgresql://OWNER@HOST/DATABASE, without a password") from error
    create(server(chosen.database, chosen.password()), service)
    Console().print(Text(f"{service} may add to the record in {owner} and change nothing in it."), soft_wrap=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands to those of the record."""
    for command in (erase, hold, release, denials):
        app.command()(command)
    app.command("create-database")(create_database)
