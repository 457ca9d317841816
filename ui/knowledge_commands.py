"""`coreasoner knowledge`: add, list, search, seal."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table
from rich.text import Text

from agents.languages import identify
from knowledge.pack import seal_pack
from knowledge.search import search as search_guidelines
from knowledge.store import AddSummary
from ui.terminal import plain
from ui.workspace import Workspace, starter_packs

app = typer.Typer(no_args_is_help=True)


def _progress() -> Progress:
    # Where nobody watches, rich would still write an empty line.
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)


def _add(workspace: Workspace, path: Path, language: str | None, progress: Progress) -> AddSummary:
    task = progress.add_task(path.name, total=None)

    def show(label: str, done: int, total: int) -> None:
        progress.update(task, description=f"{path.name}: {plain(label)}", completed=done, total=total)

    found = workspace.settings.languages
    return workspace.store.add(
        path, language=language, identify=lambda text: identify(text, found) or "en", progress=show
    )


def add_starter(workspace: Workspace) -> None:
    """Add the guidelines that ship with the product; those that are there already stay as they are."""
    with _progress() as progress:
        for pack in starter_packs():
            _add(workspace, pack, None, progress)


@app.command()
def add(
    context: typer.Context,
    path: Annotated[Path | None, typer.Argument(help="A pack, a folder of documents, or one document.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of the documents where no manifest says it.")] = None,
    starter: Annotated[bool, typer.Option("--starter", help="Add the demonstration guidelines that ship.")] = False,
) -> None:
    """Add guidelines; adding the same ones again changes nothing."""
    workspace = Workspace(context.obj)
    paths = starter_packs() if starter else (path,) if path else ()
    if not paths:
        raise typer.BadParameter("name a folder or a file, or give --starter")
    with _progress() as progress:
        summaries = [_add(workspace, p, language, progress) for p in paths]
    console = Console()
    for source, summary in zip(paths, summaries, strict=True):
        state = "was there already" if summary.unchanged else "added"
        console.print(Text(f"{source.name}: {state}, {summary.documents} documents, {summary.passages} passages"))
        for file, reason in summary.skipped:
            console.print(Text(f"  left out {plain(str(file))}: {plain(reason)}"), style="yellow")
        for file, notice in summary.notices:
            console.print(Text(f"  of {plain(file)}: {plain(notice)}"), style="yellow")


@app.command("list")
def list_packs(context: typer.Context) -> None:
    """The packs in the knowledge base."""
    table = Table(Column("pack", no_wrap=True), "title", "language", "jurisdiction", "edition", "documents", "passages")
    for pack in Workspace(context.obj).store.list_packs():
        of = pack.manifest
        cells = (of.name, of.title, of.language, of.jurisdiction, of.edition, pack.documents, pack.passages)
        table.add_row(*(Text(plain(str(cell))) for cell in cells))
    Console().print(table)


@app.command()
def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="What to look for, in any language.")],
    language: Annotated[str | None, typer.Option(help="Only passages in this language.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
) -> None:
    """Search the guidelines as an answer would."""
    workspace = Workspace(context.obj)
    found = search_guidelines(
        workspace.store,
        [query],
        languages=[language] if language else None,
        limit=limit,
        today=date.today(),
        relevance=workspace.embedder.thresholds.relevance,
        typical=workspace.embedder.thresholds.typical,
    )
    console = Console()
    for number, scored in enumerate(found, start=1):
        passage = scored.passage
        where = " / ".join((passage.document_title, *passage.section))
        similarity = "" if scored.similarity is None else f"{scored.similarity:.3f}"
        flags = " ".join(filter(None, ("" if scored.relevant else "far", "expired" if scored.expired else "")))
        console.print(
            Text(f"[{number}] {plain(where)} ({passage.jurisdiction}, {passage.edition}) {similarity} {flags}")
        )
        console.print(Text(plain(passage.text)), style="dim")
    if not found:
        console.print(Text("Nothing was found."))


@app.command()
def seal(folder: Annotated[Path, typer.Argument(help="A pack whose manifest gets the hashes of its files.")]) -> None:
    """Write the sha256 of every document into a pack's manifest, before handing it on."""
    seal_pack(folder)
    Console().print(Text(f"{folder.name} is sealed."))
