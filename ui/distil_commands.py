"""`coreasoner distil`: co-reasoning traces to train on, a student trained on them, and the student in the registry.

Knows nothing of how a trace is made or a student trained.
"""

from pathlib import Path
from typing import Annotated

import tomlkit
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from agents.settings import Settings
from agents.workspace import Workspace
from evaluation import student
from evaluation.adapters import Training
from evaluation.distil import Form, Line, Rules, export
from evaluation.lines import Lines
from evaluation.run_folder import Run
from evaluation.student import Base, Trained
from models import own_registry
from models.chat_template import chat_template
from models.conversion import Quantization
from models.errors import UnknownModel, WeightsAltered, WeightsMissing
from models.files import sha256, write_small
from models.registry import ModelCard
from transcripts.export import write
from ui.terminal import plain

app = typer.Typer(no_args_is_help=True)
_ENTRY = "registry.toml"


@app.command("export")
def export_command(
    context: typer.Context,
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs.")],
    to: Annotated[Path, typer.Option(help="A new file of JSON lines.")],
    form: Annotated[Form, typer.Option(help="`trace`: case and answer; `turns`: every turn of the agents.")] = "trace",
    supported: Annotated[float, typer.Option(min=0, max=1, help="Least share of supported sentences.")] = 1.0,
    alike: Annotated[float, typer.Option(min=0.5, max=1, help="From here on two texts are near duplicates.")] = 0.9,
    validation: Annotated[float, typer.Option(min=0, max=0.9, help="Share of question families to validate on.")] = 0.1,
    passages: Annotated[int, typer.Option(min=0, help="Passages beside a case; cited ones always.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Chooses what is validated on.")] = 7,
) -> None:
    """Write the right, supported answers of runs as chat-format lines, each with where it comes from."""
    rules = Rules(form, supported, alike, validation, passages, seed)
    with Workspace(context.obj.evaluating()) as workspace:
        made = export([Run.open(folder) for folder in runs], workspace.transcripts, {"by": "command line"}, rules)
    to.parent.mkdir(parents=True, exist_ok=True)
    write(to.parent, to.name, [line.model_dump_json() for line in made.lines])
    held = sum(line.split == "validation" for line in made.lines)
    _say(f"{len(made.lines)} lines of {made.traces} answers are in {to}, {held} of them to validate on.")
    if made.left_out:
        _say(f"Left out: {', '.join(f'{count} {reason}' for reason, count in sorted(made.left_out.items()))}.")


@app.command()
def train(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What `distil export` wrote.")],
    base: Annotated[str, typer.Option(help="The model to begin with: a GGUF of the registry that is here.")],
    to: Annotated[Path, typer.Option(help="A new folder.")],
    name: Annotated[str, typer.Option(help="What the student is called in the registry.")] = "student",
    epochs: Annotated[float, typer.Option(help="How often all lines are gone through.")] = 3.0,
    steps: Annotated[int | None, typer.Option(min=1, help="Instead: so many steps.")] = None,
    rate: Annotated[float, typer.Option(help="Learning rate.")] = 2e-4,
    rank: Annotated[int, typer.Option(min=1, help="Rank of the adapters.")] = 16,
    batch: Annotated[int, typer.Option(min=1, help="Lines a step.")] = 4,
    length: Annotated[int, typer.Option(min=64, help="Longest line, in tokens.")] = 2048,
    quantization: Annotated[Quantization, typer.Option(help="How small its numbers are.")] = "q8_0",
    threads: Annotated[int, typer.Option(min=1, help="Threads, without a GPU.")] = 2,
    seed: Annotated[int, typer.Option(min=0)] = 7,
) -> None:
    """Train low-rank adapters on exported lines, merge them, and write the student as a GGUF."""
    student.require_libraries()
    how = Training(
        epochs=epochs,
        steps=steps,
        rate=rate,
        rank=rank,
        batch=batch,
        length=length,
        seed=seed,
        threads=threads,
        quantization=quantization,
    )
    lines = Lines(file, Line).read()
    with Workspace(context.obj) as workspace:
        card = workspace.registry.card(base)
        if card.format != "gguf":
            raise UnknownModel(f"{base} is no language model; choose another for --base.")
        own_registry.require_free(workspace.registry, name)
        path, digest = workspace.weights.checked_path(base), workspace.weights.digest(base)
    begun = Base(base, path, digest, chat_template(card.chat_template))
    trained = _watched(file, lines, begun, to, name, how)
    entry = {"models": {name: _entry(card, trained, [line.language for line in lines])}}
    write_small(to / _ENTRY, tomlkit.dumps(entry))
    _say(_told(trained, to))


def _watched(file: Path, lines: tuple[Line, ...], base: Base, to: Path, name: str, how: Training) -> Trained:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        shown = bar.add_task("reading", total=None)

        def told(step: int, total: int, loss: float) -> None:
            bar.update(shown, completed=step, total=total, description=f"loss {loss:.3f}")

        return student.train(file, lines, base, to, name, how, told)


def _entry(card: ModelCard, trained: Trained, languages: list[str]) -> dict[str, object]:
    """What the registry says of a student: as its base, but that nobody has shown yet that it is fit for patients."""
    kept = card.model_dump(include={"role", "format", "licence", "parameters", "context_length", "chat_template"})
    title = f"{trained.name}, a student of {trained.lines} co-reasoning lines on {card.title} (not evaluated)"
    memory = {"memory_bytes": card.memory_bytes - (card.bytes or 0) + trained.bytes} if card.memory_bytes else {}
    file = {"file": f"{trained.name}.gguf", "bytes": trained.bytes, "sha256": trained.sha256}
    return {**kept, "title": title, **file, **memory, "languages": sorted({*languages}), "demonstration": True}


def _told(trained: Trained, to: Path) -> str:
    validated = [loss.loss for loss in trained.losses if loss.split == "validation"]
    learned = [loss.loss for loss in trained.losses if loss.split == "train"]
    fell = [f"Loss on the lines trained on: {learned[0]:.3f} at first, {learned[-1]:.3f} at last."] if learned else []
    fell += (
        [f"On {trained.validation} others: {validated[0]:.3f} before, {validated[-1]:.3f} after."] if validated else []
    )
    left = [f"{trained.too_long} lines are too long and were left out."] if trained.too_long else []
    use = [f"The student is {to / trained.file}. Put it to use with: coreasoner distil register {to}"]
    return "\n".join([f"Trained on {trained.lines} lines.", *fell, *left, *use])


@app.command()
def register(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="What `distil train` wrote.")],
) -> None:
    """Enter a student into this installation's registry, with its hash, and import its weights."""
    settings: Settings = context.obj
    if not (folder / _ENTRY).is_file():
        raise typer.BadParameter(f"{folder} holds no finished student; train one with coreasoner distil train")
    card, fields = own_registry.read_one(folder / _ENTRY)
    own_registry.require_free(Workspace(settings).registry, card.name)
    weights = folder / card.file
    if not weights.is_file():
        raise WeightsMissing(f"There is no {weights}; train the student again.")
    if sha256(weights) != card.sha256:
        raise WeightsAltered(f"{weights} is not the file that was trained (its hash differs); train the student again.")
    own_registry.add(settings.registry_file, card.name, fields)
    Workspace(settings).weights.import_file(weights, card.name)
    _say(f"{card.name} is in the registry. Name it in coreasoner.toml, or try it: coreasoner --model {card.name} ask")


def _say(text: str) -> None:
    Console().print(Text(plain(text)), soft_wrap=True)
