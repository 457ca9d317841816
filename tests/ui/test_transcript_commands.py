"""`coreasoner transcripts`: an auditor proves, replays, compares and takes away, and leaves a trace."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agents.settings import load_settings
from agents.workspace import Workspace
from transcripts.errors import CheckpointAltered, SigningKeyUnusable, TranscriptAltered
from transcripts.event import EventKind
from transcripts.keys import SigningKey
from ui.cli import app

SPOKEN = ("痛みは\x1b[2J", "左腕へ", " 🫀\r\n")


@pytest.fixture
def home(no_settings: Path) -> Path:
    """An installation that has not been used yet."""
    return no_settings


def argue(last: str = "aspirin") -> str:
    """Record a case with two streams."""
    with Workspace(load_settings()) as workspace, workspace.transcripts.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "胸痛", "language": "ja"})
        for agent in ("english", "local"):
            with recorder.stream(agent) as stream:
                for text in SPOKEN:
                    stream.add(f"{agent} {text}")
        recorder.record(EventKind.ANSWER, {"text": last})
    return recorder.consultation_id


def run(*arguments: str, stdin: str | None = None, code: int = 0) -> Result:
    done = CliRunner().invoke(app, ["transcripts", *arguments], input=stdin, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def kinds(consultation: str) -> list[EventKind]:
    with Workspace(load_settings()) as workspace:
        return [event.kind for event in workspace.transcripts.events(consultation)]


def tamper(home: Path) -> None:
    content = (home / "transcripts.db").read_bytes()
    (home / "transcripts.db").write_bytes(content.replace(b"aspirin", b"warfari"))


def test_one_and_all_are_proved_with_the_keys_of_the_installation(home: Path) -> None:
    consultation = argue()

    one, everything = run("verify", consultation).output, run("verify", "--all").output

    assert "5 events, unaltered, 5 of them signed" in one
    assert "1 consultations with 5 events, unaltered; checkpoint 2 of " in everything
    assert "signs all but 0." in everything


def test_an_auditor_needs_only_the_file_and_the_public_key(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    argue()
    away = tmp_path_factory.mktemp("auditor")
    for name in ("transcripts.db", "keys/record.pub"):
        (home / name).rename(away / Path(name).name)

    said = run("verify", "--all", "--file", str(away / "transcripts.db"), "--key", str(away / "record.pub")).output

    assert "1 consultations with 5 events, unaltered; checkpoint" in said


def test_a_key_that_did_not_sign_proves_nothing(home: Path) -> None:
    argue()

    with pytest.raises(CheckpointAltered, match="which is not known"):
        run("verify", "--all", "--key", SigningKey.make().public)
    with pytest.raises(SigningKeyUnusable):
        run("verify", "--all", "--key", "no-such-file")


def test_an_alteration_is_an_error_that_names_the_event(home: Path) -> None:
    consultation = argue()
    tamper(home)

    for arguments in (("verify", consultation), ("verify", "--all"), ("replay", consultation), ("show", consultation)):
        with pytest.raises(TranscriptAltered, match=f"event 3 of consultation {consultation}"):
            run(*arguments)


def test_either_a_transcript_or_all_must_be_asked_for(home: Path) -> None:
    run("verify", code=2)
    run("verify", "c_any", "--all", code=2)


def test_the_second_copy_is_compared_when_the_settings_name_one(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COREASONER_TRANSCRIPTS__CHECKPOINT_COPY", str(tmp_path / "copy.jsonl"))
    argue()

    assert "the second copy lacks 0 checkpoints." in run("verify", "--all").output


def test_a_replay_shows_everything_as_text_and_leaves_a_trace(home: Path) -> None:
    consultation = argue()

    shown = run("replay", consultation, "--speed", "1000").output

    assert "english 痛みは␛[2Jenglish 左腕へ" in shown
    assert shown.rstrip().endswith("finished")
    assert kinds(consultation)[-1] is EventKind.VIEWED


def test_a_replay_can_begin_later_and_go_step_by_step(home: Path) -> None:
    consultation = argue()

    shown = run("replay", consultation, "--step", "--from", "3", stdin="\n\n").output

    assert "胸痛" not in shown
    assert shown.index("aspirin") < shown.index("finished")


def test_one_stream_is_poured_out_byte_for_byte(home: Path) -> None:
    consultation = argue()

    poured = run("replay", consultation, "--stream", "1", "--speed", "1000").stdout_bytes

    assert poured == "".join(f"local {text}" for text in SPOKEN).encode()


def test_two_runs_are_compared(home: Path) -> None:
    left, same, other = argue(), argue(), argue("warfarin")

    assert "Identical" in run("diff", left, same).output
    differing = run("diff", left, other, code=1).output
    assert "They differ in answer, text:" in differing
    assert "event 3: 'aspirin'" in differing
    assert "event 3: 'warfarin'" in differing


def test_what_is_exported_is_proved_elsewhere_and_leaves_a_trace(home: Path, tmp_path: Path) -> None:
    consultation = argue()

    run("export", consultation, str(tmp_path / "away"))

    folder = tmp_path / "away" / consultation
    command = [sys.executable, "check_export.py", f"{consultation}.jsonl", "record.pub"]
    checked = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert checked.stdout.startswith("UNALTERED: 6 events"), checked.stderr
    assert "胸痛" in (folder / f"{consultation}.html").read_text("utf-8")
    assert kinds(consultation)[-1] is EventKind.EXPORTED


def test_after_a_new_key_the_old_signatures_still_hold(home: Path) -> None:
    before = argue()

    said = run("new-key").output
    after = argue()

    assert said.startswith("New signatures are by ed25519:")
    for consultation in (before, after):
        assert "unaltered" in run("verify", consultation).output
    assert "2 consultations" in run("verify", "--all").output
