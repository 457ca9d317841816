"""What the product survives: malformed weights, kills in a stream or while guidelines are written, thousands of cases.

`python -m evaluation.endurance --malformed 1000 --kills 50 --ingest-kills 50 --cases 2000 --hours 2` prints a line
each; cases end at whichever of the two comes first. Every malformed file is the real header of the test model with
something wrong in it, over tensors of zeros. `--watch PID` tells memory and open files of a program at work, a long
evaluation for instance, as long as it runs.
"""

import argparse
import asyncio
import random
import shutil
import struct
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import psutil
from autogen_core import CancellationToken

from agents.consultation import Chunk, Outcome, prepare
from agents.settings import load_settings
from agents.workspace import Workspace
from evaluation.ingest_kills import ingest_kills
from knowledge.shipped import starter_packs
from models.engine import Engine
from models.errors import ModelError
from models.gguf import inspect
from models.protocol import EngineSettings
from models.registry import Registry
from models.weights import WeightStore
from transcripts.errors import TranscriptError
from transcripts.event import EventKind
from transcripts.recorder import StreamPart

_MODEL = "smollm2-135m-instruct-q4_1"
_CASE = "Child of 3 with cough, fever and 48 breaths per minute, no chest indrawing. Which drug?"
_SMALL = {
    "reasoner": {"reasoning_tokens": 16, "concept_tokens": 32},
    "synthesis": {"answer_tokens": 64, "evidence_tokens": 150},
}
_SAMPLES = 20
_BETWEEN = 300  # seconds


def spoiled(header: bytes, chance: random.Random) -> bytes:
    """The header with one thing wrong: a crash class that is public, or bytes changed at random, or its end missing."""
    content = bytearray(header)
    kind = chance.randrange(6)
    at = chance.randrange(24, len(content) - 16)
    if kind == 0:  # a key or a name of no length, or of an absurd one
        content[at : at + 8] = struct.pack("<Q", chance.choice([0, 1 << 42, (1 << 64) - 1, 1 << 31]))
    elif kind == 1:  # a type, a count of dimensions, an alignment
        content[at : at + 4] = struct.pack("<I", chance.choice([0, 9, 12, 13, 255, 1 << 31]))
    elif kind == 2:  # what lies near the end: the tensors' dimensions, types and offsets
        at = len(content) - chance.randrange(16, 16_000)
        content[at : at + 8] = struct.pack("<Q", chance.choice([0, 1 << 42, 7, (1 << 63) + 1]))
    elif kind == 3:  # the counts in front
        content[8:24] = struct.pack("<QQ", chance.choice([0, 1, 1 << 40, 271, 273]), chance.choice([0, 1, 1 << 40, 33]))
    elif kind == 4:
        for _ in range(chance.randrange(1, 64)):
            content[chance.randrange(len(content))] = chance.randrange(256)
    else:
        del content[chance.randrange(len(content)) :]
    return bytes(content)


async def malformed(weights: Path, count: int) -> str:
    """Open `count` malformed files as the product does, and again as if an administrator had vouched for each.

    The product hashes first. Vouched for, a file is a typed error or harmless. The parent goes on in any case.
    """
    header = weights.read_bytes()[: inspect(weights).data_offset]
    chance, hashed, vouched = random.Random(7), Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        store = WeightStore(Path(folder), Registry.load())
        file = store.folder / store.registry.card(_MODEL).file
        for _ in range(count):
            content = spoiled(header, chance)
            file.write_bytes(content)
            if len(content) == len(header):
                with file.open("r+b") as tensors:
                    tensors.truncate(weights.stat().st_size)
            hashed[await _opened(lambda: store.checked_path(_MODEL))] += 1
            vouched[await _opened(lambda: file)] += 1
    return f"{count} malformed files: {dict(hashed)}; the same if vouched for: {dict(vouched)}"


async def _opened(file: Callable[[], Path]) -> str:
    with closing(Engine(file, EngineSettings(context_length=256, lanes=1, sequences=1))) as engine:
        try:
            await engine.start()
        except ModelError as error:
            return type(error).__name__
    return "opened, for only the hash knows better"


def _installation(models: Path, home: Path) -> Workspace:
    roles = dict.fromkeys(("english", "local", "synthesizer"), _MODEL)
    engine = {"context_length": 2048, "lanes": 2, "sequences": 2}
    workspace = Workspace(load_settings(home=home, models={"folder": models, **roles}, team=_SMALL, engine=engine))
    workspace.store.add(next(pack for pack in starter_packs() if pack.name == "en"))
    return workspace


