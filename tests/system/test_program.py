"""The program as its users run it: one case on the starter model, and everything without a network."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from tests.system.conftest import COMMAND

SMALL = ["--model", "smollm2-135m-instruct-q4_1"]
CASE = "Niño de 2 años con tos, fiebre y 48 respiraciones por minuto, sin tiraje. ¿Qué tratamiento?"


def ask(environment: Mapping[str, str], *words: str) -> dict[str, Any]:
    done = subprocess.run([*words], env=environment, capture_output=True, text=True, timeout=540)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_starter_model_argues_a_case_to_its_end(installation: Mapping[str, str]) -> None:
    report = ask(installation, COMMAND, "ask", "--json", CASE)

    assert report["english_reasoning"]["status"] == report["local_reasoning"]["status"] == "argued"
    assert report["english_chain"]["concepts"]
    assert report["local_chain"]["concepts"]
    assert report["fused_chain"]["concepts"]
    assert {p["passage"]["language"] for p in report["evidence"]["passages"]} == {"es", "en"}
    assert report["answer"]["language"] == "es"
    assert report["answer"]["text"]
    numbers = {p["number"] for p in report["evidence"]["passages"]}
    assert {n for claim in report["answer"]["claims"] for n in claim["passages"]} <= numbers
    spans = {(s["agent"], s["phase"]): s for s in report["timings"]["spans"]}
    local = spans["LocalClinician", "reasoning"]
    assert spans["EnglishReasoner", "rendering"]["start"] < local["end"]
    assert local["start"] < spans["EnglishReasoner", "rendering"]["end"]


def test_a_case_is_argued_without_any_network(installation: Mapping[str, str]) -> None:
    alone = [*filter(None, [shutil.which("unshare")]), "--net", "--map-root-user"]
    if len(alone) < 3 or subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("this machine does not allow a network namespace of one's own")
    budgets = {"COREASONER_TEAM__REASONER__REASONING_TOKENS": "48", "COREASONER_TEAM__SYNTHESIS__ANSWER_TOKENS": "96"}

    report = ask({**installation, **budgets}, *alone, COMMAND, *SMALL, "ask", "--json", CASE)

    assert report["evidence"]["status"] == "found"
    assert report["transcript_id"].startswith("c_")


@pytest.mark.parametrize("module", ["typing", "pydantic", "autogen_core"])
def test_a_stop_while_the_libraries_are_read_is_a_sentence(installation: Mapping[str, str], module: str) -> None:
    # A shell's background job ignores Ctrl-C, and so would everything that it starts.
    command = ["env", "--default-signal=INT", sys.executable, "-X", "importtime", COMMAND, "doctor"]
    with subprocess.Popen(command, env=installation, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        said = ""
        for line in run.stderr:
            if "import time:" not in line:
                said += line
            elif line.split()[-1] == module:
                run.send_signal(signal.SIGINT)
    assert (run.returncode, said.strip()) == (130, "Stopped.")
