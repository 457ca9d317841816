"""`coreasoner knowledge`: what goes into the knowledge base, out of it, and how it is looked at and proved."""

import sys
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from agents.languages import identify
from agents.settings import Settings
from agents.workspace import Workspace
from knowledge.check import check as check_store
from knowledge.cleaning import clean as clean_store
from knowledge.compare import compare
from knowledge.errors import NotInKnowledgeBase
from knowledge.export import export_pack
from knowledge.pack import MANIFEST, STATED, seal_pack
from knowledge.passage import Passage
from knowledge.rebuild import rebuild as rebuild_store
from knowledge.search import search as search_guidelines
from knowledge.shipped import starter_packs
from knowledge.store import KnowledgeStore
from knowledge.table import primary_subtag
from transcripts.event import EventKind
from ui import knowledge_views as views
from ui import marks_commands
from ui.adding import add_documents, progress

app = typer.Typer(no_args_is_help=True)
app.add_typer(marks_commands.app, name="marks")

Stated = Annotated[str | None, typer.Option(help="Where no pack.toml says it.")]
AsOf = Annotated[
    str | None, typer.Option(metavar="VERSION|DAY", help="As they were in that version, or on a day: 2026-12-31.")
]


@app.command()
def add(
    context: typer.Context,
    path: Annotated[Path | None, typer.Argument(help="A pack, a folder of documents, or one document.")] = None,
    title: Stated = None,
    publisher: Stated = None,
    jurisdiction: Annotated[str | None, typer.Option(help="ISO code of the country, such as JP, or INT.")] = None,
    language: Annotated[str | None, typer.Option(help="Language of the documents, such as es.")] = None,
    edition: Stated = None,
    effective: Annotated[str | None, typer.Option(metavar="DAY", help="In force since: 2026-12-31.")] = None,
    expires: Annotated[str | None, typer.Option(metavar="DAY", help="Expires: 2026-12-31.")] = None,
    licence: Stated = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, infer what isn't stated here.")] = False,
    starter: Annotated[bool, typer.Option("--starter", help="Add the demonstration guidelines that ship.")] = False,
) -> None:
    """Add guidelines; adding the same ones again changes nothing.

    Of documents without a manifest (pack.toml) it asks on a terminal what can't be inferred; each field can also be
    stated as an option.
    """
    workspace = Workspace(context.obj)
    paths = starter_packs() if starter else (path,) if path else ()
    if not paths:
        raise typer.BadParameter("name a folder or a file, or give --starter")
    values = (title, publisher, jurisdiction, language, edition, effective, expires, licence)
    given = {field: value for field, value in zip(STATED, values, strict=True) if value is not None}
    if given and any((source / MANIFEST).is_file() for source in paths):
        raise typer.BadParameter(f"{MANIFEST} states this pack's {', '.join(given)}; change it there")
    ask = not yes and sys.stdin.isatty() and sys.stderr.isatty()
    for source in paths:
        views.added(Console(), source, add_documents(workspace, source, given, ask=ask))


def _archive(context: typer.Context, when: str | None) -> KnowledgeStore:
    archive = Workspace(context.obj).archive
    return archive.at(when) if when else archive


@app.command("list")
def list_packs(context: typer.Context, as_of: AsOf = None) -> None:
    """The packs in the knowledge base."""
    held = _archive(context, as_of).list_packs()
    if held:
        views.packs(Console(), held, date.today())
    else:
        Console().print(Text("There are no guidelines; add some with `coreasoner knowledge add FOLDER`."))


@app.command()
def versions(context: typer.Context) -> None:
    """Every change to the guidelines, newest first: its version, time and what was changed."""
    views.versions(Console(), _archive(context, None).history())


@app.command()
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A pack, or the id of a passage (psg_...).")],
    as_of: AsOf = None,
) -> None:
    """A pack with its documents and passages, or a passage in its document."""
    archive = _archive(context, as_of)
    if name.startswith("psg_"):
        passage = archive.passage(name)
        text = archive.document_text(passage.document)
        views.passage(Console(), passage, text, withheld=archive.curation.withholds(passage))
    else:
        views.pack(Console(), archive.pack(name), archive.passages(name))


@app.command()
def remove(context: typer.Context, pack: Annotated[str, typer.Argument(help="A pack of the list.")]) -> None:
    """Take a pack out; the versions until now can still be read."""
    version = _archive(context, None).remove(pack)
    Console().print(views.line(f"{pack} is removed; this is version {version}"), soft_wrap=True)


