"""What an evaluation survives when its program is killed in the middle, again and again.

`python -m evaluation.evaluate_kills --kills 20` answers twelve questions with the small test model, undisturbed and
then killed with SIGKILL at moments of chance and resumed, and compares the two tables. With `--home FOLDER` it takes up
what it left there. Knows nothing of right answers.
"""

import argparse
import random
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files
from itertools import count
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import NamedTuple

from agents.reasoner import ReasonerSettings
from agents.settings import Settings, load_settings
from agents.synthesizer import SynthesisSettings
from evaluation.predictions import FILE
from evaluation.run import left
from evaluation.run_folder import PLAN, Run
from evaluation.short_cases import furnish, is_sound, kill, program, settings

_SYSTEMS = ("direct", "coreasoner")
_WATCHED_S = 0.05
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


def _started(chosen: Settings, folder: Path) -> subprocess.Popen[bytes]:
    """`coreasoner evaluate run` in a process of its own."""
    asked = ["--data", str(chosen.home), "--benchmark", "jmmlu-medical", *(f"--system={name}" for name in _SYSTEMS)]
    options = [] if (folder / PLAN).exists() else asked
    return program(chosen, "evaluate", "run", *options, "--run", str(folder))


def _wait_for_answer(running: subprocess.Popen[bytes], folder: Path) -> None:
    """Until one more answer is kept, or the program has ended."""
    known, ends = len(_lines(folder)), time.perf_counter() + _START_S
    while len(_lines(folder)) == known and running.poll() is None:
        if time.perf_counter() > ends:
            raise TimeoutError("the program answered nothing; is the model here?")
        time.sleep(_WATCHED_S)


def survived(models: Path, home: Path, kills: int) -> Survived:
    """Kill `kills` times, in as many runs as it takes; the last one is finished, too."""
    chosen = _small(models, home)
    furnish(chosen)
    _put_questions(home)
    undisturbed = _finished(chosen, home / "undisturbed")
    usual = mean(prediction.seconds for prediction in Run.open(home / "undisturbed").predictions)
    done = runs = lost = twice = different = orphans = 0
    while done < kills or not runs:
        folder = next(place for number in count() if not _complete(place := home / f"disturbed-{number}"))
        chance, runs = random.Random(len(_lines(folder))), runs + 1
        while done < kills and not _complete(folder):
            if found := _killed(chosen, folder, chance.uniform(0.0, usual)):
                done, lost, orphans = done + 1, lost + found[0], orphans + found[1]
                print(f"kill {done}: {len(_lines(folder))} answers kept, {found[0]} lost", flush=True)
        table = _finished(chosen, folder)
        twice += len(_lines(folder)) - len(table)
        different += sum(table.get(key) != cell for key, cell in undisturbed.items())
    return Survived(done, runs, len(undisturbed) * runs, lost, twice, different, orphans, is_sound(chosen.evaluating()))


def _killed(chosen: Settings, folder: Path, after: float) -> tuple[int, int] | None:
    """Kill the program so many seconds after its first answer: how many answers were lost, and workers left over.

    None where it was done before.
    """
    running = _started(chosen, folder)
    _wait_for_answer(running, folder)
    with suppress(subprocess.TimeoutExpired):
        running.wait(after)
        return None
    before = _lines(folder)
    over = kill(running)
    return len(set(before) - set(_lines(folder))), over


def _small(models: Path, home: Path) -> Settings:
    """Two lanes, and the least that the team may write: what is measured is not how good it is."""
    chosen = settings(models, home)
    reasoner = ReasonerSettings(rendering_tokens=16, reasoning_tokens=16, concept_tokens=40)
    synthesis = SynthesisSettings(answer_tokens=64, evidence_tokens=150, attempts=1)
    team = chosen.team.model_copy(update={"rounds": 0, "reasoner": reasoner, "synthesis": synthesis})
    return chosen.model_copy(update={"team": team})


def _put_questions(home: Path) -> None:
    """The questions in a folder, as JMMLU's authors lay out theirs."""
    home.mkdir(parents=True, exist_ok=True)
    with files("evaluation").joinpath("kill_questions.csv").open("rb") as source:
        (home / "anatomy.csv").write_bytes(source.read())


def _lines(folder: Path) -> list[bytes]:
    """The whole lines of the predictions, as they stand in the file."""
    return (folder / FILE).read_bytes().split(b"\n")[:-1] if (folder / FILE).exists() else []


def _complete(folder: Path) -> bool:
    return (folder / PLAN).exists() and not left(Run.open(folder))


def _finished(chosen: Settings, folder: Path) -> Table:
    """What everything was answered, without what a clock has to do with. Raises RuntimeError."""
    if not _complete(folder) and (code := _started(chosen, folder).wait()):
        raise RuntimeError(f"the run in {folder} ended with {code}")
    fields = {"seconds", "transcript_id", "usage"}
    made = Run.open(folder).predictions
    return {one.key: (one.model_dump_json(exclude=fields), one.usage.completion_tokens) for one in made}


def main(arguments: Sequence[str] | None = None) -> None:
    """Kill as often as is asked."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.evaluate_kills", description=str(__doc__).partition("\n")[0]
    )
    parser.add_argument("--models-folder", type=Path, default=load_settings().models_folder)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--home", type=Path, help="keep everything here")
    given = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="coreasoner-evaluate-kills-") as home:
        print(survived(given.models_folder, given.home or Path(home), given.kills), flush=True)


if __name__ == "__main__":
    main()
