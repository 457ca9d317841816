"""`coreasoner transcripts export` and what belongs to it: what is taken away leaves a trace and proves itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agents.languages import languages
from agents.settings import load_settings
from agents.workspace import Workspace
from transcripts.cues import languages as redactable
from transcripts.errors import TranscriptAltered
from transcripts.event import EventKind
from ui.cli import app


def argue() -> str:
    with Workspace(load_settings()) as workspace, workspace.transcripts.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "氏名：山田 太郎、胸痛", "language": "ja"})
        recorder.record(EventKind.ANSWER, {"text": "山田 太郎様: aspirin"})
    return recorder.consultation_id


def run(*arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(app, ["transcripts", *arguments], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def test_a_redacted_export_is_proved_elsewhere_and_here(no_settings: Path, tmp_path: Path) -> None:
    consultation = argue()

    said = run("export", consultation, str(tmp_path / "away"), "--redact", "--fhir").output

    folder = tmp_path / "away" / consultation
    command = [sys.executable, "-I", "check_export.py", f"{consultation}.jsonl", "record.pub"]
    checked = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert "3 events, with 2 name taken out" in said
    assert checked.stdout.startswith("REDACTED, UNALTERED: 3 events"), checked.stderr
    assert not any("山田" in file.read_text("utf-8") for file in folder.iterdir())
    assert "All 3 events are as recorded" in run("check-redaction", str(folder / f"{consultation}.jsonl")).output


def test_a_redacted_export_that_was_changed_is_not_as_recorded(no_settings: Path, tmp_path: Path) -> None:
    consultation = argue()
    run("export", consultation, str(tmp_path), "--redact")
    file = tmp_path / consultation / f"{consultation}.jsonl"
    file.write_text(file.read_text("utf-8").replace("aspirin", "warfarin"), "utf-8")

    with pytest.raises(TranscriptAltered, match="event 1 of"):
        run("check-redaction", str(file))


def test_only_with_consent_there_is_something_to_train_on(no_settings: Path, tmp_path: Path) -> None:
    consented, withdrawn = argue(), argue()
    run("consent", consented, "--by", "form 1")
    run("consent", withdrawn, "--by", "form 2")
    run("consent", withdrawn, "--by", "form 2", "--withdraw")

    said = run("export", "--training", str(tmp_path / "train.jsonl")).output

    (line,) = (tmp_path / "train.jsonl").read_text("utf-8").splitlines()
    assert "1 turns of 1 consultations" in said
    assert "Left out: 1 no consent." in said
    assert json.loads(line)["messages"][1] == {"role": "assistant", "content": "[name]様: aspirin"}


def test_either_one_consultation_or_all_to_train_on(no_settings: Path) -> None:
    run("export", code=2)
    run("export", "c_any", "folder", "--training", "file", code=2)


def test_every_language_of_a_case_can_be_redacted() -> None:
    assert set(languages()) <= set(redactable())
