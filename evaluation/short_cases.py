"""Short cases for the small test model, on an installation of their own, where how good an answer is does not matter.

Also how a program that argues them is started with the same settings and killed as a power cut would. Knows nothing of
what is measured.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from agents.consultation import prepare
from agents.messages import Case
from agents.settings import Settings, load_settings
from agents.workspace import Workspace
from knowledge.shipped import starter_packs
from transcripts.errors import TranscriptError
from transcripts.keys import KeyRing
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

MODEL = "smollm2-135m-instruct-q4_1"
PACKS = ("en", "es", "ja")
_GONE_S = 20.0

CASES = (
    ("en", "Child of 3 with cough, fever and 48 breaths per minute, no chest indrawing. Which drug?"),
    ("es", "Niño de 2 años con tos, fiebre y 48 respiraciones por minuto, sin tiraje. ¿Qué tratamiento?"),
    ("ja", "3歳の女児が三日前から咳と発熱を示している。呼吸数は毎分52回。外来での治療は何か。"),
    ("en", "A 7-month-old has had watery stools for two days, sunken eyes and drinks eagerly. What now?"),
    ("es", "Lactante de 7 meses con diarrea acuosa de dos días, ojos hundidos y sed. ¿Qué hago?"),
    ("ja", "生後7か月の乳児。二日前から水様便があり、眼がくぼみ、よく飲む。どうするか。"),
    ("en", "Man of 44, cough for five weeks, night sweats, weight loss. Which test first?"),
    ("es", "Hombre de 44 años, tos desde hace cinco semanas, sudores nocturnos. ¿Qué prueba primero?"),
    ("en", "Woman of 61 with blood pressure of 168/98 on three visits. Which treatment is begun?"),
    ("es", "Mujer de 61 años con presión arterial de 168/98 en tres visitas. ¿Qué tratamiento se inicia?"),
)


def case(number: int) -> Case:
    """The case of this number; they begin again after the last, with the number in the text."""
    language, text = CASES[number % len(CASES)]
    return prepare(f"{text} ({number})", spoken=language)


def settings(models: Path, home: Path, model: str = MODEL, *, small: bool = True) -> Settings:
    """Two lanes with a text each, and budgets as small as makes sense."""
    roles = dict.fromkeys(("english", "local", "synthesizer"), model)
    engine = {"context_length": 4096, "lanes": 2, "sequences": 2, "exact": True}
    reasoner = {"rendering_tokens": 24, "reasoning_tokens": 32, "concept_tokens": 48}
    synthesis = {"answer_tokens": 64, "evidence_tokens": 150, "attempts": 1}
    team = {"reasoner": reasoner, "kept": 2, "synthesis": synthesis}
    chosen: dict[str, Any] = {"team": team} if small else {}
    return load_settings(home=home, models={"folder": models, **roles}, engine=engine, **chosen)


def furnish(chosen: Settings) -> None:
    """Add guidelines to an installation."""
    with Workspace(chosen) as workspace:
        for pack in starter_packs():
            if pack.name in PACKS:
                workspace.store.add(pack)


def program(chosen: Settings, *arguments: str) -> subprocess.Popen[bytes]:
    """`coreasoner` with these settings and the test model in a process of its own."""
    values = {
        "HOME": str(chosen.home),
        "MODELS__FOLDER": str(chosen.models_folder),
        "ENGINE": json.dumps(chosen.engine.model_dump(include={"context_length", "lanes", "sequences", "exact"})),
        "TEAM": chosen.team.model_dump_json(exclude_defaults=True),
    }
    return subprocess.Popen(
        [sys.executable, "-c", "from ui.start import main; main()", "--model", MODEL, *arguments],
        env={**os.environ, **{f"COREASONER_{name}": value for name, value in values.items()}},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill(process: subprocess.Popen[bytes]) -> int:
    """End a program with SIGKILL; how many of its workers are left over after a while."""
    workers: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    return len(psutil.wait_procs(workers, timeout=_GONE_S)[1])


def record(chosen: Settings) -> TranscriptStore:
    """The record of an installation, with its keys."""
    return TranscriptStore.open(chosen.transcripts_file, seal=Seal(KeyRing(chosen.keys_folder)))


def is_sound(chosen: Settings) -> bool:
    """Whether the record of an installation proves itself; what does not is printed."""
    with record(chosen) as store:
        try:
            store.verify_all()
        except TranscriptError as error:
            print(error, flush=True)
            return False
    return True
