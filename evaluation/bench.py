"""Two arguments at once against the same two one after the other, and what a grammar costs: side by side in one run.

`python -m evaluation.bench` prints one Markdown table of medians, a row a model, and a line about the machine. Asks
the engine directly; knows nothing of agents' behaviour, of the user's settings or of scores.
"""

import argparse
import asyncio
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import platformdirs
from pydantic import BaseModel, ConfigDict

from agents.reasoner import ListedConcepts, case_text
from agents.speaker import prompt
from models.chat_template import ChatMessage, Segment, chat_template, render
from models.engine import Engine
from models.errors import ModelError
from models.protocol import EngineSettings, Finished, Piece, Sampling
from models.registry import ModelCard, Registry
from models.weights import WeightStore

_MODELS = ("smollm2-135m-instruct-q4_1", "qwen2.5-coder-1.5b-instruct-q4_k_m")
_GREEDY = Sampling(temperature=0.0, max_tokens=128)
_FORM = json.dumps(ListedConcepts.model_json_schema())
_ENGLISH_CASE = "Child of 3 with cough, fever and 48 breaths per minute, no chest indrawing. Which drug?"
_SPANISH_CASE = "Niño de 3 años con tos, fiebre y 48 respiraciones por minuto, sin tiraje. ¿Qué tratamiento?"

Prompt = tuple[Segment, ...]


class Turn(BaseModel):
    """One generation: its text piece by piece, seconds to the first piece, and the engine's figures."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    pieces: tuple[str, ...]
    first_s: float
    finished: Finished

    @property
    def decode_speed(self) -> float:
        """Tokens a second after the prompt was read."""
        return self.finished.completion_tokens / self.finished.decode_s


class Pair(BaseModel):
    """Two turns and the seconds from the first question to the last answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    turns: tuple[Turn, ...]
    seconds: float

    @property
    def pieces(self) -> tuple[tuple[str, ...], ...]:
        """What was said, token by token (a token that ends in the middle of a character joins the next)."""
        return tuple(turn.pieces for turn in self.turns)

    @property
    def speed(self) -> float:
        """Tokens a second of both turns together, prompts' reading included."""
        return sum(turn.finished.completion_tokens for turn in self.turns) / self.seconds

    @property
    def first_s(self) -> float:
        """Seconds until the later of the two began to speak, each from its own question."""
        return max(turn.first_s for turn in self.turns)


