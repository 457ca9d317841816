"""What an evaluation survives when its program is killed in the middle, again and again.

`python -m evaluation.evaluate_kills --kills 20` answers twelve questions with the small test model, undisturbed and
then killed with SIGKILL at moments of chance and resumed, and compares the two tables. Knows nothing of right answers.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil

from agents.settings import Settings, load_settings
from evaluation.predictions import FILE
from evaluation.reruns import MODEL, furnish, settings
from evaluation.run_folder import Run
from transcripts.errors import TranscriptError
from transcripts.keys import KeyRing
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

_SYSTEMS = ("direct", "coreasoner")
_WATCHED_S = 0.05
_GONE_S = 20.0
_START_S = 180.0

Table = dict[str, tuple[str, int]]


class Survived(NamedTuple):
    """Of so many `kills` in so many `runs`: answers that were kept before a kill and `lost` by it, keys that are there
    `twice`, cells of the finished tables that are `different` from the undisturbed one's `cells`, and worker processes
    that outlived the program (`orphans`). `sound` says that the record of all of it proves itself.
    """

    kills: int
    runs: int
    cells: int
    lost: int
    twice: int
    different: int
    orphans: int
    sound: bool


class Program:
    """`coreasoner evaluate run` in a process of its own."""

    def __init__(self, environment: Mapping[str, str], data: Path, folder: Path) -> None:
        self.folder = folder
        begin = ["--data", str(data), "--benchmark", "jmmlu-medical", *(f"--system={name}" for name in _SYSTEMS)]
        command = [sys.executable, "-c", "from ui.start import main; main()", "--model", MODEL, "evaluate", "run"]
        options = [] if (folder / "run.toml").exists() else begin
        self.process = subprocess.Popen(
            [*command, *options, "--run", str(folder)],
            env=dict(environment),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait_for_answer(self) -> None:
        """Until one more answer is kept, or the program has ended."""
        known, ends = _kept(self.folder), time.perf_counter() + _START_S
        while _kept(self.folder) == known and self.process.poll() is None:
            if time.perf_counter() > ends:
                raise TimeoutError("the program answered nothing; is the model here?")
            time.sleep(_WATCHED_S)

    def kill(self) -> int:
        """As a power cut would; how many workers are left over after a while."""
        workers: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            workers = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        return len(psutil.wait_procs(workers, timeout=_GONE_S)[1])


def survived(models: Path, home: Path, kills: int) -> Survived:
    """Kill `kills` times, in as many runs as it takes."""
    chosen, chance = settings(models, home), random.Random(13)
    furnish(chosen)
    data, environment = _questions(home), _environment(chosen)
    undisturbed = _finished(Program(environment, data, home / "undisturbed"))
    usual = mean(prediction.seconds for prediction in Run.open(home / "undisturbed").predictions)
    done = runs = lost = twice = different = orphans = 0
    while done < kills:
        folder, runs = home / f"disturbed-{runs}", runs + 1
        while done < kills:
            program = Program(environment, data, folder)
            program.wait_for_answer()
            time.sleep(chance.uniform(0.0, usual))
            before = _lines(folder)
            if program.process.poll() is not None:
                break
            orphans, done = orphans + program.kill(), done + 1
            lost += len(set(before) - set(_lines(folder)))
            print(f"kill {done}: {len(before)} answers kept", flush=True)
        table = _finished(Program(environment, data, folder))
        twice += len(_lines(folder)) - len(table)
        different += sum(table.get(key) != cell for key, cell in undisturbed.items())
    return Survived(done, runs, len(undisturbed) * runs, lost, twice, different, orphans, _sound(chosen))


def _questions(home: Path) -> Path:
    """The questions in a folder, as JMMLU's authors lay out theirs."""
    home.mkdir(parents=True, exist_ok=True)
    with files("evaluation").joinpath("kill_questions.csv").open("rb") as source:
        (home / "anatomy.csv").write_bytes(source.read())
    return home


def _environment(chosen: Settings) -> dict[str, str]:
    """The settings, handed to another process."""
    values = {
        "HOME": chosen.home,
        "MODELS__FOLDER": chosen.models_folder,
        "ENGINE": json.dumps(chosen.engine.model_dump(include={"context_length", "lanes", "sequences", "exact"})),
        "TEAM": chosen.team.model_dump_json(exclude_defaults=True),
    }
    return {**os.environ, **{f"COREASONER_{name}": str(value) for name, value in values.items()}}


def _kept(folder: Path) -> int:
    file = folder / FILE
    return file.read_bytes().count(b"\n") if file.exists() else 0


def _lines(folder: Path) -> list[bytes]:
    """The whole lines of the predictions, as they stand in the file."""
    file = folder / FILE
    return file.read_bytes().split(b"\n")[:-1] if file.exists() else []


def _finished(program: Program) -> Table:
    """What everything was answered, without what a clock has to do with. Raises RuntimeError."""
    if code := program.process.wait():
        raise RuntimeError(f"the run in {program.folder} ended with {code}")
    made = Run.open(program.folder).predictions
    fields = {"seconds", "transcript_id", "usage"}
    return {one.key: (one.model_dump_json(exclude=fields), one.usage.completion_tokens) for one in made}


def _sound(chosen: Settings) -> bool:
    with TranscriptStore.open(chosen.transcripts_file, seal=Seal(KeyRing(chosen.keys_folder))) as store:
        try:
            store.verify_all()
        except TranscriptError as error:
            print(error, flush=True)
            return False
    return True


def main(arguments: Sequence[str] | None = None) -> None:
    """Kill as often as is asked."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.evaluate_kills", description=str(__doc__).partition("\n")[0]
    )
    parser.add_argument("--models-folder", type=Path, default=load_settings().models_folder)
    parser.add_argument("--kills", type=int, default=20)
    given = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="coreasoner-evaluate-kills-") as home:
        print(survived(given.models_folder, Path(home), given.kills), flush=True)


if __name__ == "__main__":
    main()
