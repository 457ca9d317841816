"""Two arguments at once against the same two one after the other, and what a grammar costs: side by side in one run.

`python -m evaluation.bench` prints one Markdown table of medians a model, and a line about the machine. Measures the
engine alone; knows nothing of agents' behaviour or of scores.
"""

import argparse
import asyncio
import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agents.reasoner import ListedConcepts, case_text
from agents.speaker import prompt
from models.chat_template import ChatMessage, Segment, chat_template, render
from models.engine import Engine
from models.protocol import EngineSettings, Finished, Piece, Sampling
from models.registry import Registry
from models.weights import WeightStore
from ui.settings import STARTER_LLM, load_settings

_TEST_LLM = "smollm2-135m-instruct-q4_1"
_TOKENS = 128
_CASES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("reasoner_english", "Child of 3 with cough, fever and 48 breaths per minute, no chest indrawing. Which drug?", {}),
    (
        "reasoner_local",
        "Niño de 3 años con tos, fiebre y 48 respiraciones por minuto, sin tiraje. ¿Qué tratamiento?",
        {"language": "Spanish", "jurisdiction": "ES", "instruction": "Escribe en español."},
    ),
)


class Turn(BaseModel):
    """One generation: its text, seconds to the first text, and the engine's figures."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    text: str
    first_s: float
    finished: Finished


async def turn(
    engine: Engine, conversation: str, asked: tuple[Segment, ...], tokens: int, schema: str | None = None
) -> Turn:
    """Generate greedily and measure."""
    start, first, pieces = time.perf_counter(), 0.0, []
    async for event in engine.generate(conversation, asked, Sampling(max_tokens=tokens), schema):
        if isinstance(event, Piece):
            first = first or time.perf_counter() - start
            pieces.append(event.text)
    assert isinstance(event, Finished)
    return Turn(text="".join(pieces), first_s=first, finished=event)


async def timed(work: Callable[[], Awaitable[Sequence[Turn]]]) -> tuple[float, Sequence[Turn]]:
    """Wall seconds and the turns."""
    start = time.perf_counter()
    turns = await work()
    return time.perf_counter() - start, turns


async def measure(engine: Engine, prompts: Sequence[tuple[Segment, ...]], runs: int) -> dict[str, str]:
    """Medians over `runs` of each kind of work; the kinds take turns, so that the machine's moods strike all alike."""
    schema = json.dumps(ListedConcepts.model_json_schema())
    together, apart, free, forced, firsts, same = [], [], [], [], [], True

    for run in range(runs + 1):

        async def at_once(run: int = run) -> Sequence[Turn]:
            return await asyncio.gather(*(turn(engine, f"{run}/a{i}", p, _TOKENS) for i, p in enumerate(prompts)))

        async def in_turn(run: int = run) -> Sequence[Turn]:
            return [await turn(engine, f"{run}/b{i}", p, _TOKENS) for i, p in enumerate(prompts)]

        both_s, both = await timed(at_once)
        each_s, each = await timed(in_turn)
        plain = await turn(engine, f"{run}/c", prompts[0], _TOKENS)
        json_turn = await turn(engine, f"{run}/d", prompts[0], _TOKENS, schema)
        if run == 0:
            continue  # the first one warms caches
        same = same and [t.text for t in both] == [t.text for t in each]
        together.append(both_s)
        apart.append(each_s)
        firsts.append(max(t.first_s for t in both))
        free.append(plain.finished.completion_tokens / plain.finished.decode_s)
        forced.append(json_turn.finished.completion_tokens / json_turn.finished.decode_s)
    ratio = statistics.median(a / b for a, b in zip(together, apart, strict=True))
    return {
        "two at once s": f"{statistics.median(together):.2f}",
        "one after the other s": f"{statistics.median(apart):.2f}",
        "ratio": f"{ratio:.2f}",
        "same text": "yes" if same else "no",
        "first text s": f"{statistics.median(firsts):.2f}",
        "tokens/s, one alone": f"{statistics.median(free):.1f}",
        "tokens/s, grammar": f"{statistics.median(forced):.1f}",
        "grammar ratio": f"{statistics.median(f / p for f, p in zip(forced, free, strict=True)):.2f}",
    }


def machine() -> str:
    """The processor, its cores and the versions that matter."""
    names = {line.partition(":")[2].strip() for line in _processor_lines() if line.startswith("model name")}
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("llama-cpp-python", "numpy"))
    processor = " / ".join(sorted(names)) or platform.processor()
    cores = len(os.sched_getaffinity(0))
    return f"{processor}, {cores} cores, Python {platform.python_version()}, {versions}"


def _processor_lines() -> list[str]:
    known = Path("/proc/cpuinfo")
    return known.read_text().splitlines() if known.exists() else []


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the named models, or the test and the starter model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", help="a model of the registry; may be repeated")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args(arguments)
    settings = load_settings()
    registry = Registry.load(settings.registry_file)
    weights = WeightStore(settings.models_folder, registry)
    print(machine(), end="\n\n")
    for number, name in enumerate(given.model or (_TEST_LLM, STARTER_LLM)):
        template = chat_template(registry.card(name).chat_template)
        prompts = [
            render(
                template,
                (
                    ChatMessage(role="system", content=prompt(file, **words)),
                    ChatMessage(role="user", content=case_text(case, ())),
                ),
            )
            for file, case, words in _CASES
        ]
        engine = Engine(lambda name=name: weights.checked_path(name), EngineSettings())  # type: ignore[misc]  # binds now
        figures = asyncio.run(measure(engine, prompts, given.runs))
        engine.close()
        if number == 0:
            print(f"| model | {' | '.join(figures)} |\n|{'---|' * (len(figures) + 1)}")
        print(f"| {name} | {' | '.join(figures.values())} |", flush=True)


if __name__ == "__main__":
    main()