@app.command()
def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="What to look for, in any language.")],
    language: Annotated[list[str] | None, typer.Option(help="Only passages in this language.")] = None,
    jurisdiction: Annotated[list[str] | None, typer.Option(help="Only from this country (JP), or INT.")] = None,
    pack: Annotated[list[str] | None, typer.Option(help="Only from this pack.")] = None,
    as_of: AsOf = None,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
) -> None:
    """Search the guidelines as an answer would."""
    workspace = Workspace(context.obj)
    archive = _archive(context, as_of)
    _require_known(archive, language, jurisdiction, pack)
    withheld: list[Passage] = []
    hits = search_guidelines(
        KnowledgeStore(archive.place, workspace.embedder, archive.version()),
        [query],
        languages=language,
        jurisdictions=jurisdiction,
        packs=pack,
        limit=limit,
        today=_day(as_of),
        relevance=workspace.embedder.thresholds.relevance,
        typical=workspace.embedder.thresholds.typical,
        on_withheld=withheld.append,
    )
    views.found(Console(), hits, withheld, identify(query, workspace.settings.languages))


def _require_known(
    archive: KnowledgeStore,
    languages: Sequence[str] | None,
    jurisdictions: Sequence[str] | None,
    packs: Sequence[str] | None,
) -> None:
    """Raise NotInKnowledgeBase for a filter that no pack can pass, so that a slip doesn't look like no guidance."""
    manifests = [pack.manifest for pack in archive.list_packs()]
    spoken = {entry.language or manifest.language for manifest in manifests for entry in manifest.documents}
    _require("language", [primary_subtag(code) for code in languages or ()], {primary_subtag(code) for code in spoken})
    _require("jurisdiction", [code.upper() for code in jurisdictions or ()], {m.jurisdiction for m in manifests})
    for name in packs or ():
        archive.pack(name)


def _require(kind: str, asked: Sequence[str], there: Collection[str]) -> None:
    for code in asked:
        if code not in there:
            raise NotInKnowledgeBase(kind, code, f"it holds {', '.join(sorted(there)) or 'no packs'}")


def _day(as_of: str | None) -> date:
    """The day on which guidelines must not have expired: the one that was asked for, else today."""
    try:
        return date.fromisoformat(as_of or "")
    except ValueError:
        return date.today()


@app.command()
def diff(
    context: typer.Context,
    before: Annotated[str, typer.Argument(help="A version, or a day: 2026-12-31.")],
    after: Annotated[str | None, typer.Argument(help="The other one; default: as it is now.")] = None,
) -> None:
    """What changed between two versions or days: packs and passages."""
    views.differences(Console(), compare(_archive(context, before), _archive(context, after)))


@app.command()
def export(
    context: typer.Context,
    pack: Annotated[str, typer.Argument(help="A pack of the list.")],
    folder: Annotated[Path, typer.Argument(help="Where to; it must not be there yet.")],
    as_of: AsOf = None,
) -> None:
    """Write a pack as it was added, to carry it to another machine."""
    manifest = export_pack(_archive(context, as_of), pack, folder)
    Console().print(views.line(f"{pack} is in {folder}: {len(manifest.documents)} documents"), soft_wrap=True)


@app.command()
def rebuild(context: typer.Context) -> None:
    """Make the tables again from the kept documents: after damage, or for another embedder."""
    workspace = Workspace(context.obj)
    with progress() as shown:
        made = rebuild_store(workspace.guidelines, workspace.embedder, shown)
    said = f"{made.versions} versions and {made.passages} passages are made again for {made.embedder}"
    Console().print(views.line(said), soft_wrap=True)


@app.command()
def check(context: typer.Context) -> None:
    """Prove every document, passage, version and index; ends with 1 and a line for each fault."""
    with progress() as shown:
        summary = check_store(Workspace(context.obj).guidelines, shown)
    views.checked(Console(), summary)
    if summary.faults:
        raise typer.Exit(1)


@app.command()
def clean(
    context: typer.Context,
    older_than: Annotated[int, typer.Option(min=0, help="Days for which a version has been out of use.")] = 30,
) -> None:
    """Remove versions that are out of use, but none that a transcript names."""
    settings: Settings = context.obj
    named, evaluating = _named(settings), settings.evaluating()
    if evaluating is not settings and evaluating.transcripts_file.exists():
        named |= _named(evaluating)
    age, now = timedelta(days=older_than), datetime.now(UTC)
    summary = clean_store(Workspace(settings).guidelines, keep=named, older_than=age, now=now)
    views.cleaned(Console(), summary)


def _named(settings: Settings) -> frozenset[str]:
    """The versions that a record names."""
    with Workspace(settings) as workspace:
        return workspace.transcripts.values(EventKind.RETRIEVAL, "version")


@app.command()
def seal(folder: Annotated[Path, typer.Argument(help="A pack whose manifest gets the hashes of its files.")]) -> None:
    """Write the sha256 of every document into a pack's manifest, before handing it on."""
    seal_pack(folder)
    Console().print(Text(f"{folder.name} is sealed."))
