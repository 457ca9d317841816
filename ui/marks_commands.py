"""`coreasoner knowledge marks`: the passages that speak to the model, and what a curator decides about them.

All that is printed was written by others, so it is shown without control characters and never as markup.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from agents.workspace import Workspace
from knowledge.curation import Decision, Verdict
from knowledge.curator import Reviewed, decide, review, take_over, write_decisions
from ui.knowledge_views import line, place
from ui.terminal import plain

_WORDS = 200  # characters of marked words that are shown

app = typer.Typer(help="The passages that speak to the model instead of the reader: look at them, approve, refuse.")

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Passages of the list (psg_...).")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides; it is kept with the decision.")]
Note = Annotated[str, typer.Option(help="Why, for whoever asks a year later.")]


@app.callback(invoke_without_command=True)
def listed(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also those that were decided about.")] = False,
) -> None:
    """The marked passages that wait for a decision; until then no model reads them and no answer cites them."""
    if context.invoked_subcommand is None:
        found = review(Workspace(context.obj).archive)
        chosen = [one for one in found if everything or one.state == "waiting"]
        show(Console(), chosen, decided=0 if everything else len(found) - len(chosen))


@app.command()
def approve(context: typer.Context, ids: Ids, by: By, note: Note = "") -> None:
    """Let models read these passages: their text says nothing that a reader should not follow."""
    _decide(context, ids, "approved", by, note)


@app.command()
def refuse(context: typer.Context, ids: Ids, by: By, note: Note = "") -> None:
    """Withhold these passages for good; any passage can be refused, marked or not."""
    _decide(context, ids, "refused", by, note)


@app.command()
def log(context: typer.Context) -> None:
    """Every decision, oldest first: when, by whom, about what, and why."""
    decisions = Workspace(context.obj).archive.curation.decisions.all
    for decision in decisions:
        Console().print(_taken_down(decision), soft_wrap=True)
    if not decisions:
        Console().print(line("Nothing was decided yet."))


@app.command()
def export(context: typer.Context, file: Annotated[Path, typer.Argument(help="It must not be there yet.")]) -> None:
    """Write all decisions into a file, for another machine; packs carry none."""
    number = write_decisions(Workspace(context.obj).archive, file)
    Console().print(line(f"{number} decisions are in {file}"), soft_wrap=True)


@app.command()
def take(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="What `knowledge marks export` wrote on another machine.")],
    by: By,
) -> None:
    """Take over the decisions of another machine as one's own, for the same texts."""
    for decision in (taken := take_over(Workspace(context.obj).archive, file, by=by, now=datetime.now(UTC))):
        Console().print(_taken_down(decision), soft_wrap=True)
    if not taken:
        Console().print(line("There was nothing new in it."))


def _decide(context: typer.Context, ids: Sequence[str], verdict: Verdict, by: str, note: str) -> None:
    archive = Workspace(context.obj).archive
    for decision in decide(archive, ids, verdict, by=by, note=note, now=datetime.now(UTC)):
        Console().print(_taken_down(decision), soft_wrap=True)
    Console().print(line(f"this is version {archive.version()}"), soft_wrap=True)


def _taken_down(decision: Decision) -> Text:
    time = decision.time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    why = f": {decision.note}" if decision.note else ""
    return line(f"{time} {decision.passage} of {decision.pack} {decision.verdict} by {decision.by}{why}")


def show(console: Console, found: Sequence[Reviewed], decided: int) -> None:
    """Each passage with its place, its state, and the marked words with rule and reason."""
    for one in found:
        passage = one.passage
        console.print(line(f"{passage.id} {one.state}: {place(passage)}", "bold"), soft_wrap=True)
        console.print(Text("    ") + line(f"pack {passage.pack}, document {passage.document[:12]}"), soft_wrap=True)
        for suspicion, words in one.marked_words:
            said = f"{suspicion.rule}, {suspicion.reason}: «{plain(words)[:_WORDS]}»"
            console.print(Text("    ") + line(said, "yellow"), soft_wrap=True)
        if one.decision:
            console.print(Text("    ") + _taken_down(one.decision), soft_wrap=True)
    rest = f"; {decided} decided about, see --all" if decided else ""
    console.print(line(f"{len(found)} marked passages{rest}"))
