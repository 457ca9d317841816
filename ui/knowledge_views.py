"""What the `coreasoner knowledge` commands print: packs, versions, passages, differences and findings as plain text.

All of it was written by others, so it is shown without control characters and never as markup. Knows no commands.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from agents.errors import UnknownLanguage
from agents.languages import language
from knowledge.check import CheckSummary
from knowledge.cleaning import CleanSummary
from knowledge.compare import PackChange, PassageChange
from knowledge.pack import Manifest
from knowledge.passage import Passage, ScoredPassage
from knowledge.store import AddSummary, PackSummary
from knowledge.table import primary_subtag
from knowledge.versions import Version
from ui.terminal import plain

_CONTEXT = 600  # characters of the document before and after a passage
_MANIFEST_FIELDS = ("title", "publisher", "jurisdiction", "language", "edition", "effective", "expires", "licence")


def line(words: str, style: str = "") -> Text:
    """One line, whatever the words hold."""
    return Text(" ".join(plain(words).split()), style=style)


def _table(*columns: Column) -> Table:
    return Table(*columns, box=SIMPLE_HEAD, padding=0, collapse_padding=True)


def _whole(*names: str) -> Iterator[Column]:
    """Columns whose words are needed elsewhere, so that they are broken rather than cut."""
    return (Column(name, overflow="fold") for name in names)


def _short(*names: str) -> Iterator[Column]:
    return (Column(name, no_wrap=True) for name in names)


def added(console: Console, source: Path, summary: AddSummary) -> None:
    """What adding did, and what was left out and why."""
    state = "was there already" if summary.unchanged else "added"
    pages = f", {summary.pages} pages" if summary.pages else ""
    counts = f"{summary.documents} documents{pages}, {summary.passages} passages"
    console.print(line(f"{source.name}: {state}, {counts}"), soft_wrap=True)
    for file, reason in summary.skipped:
        console.print(Text("  ") + line(f"left out {file}: {reason}"), style="yellow", soft_wrap=True)
    for file, notice in summary.notices:
        console.print(Text("  ") + line(f"of {file}: {notice}"), style="yellow", soft_wrap=True)
    for file, removed in summary.neutralised:
        kinds = f"{len(removed)} kinds of hidden characters or markup were taken out"
        console.print(Text("  ") + line(f"{file}: {kinds}"), soft_wrap=True)
    if summary.withheld:
        said = f"{len(summary.withheld)} passages are withheld, since they speak to the model instead of the reader"
        console.print(Text("  ") + line(f"{said}; see `coreasoner knowledge marks`"), style="yellow", soft_wrap=True)


def packs(console: Console, held: Sequence[PackSummary], today: date) -> None:
    """The packs, with what has expired."""
    numbers = (Column(name, no_wrap=True, justify="right") for name in ("docs", "passages"))
    table = _table(*_whole("pack"), *_short("from", "lang", "edition", "until"), *numbers, Column("title"))
    for pack in held:
        of = pack.manifest
        until = f"{of.expires or ''}{' EXPIRED' if of.expires and of.expires < today else ''}"
        cells = (of.name, of.jurisdiction, of.language, of.edition, until, pack.documents, pack.passages, of.title)
        table.add_row(*(line(str(cell)) for cell in cells))
    console.print(table)


def versions(console: Console, history: Sequence[Version]) -> None:
    """The versions, newest first."""
    table = _table(*_whole("version"), *_short("since"), Column("change"), *_short("packs"))
    for version in reversed(history):
        since = version.time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        number = "cleaned" if version.cleaned else str(len(version.packs) or "")
        table.add_row(*(line(cell) for cell in (version.tag, since, version.change, number)))
    console.print(table)


def pack(console: Console, summary: PackSummary, passages: Sequence[Passage]) -> None:
    """A pack's manifest, its documents, and its passages under each."""
    manifest = summary.manifest
    for name, value in (("pack", manifest.name), *((field, getattr(manifest, field)) for field in _MANIFEST_FIELDS)):
        console.print(line(f"{name}: {value or 'not stated'}"), soft_wrap=True)
    if manifest.demonstration:
        console.print(line("for demonstration only, not fit for patients"), style="yellow")
    for entry in manifest.documents:
        own = [passage for passage in passages if passage.document == entry.sha256]
        console.print()
        console.print(line(f"{entry.file}: {entry.title}, {len(own)} passages", "bold"), soft_wrap=True)
        console.print(line(f"sha256 {entry.sha256}", "dim"), soft_wrap=True)
        for passage in own:
            place = " / ".join(passage.section) + _page(passage)
            console.print(line(f"{passage.id} {place} {passage.text}"), no_wrap=True, overflow="ellipsis")