async def _argued(workspace: Workspace, kill_after: int | None = None) -> tuple[Outcome, str]:
    """A case, its worker killed after so many chunks, and all that was streamed of it."""
    chunks = 0
    said = ""
    async for progress in workspace.consult(prepare(_CASE, spoken="en"), CancellationToken()):
        if isinstance(progress, Chunk):
            said += progress.text
            chunks += 1
            if chunks == kill_after:
                workspace.engine(_MODEL).kill()
        else:
            outcome = progress
    assert isinstance(outcome, Outcome)
    return outcome, said


async def kills(workspace: Workspace, count: int) -> str:
    """Kill the worker in the middle of `count` cases; nothing that was streamed is lost, and the next case works."""
    chance, lost, broken, failed = random.Random(11), 0, 0, 0
    for _ in range(count):
        outcome, said = await _argued(workspace, chance.randrange(1, 10))
        events = list(workspace.transcripts.events(outcome.transcript_id))
        parts = [StreamPart.model_validate(event.body) for event in events if event.kind is EventKind.STREAM]
        kept = sum(len(text) for part in parts for _, text in part.chunks)
        lost += max(0, len(said) - kept)
        try:
            workspace.transcripts.verify(outcome.transcript_id)
        except TranscriptError:
            broken += 1
        following, _ = await _argued(workspace)
        failed += following.english.reasoning.status != "argued" or following.local.reasoning.status != "argued"
    return f"{count} kills: {lost} streamed characters lost, {broken} records broken, {failed} next cases failed"


def _size(process: psutil.Process) -> tuple[int, int]:
    """Bytes in memory and open files of a process and of all that it started."""
    family = [process, *process.children(recursive=True)]
    return sum(p.memory_info().rss for p in family), sum(p.num_fds() for p in family)


def watch(process: psutil.Process, hours: float) -> Iterator[str]:
    """A line every five minutes, until the process ends or the hours are over."""
    start = time.monotonic()
    while (past := time.monotonic() - start) < hours * 3600:
        try:
            memory, files = _size(process)
        except psutil.NoSuchProcess:
            return
        yield f"after {past / 60:.0f} minutes: {memory // 1_000_000} MB, {files} open files"
        time.sleep(_BETWEEN)


async def cases(workspace: Workspace, count: int, hours: float) -> AsyncGenerator[str, None]:
    """Argue up to `count` short cases for up to so many hours; tells memory and open files, those of workers too."""
    start, number = time.monotonic(), 0
    while number < count and (past := time.monotonic() - start) < hours * 3600:
        await _argued(workspace)
        number += 1
        if number == 1 or number % max(1, count // _SAMPLES) == 0:
            yield _sized(number, past)
    yield f"at the end, {_sized(number, time.monotonic() - start)}"


def _sized(number: int, seconds: float) -> str:
    memory, files = _size(psutil.Process())
    return f"after {number} cases and {seconds / 60:.0f} minutes: {memory // 1_000_000} MB, {files} open files"


async def endure(models: Path, given: argparse.Namespace) -> None:
    """Print a line for each thing asked."""
    home = Path(tempfile.mkdtemp(prefix="coreasoner-endurance-"))
    try:
        if given.malformed:
            print(await malformed(models / f"{_MODEL}.gguf", given.malformed), flush=True)
        if given.ingest_kills:
            print(ingest_kills(home / "ingest", given.ingest_kills), flush=True)
        if given.kills or given.cases:
            with _installation(models, home) as workspace:
                if given.kills:
                    print(await kills(workspace, given.kills), flush=True)
                if given.cases:
                    async for line in cases(workspace, given.cases, given.hours):
                        print(line, flush=True)
    finally:
        shutil.rmtree(home)


def main(arguments: Sequence[str] | None = None) -> None:
    """Endure what is asked."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.endurance", description=str(__doc__).partition("\n")[0])
    parser.add_argument(
        "--models-folder", type=Path, default=load_settings().models_folder, help="where the weights are"
    )
    for what in ("malformed", "kills", "ingest-kills", "cases"):
        parser.add_argument(f"--{what}", type=int, default=0)
    parser.add_argument("--hours", type=float, default=24.0, help="how long to argue cases, or to watch, at the most")
    parser.add_argument("--watch", type=int, help="process whose memory and open files are told", metavar="PID")
    given = parser.parse_args(arguments)
    if given.watch:
        for line in watch(psutil.Process(given.watch), given.hours):
            print(line, flush=True)
        return
    asyncio.run(endure(given.models_folder, given))


if __name__ == "__main__":
    main()