class Run(BaseModel):
    """Everything once, one kind of work right after the other, so that the machine's moods strike all alike."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    at_once: Pair
    in_turn: Pair
    free: Turn
    forced: Turn


class Column(NamedTuple):
    """A column of the table: the median of `figure` over the runs."""

    title: str
    figure: Callable[[Run], float]
    digits: int = 2


_COLUMNS = (
    Column("two at once, s", lambda run: run.at_once.seconds),
    Column("one after the other, s", lambda run: run.in_turn.seconds),
    Column("ratio", lambda run: run.at_once.seconds / run.in_turn.seconds),
    Column("tokens/s at once", lambda run: run.at_once.speed, 1),
    Column("tokens/s one after the other", lambda run: run.in_turn.speed, 1),
    Column("first text at once, s", lambda run: run.at_once.first_s),
    Column("first text alone, s", lambda run: run.in_turn.first_s),
    Column("decode tokens/s, free", lambda run: run.free.decode_speed, 1),
    Column("decode tokens/s, grammar", lambda run: run.forced.decode_speed, 1),
    Column("ratio", lambda run: run.forced.decode_speed / run.free.decode_speed),
)


async def take_turn(engine: Engine, conversation: str, asked: Prompt, form: str | None = None) -> Turn:
    """Generate greedily and measure. Raises ModelError."""
    start = time.perf_counter()
    first, pieces = 0.0, []
    async for event in engine.generate(conversation, asked, _GREEDY, form):
        if isinstance(event, Piece):
            first = first or time.perf_counter() - start
            pieces.append(event.text)
        else:
            finished = event
    return Turn(pieces=tuple(pieces), first_s=first, finished=finished)


async def at_once(engine: Engine, prompts: Sequence[Prompt], conversation: str) -> Pair:
    """All turns together, each in its own conversation."""
    start = time.perf_counter()
    turns = await asyncio.gather(*(take_turn(engine, f"{conversation}/{i}", p) for i, p in enumerate(prompts)))
    return Pair(turns=tuple(turns), seconds=time.perf_counter() - start)


async def in_turn(engine: Engine, prompts: Sequence[Prompt], conversation: str) -> Pair:
    """The same turns one after the other."""
    start = time.perf_counter()
    turns = [await take_turn(engine, f"{conversation}/{i}", p) for i, p in enumerate(prompts)]
    return Pair(turns=tuple(turns), seconds=time.perf_counter() - start)


async def run_once(engine: Engine, prompts: Sequence[Prompt], number: int) -> Run:
    """One run; its conversations are its own, so that no prompt is found in a cache."""
    return Run(
        at_once=await at_once(engine, prompts, f"{number}/at once"),
        in_turn=await in_turn(engine, prompts, f"{number}/in turn"),
        free=await take_turn(engine, f"{number}/free", prompts[0]),
        forced=await take_turn(engine, f"{number}/forced", prompts[0], _FORM),
    )


async def measure(engine: Engine, prompts: Sequence[Prompt], runs: int) -> tuple[Run, ...]:
    """`runs` runs, after one that opens the weights and does not count. Raises ModelError."""
    return tuple([await run_once(engine, prompts, number) for number in range(runs + 1)][1:])


def prompts_for(card: ModelCard) -> tuple[Prompt, Prompt]:
    """The first questions of both reasoners, as the model reads them."""
    spanish = prompt("reasoner_local", language="Spanish", jurisdiction="ES", instruction="Escribe en español.")
    return _asked(card, prompt("reasoner_english"), _ENGLISH_CASE), _asked(card, spanish, _SPANISH_CASE)


def _asked(card: ModelCard, system: str, case: str) -> Prompt:
    messages = (ChatMessage(role="system", content=system), ChatMessage(role="user", content=case_text(case, ())))
    return render(chat_template(card.chat_template), messages)


def header() -> str:
    """The first two lines of the table."""
    titles = ["model", "runs", *(column.title for column in _COLUMNS), "same tokens"]
    return f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}"


def row(name: str, runs: Sequence[Run]) -> str:
    """A model's line of the table: medians, and in how many runs both ways gave the same tokens."""
    figures = [f"{median(map(column.figure, runs)):.{column.digits}f}" for column in _COLUMNS]
    same = sum(run.at_once.pieces == run.in_turn.pieces for run in runs)
    return f"| {' | '.join([name, str(len(runs)), *figures, f'{same} of {len(runs)}'])} |"


def machine() -> str:
    """The processor, its cores and the versions that matter."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("llama-cpp-python", "numpy"))
    return f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}."


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text("utf-8").splitlines() if known.exists() else []
    names = sorted({line.partition(":")[2].strip() for line in lines if line.startswith("model name")})
    return " / ".join(names) or platform.processor() or platform.machine()


def _models_folder() -> Path:
    return Path(os.environ.get("COREASONER_HOME") or platformdirs.user_data_path("coreasoner")) / "models"


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be a number from 1 on")
    return number


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m evaluation.bench", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--models-folder", type=Path, default=_models_folder(), help="where the weights are")
    parser.add_argument("--model", action="append", help="a language model of the registry; may be repeated")
    parser.add_argument("--runs", type=_at_least_one, default=5, help="how many runs the medians are of")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Measure the named models, or the test and the starter model."""
    arguments = _arguments(given)
    weights = WeightStore(arguments.models_folder, Registry.load())
    print(f"{machine()}\n\n{header()}", flush=True)
    try:
        for name in arguments.model or _MODELS:
            with closing(Engine(partial(weights.checked_path, name), EngineSettings())) as engine:
                runs = asyncio.run(measure(engine, prompts_for(weights.registry.card(name)), arguments.runs))
            print(row(name, runs), flush=True)
    except ModelError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