def passage(console: Console, shown: Passage, document: str, *, withheld: bool) -> None:
    """A passage marked in the text around it, with all that is needed to cite it."""
    console.print(line(f"{shown.id}: {place(shown)}", "bold"), soft_wrap=True)
    stated = (shown.publisher, shown.edition, shown.jurisdiction, shown.language)
    console.print(line(f"pack {shown.pack}: {', '.join(filter(None, stated))}"), soft_wrap=True)
    console.print(line(f"document {shown.document}", "dim"), soft_wrap=True)
    console.print(line(f"characters {shown.start} to {shown.end} of {len(document)}", "dim"))
    if withheld:
        console.print(line("withheld: no model reads it, see `coreasoner knowledge marks`", "yellow"))
    console.print()
    before, after = document[: shown.start].removesuffix("\n"), document[shown.end :].removeprefix("\n")
    console.print(Text(plain(("… " if len(before) > _CONTEXT else "") + before[-_CONTEXT:])), style="dim")
    for part in shown.text.split("\n"):
        console.print(Text(f"▌ {plain(part)}"), style="bold")
    console.print(Text(plain(after[:_CONTEXT] + (" …" if len(after) > _CONTEXT else ""))), style="dim")


def found(console: Console, hits: Sequence[ScoredPassage], withheld: Sequence[Passage], asked_in: str | None) -> None:
    """What a search found; where a passage is in another language than the question, it says so."""
    for number, hit in enumerate(hits, start=1):
        shown = hit.passage
        console.print(line(f"[{number}] {place(shown)}", "bold"), soft_wrap=True)
        notes = (
            *(shown.jurisdiction, shown.edition, _spoken(shown.language, asked_in)),
            f"EXPIRED {shown.expires}" if hit.expired else "",
            "" if hit.similarity is None else f"{hit.similarity:.3f}",
            "" if hit.relevant else "far from the question",
        )
        console.print(Text("    ") + line(", ".join(filter(None, notes))), soft_wrap=True)
        console.print(Text(plain(shown.text)), style="dim")
        console.print(line(shown.id, "dim"))
    if not hits:
        console.print(line("Nothing was found."))
    if withheld:
        names = ", ".join(dict.fromkeys(passage.id for passage in withheld))
        said = f"{len(withheld)} passages are withheld, see `coreasoner knowledge marks`: {names}"
        console.print(line(said, "yellow"), soft_wrap=True)


def differences(console: Console, changes: Sequence[PackChange]) -> None:
    """What differs between two versions: + came, - went, ~ changed."""
    for change in changes:
        mark = "+" if change.before is None else "-" if change.after is None else "~"
        counts = f"{change.added} passages added, {change.removed} removed, {change.changed} changed"
        console.print(line(f"{mark} pack {change.name}: {counts}", "bold"), soft_wrap=True)
        for words in _restated(change.before, change.after):
            console.print(Text("    ") + line(words), soft_wrap=True)
        for difference in change.passages:
            _difference(console, difference)
    if not changes:
        console.print(line("Nothing differs."))


def _restated(before: Manifest | None, after: Manifest | None) -> Iterator[str]:
    if before and after:
        for field in _MANIFEST_FIELDS:
            old, new = getattr(before, field), getattr(after, field)
            if old != new:
                yield f"{field}: {old or 'not stated'} -> {new or 'not stated'}"


def _difference(console: Console, change: PassageChange) -> None:
    mark = "+" if change.before is None else "-" if change.after is None else "~"
    where = change.after or change.before
    assert where
    console.print(Text(f"  {mark} ") + line(f"{where.id} {place(where)}"), soft_wrap=True)
    for sign, side in (("-", change.before), ("+", change.after)):
        if side:
            console.print(Text(f"      {sign} ") + line(side.text, "dim"), no_wrap=True, overflow="ellipsis")


def checked(console: Console, summary: CheckSummary) -> None:
    """A line for each fault, and what was looked at."""
    for fault in summary.faults:
        console.print(line(f"{fault.subject}: {fault.problem}"), soft_wrap=True)
    looked_at = f"{summary.sources} sources, {summary.versions} versions with {summary.passages} passages"
    result = f"{len(summary.faults)} faults" if summary.faults else "everything is as it was added"
    console.print(line(f"{looked_at}: {result}"), soft_wrap=True)


def cleaned(console: Console, summary: CleanSummary) -> None:
    """Which versions went, and which stay because somebody needs them."""
    for words, tags in (("removed", summary.removed), ("kept for the transcripts", summary.needed)):
        if tags:
            console.print(line(f"{words}: {', '.join(tags)}"), soft_wrap=True)
    console.print(line(f"{len(summary.removed)} versions removed, {max(summary.freed, 0) / 1e6:.1f} MB freed"))
    if summary.still_read:
        said = "The former tables may still be read by a running chat; clean again after its next case, or in a day."
        console.print(line(said), soft_wrap=True)


def place(shown: Passage) -> str:
    """Document, headings and page of a passage."""
    return " / ".join((shown.document_title, *shown.section)) + _page(shown)


def _page(shown: Passage) -> str:
    return f", page {shown.page}" if shown.page else ""


def _spoken(code: str, asked_in: str | None) -> str:
    foreign = asked_in is not None and primary_subtag(code) != asked_in
    return f"{_named(code)} (the question is in {_named(str(asked_in))})" if foreign else _named(code)


def _named(code: str) -> str:
    try:
        return language(code).name
    except UnknownLanguage:
        return code
