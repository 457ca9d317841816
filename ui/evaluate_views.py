"""What `coreasoner evaluate` shows on a terminal, and the files of its report.

Everything printed that models or benchmarks wrote is shown as plain text. Knows nothing of how it was measured.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from evaluation import report as reports
from evaluation.answers import Answers, sorted_answers
from evaluation.benchmarks import benchmarks
from evaluation.errors import NotPaired, UnknownSystem
from evaluation.metrics import metrics
from evaluation.pages import markdown, page
from evaluation.run_folder import Run
from evaluation.systems import systems
from evaluation.versus import Versus, versus
from ui.terminal import plain

_TITLE = "Evaluation"
_CHANGED = 40


def write_report(runs: Sequence[Run], folder: Path) -> None:
    """report.md and report.html in a folder, which is made."""
    sections = reports.report(runs)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(markdown(_TITLE, sections), "utf-8")
    (folder / "report.html").write_text(page(_TITLE, sections), "utf-8")


def compared(console: Console, first: str, second: str) -> None:
    """The second against the first: the difference, how sure it is, whether n is enough, and which items changed.

    Raises RunMissing, UnknownSystem, NotPaired, LibraryMissing.
    """
    found = [one for ours, theirs in _couples(_answers(first), _answers(second)) for one in versus(ours, [theirs])]
    if not found:
        raise NotPaired("The two have no item in common; compare runs of the same benchmark, languages and seed.")
    table = reports.compared(found)
    _printed(console, table)
    for one in found:
        if one.language != "all":
            _changes(console, one)


def _answers(named: str) -> tuple[Answers, ...]:
    """The answers of `RUN` or of `RUN:SYSTEM`."""
    folder, _, system = (named, "", "") if Path(named).is_dir() else named.rpartition(":")
    answers = sorted_answers([Run.open(Path(folder or named))])
    chosen = tuple(one for one in answers if not system or one.system == system)
    if not chosen:
        known = ", ".join(dict.fromkeys(one.system for one in answers))
        raise UnknownSystem(f"The run in {folder} has no system {system}; choose among {known}.")
    return chosen


def _couples(first: Sequence[Answers], second: Sequence[Answers]) -> Iterator[tuple[Answers, Answers]]:
    """What is compared: within a benchmark, two systems that were named, or each system with itself."""
    single = len({one.system for one in first}) == len({one.system for one in second}) == 1
    for ours in first:
        for theirs in second:
            if ours.benchmark == theirs.benchmark and (single or ours.system == theirs.system):
                yield ours, theirs


def _changes(console: Console, one: Versus) -> None:
    """The items on which the two differ."""
    if not one.changed:
        return
    console.print(Text(f"\n{one.second}, {one.language}: {len(one.changed)} items changed", style="bold"))
    for pair in one.changed[:_CHANGED]:
        console.print(Text(plain(f"  {pair.item}: {pair.first:g} → {pair.second:g}")), soft_wrap=True)
    if len(one.changed) > _CHANGED:
        console.print(Text(f"  and {len(one.changed) - _CHANGED} more"))


def listed(console: Console) -> None:
    """The benchmarks, systems and metrics, each with a line."""
    known = [(one.name, ", ".join(one.tasks), one.title, one.licence) for one in benchmarks().values()]
    _printed(console, reports.Table("Benchmarks", ("name", "task", "what it is", "licence"), tuple(known)))
    about = tuple((one.name, one.about) for one in systems().values())
    _printed(console, reports.Table("Systems", ("name", "what it is"), about))
    counted = tuple((one.name, one.title, f"{one.better} is better", one.unit) for one in metrics().values())
    _printed(console, reports.Table("Metrics", ("name", "what it is", "", "unit"), counted))


def _printed(console: Console, table: reports.Table) -> None:
    shown = Table(*table.head, title=Text(table.title, style="bold"), title_justify="left", box=SIMPLE_HEAD)
    for row in table.rows:
        shown.add_row(*(Text(plain(cell)) for cell in row))
    console.print(shown)
    if table.note:
        console.print(Text(table.note, style="dim"), soft_wrap=True)
