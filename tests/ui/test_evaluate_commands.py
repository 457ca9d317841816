"""`coreasoner evaluate` as people run it: a small run of the real test model, its report, a comparison, refusals."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from evaluation.errors import EvaluationError
from evaluation.predictions import FILE
from evaluation.run_folder import Run
from tests.evaluation.runs.values import item, plan, prediction
from tests.ui.conftest import MODEL, Installation, Ran
from transcripts.store import TranscriptStore

QUESTIONS = (
    "咳と発熱があり呼吸が速い。最も考えられるのはどれか。,肺炎,骨折,近視,虫歯,A\n"
    "尿を作る臓器はどれか。,肺,胃,心臓,腎臓,D\n"
)
SYSTEMS = ("direct", "without-retrieval")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two questions as JMMLU's authors lay out theirs."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "anatomy.csv").write_text(QUESTIONS, "utf-8")
    return folder


@pytest.fixture(scope="module")
def quick(installation: Installation) -> Installation:
    """Without rebuttals, so that budgets are small."""
    return installation.elsewhere(team__rounds=0, engine__lanes=2, engine__sequences=2)


def begin(quick: Installation, data: Path, folder: Path, *systems: str) -> tuple[str, ...]:
    named = [f"--system={system}" for system in systems]
    return ("evaluate", "run", "--data", str(data), "--benchmark", "jmmlu-medical", *named, "--run", str(folder))


@pytest.fixture(scope="module")
def ran(quick: Installation, data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Run]:
    folder = tmp_path_factory.mktemp("runs") / "first"
    done = quick.run_here(*begin(quick, data, folder, *SYSTEMS))
    return done, Run.open(folder)


def test_a_run_answers_every_item_with_every_system_and_says_where(ran: tuple[Ran, Run]) -> None:
    done, run = ran

    assert (done.code, len(run.predictions)) == (0, 4)
    assert "4 answers are in" in done.out
    assert "sequences were in use" in done.out


def test_every_answer_names_a_record_that_proves_itself(ran: tuple[Ran, Run], quick: Installation) -> None:
    with TranscriptStore.open(quick.home / "evaluations" / "transcripts.db", read_only=True) as store:
        events = [store.verify(prediction.transcript_id).events for prediction in ran[1].predictions]

    assert all(count > 5 for count in events)


def test_a_run_that_is_done_does_nothing_again(ran: tuple[Ran, Run], quick: Installation) -> None:
    before = (ran[1].folder / FILE).read_bytes()

    again = quick.run_here("evaluate", "run", "--run", str(ran[1].folder))

    assert (again.code, (ran[1].folder / FILE).read_bytes()) == (0, before)


def test_other_settings_do_not_go_on_with_a_run(ran: tuple[Ran, Run], quick: Installation) -> None:
    other = quick.elsewhere(team__query_mode="question").run("evaluate", "run", "--run", str(ran[1].folder))

    assert other.code == 1
    assert "team.query_mode (chain there, question now)" in other.err
    assert "Traceback" not in other.err


def test_the_report_is_two_files(ran: tuple[Ran, Run], quick: Installation, tmp_path: Path) -> None:
    done = quick.run_here("evaluate", "report", str(ran[1].folder), "--to", str(tmp_path / "report"))

    assert done.code == 0
    assert "| direct |" in (tmp_path / "report" / "report.md").read_text("utf-8")
    assert "<svg" in (tmp_path / "report" / "report.html").read_text("utf-8")


def test_two_systems_of_a_run_are_compared(ran: tuple[Ran, Run], quick: Installation) -> None:
    folder = ran[1].folder

    done = quick.run_here("evaluate", "compare", f"{folder}:direct", f"{folder}:without-retrieval")

    assert done.code == 0
    assert "without-retrieval less direct, ja:" in done.out


def test_a_model_judges_the_open_answers_of_a_run(quick: Installation, tmp_path: Path) -> None:
    question = item("1", task="open", options=(), right=(), references=("Oral amoxicillin.",))
    run = Run.begin(tmp_path / "run", plan(question), [question])
    with run.writing():
        run.predictions.add(prediction("1", chosen=(), text="Amoxicilina por la boca."))

    done = quick.run_here("evaluate", "judge", str(run.folder), "--model", MODEL)

    assert (done.code, len(run.judgements)) == (0, 1)
    assert run.judgements[0].judge.startswith(f"{MODEL} (")
    assert f"1 answers are judged by {run.judgements[0].judge}" in done.out
    assert bool(run.judgements[0].marks) is not bool(run.judgements[0].fault)


def test_the_list_names_benchmarks_systems_and_metrics(quick: Installation) -> None:
    done = quick.run_here("evaluate", "list")

    assert done.code == 0
    assert all(name in done.out for name in ("jmmlu-medical", "translate-then-english", "accuracy"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("report", "{tmp}", "--to", "{tmp}"), "There is no run in"),
        (("run", "--data", "{tmp}", "--benchmark", "guess"), "no benchmark 'guess'"),
        (("run", "--data", "{tmp}", "--benchmark", "jmmlu-medical"), "get them from"),
        (("run", "--data", "{tmp}", "--system", "guess"), "no system called guess"),
        (("run", "--data", "{tmp}"), "No benchmark in"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: tuple[str, ...], said: str, quick: Installation, tmp_path: Path
) -> None:
    with pytest.raises(EvaluationError, match=said):
        quick.run_here("evaluate", *(argument.format(tmp=tmp_path) for argument in arguments))


def test_ctrl_c_leaves_a_run_that_goes_on(quick: Installation, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "stopped"
    command = quick.command(*begin(quick, data, folder, "direct", "local-only"))
    program = subprocess.Popen(command, env=dict(quick.environment), stderr=subprocess.PIPE, text=True)
    while not (folder / FILE).exists() and program.poll() is None:
        time.sleep(0.05)
    program.send_signal(signal.SIGINT)
    _, said = program.communicate(timeout=120)
    kept = (folder / FILE).read_bytes()

    going_on = quick.run("evaluate", "run", "--run", str(folder))

    assert program.returncode == 130
    assert f"coreasoner evaluate run --run {folder}" in said.replace("\n", "")
    assert going_on.code == 0
    lines = (folder / FILE).read_bytes()
    assert lines.startswith(kept)
    assert len({(one["id"], one["system"]) for one in map(json.loads, lines.splitlines())}) == 4
