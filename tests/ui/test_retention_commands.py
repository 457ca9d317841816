"""`coreasoner transcripts`: old consultations are erased, held ones kept, and whoever may not is refused."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agents.errors import SettingsInvalid
from agents.settings import TranscriptSettings, load_settings
from agents.workspace import Workspace
from transcripts.access import system_user
from transcripts.consultation import Status
from transcripts.errors import AccessDenied
from transcripts.event import EventKind
from transcripts.keys import KeyRing
from transcripts.seal import Seal
from transcripts.store import TranscriptStore
from ui.cli import app

OLD = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def home(no_settings: Path) -> Path:
    """An installation that has not been used yet."""
    return no_settings


def argue(home: Path, started: datetime) -> str:
    """Record a case at another time."""
    settings = load_settings()
    with (
        TranscriptStore.open(
            settings.transcripts_file, seal=Seal(KeyRing(home / "keys")), clock=lambda: started
        ) as store,
        store.begin() as recorder,
    ):
        recorder.record(EventKind.CASE, {"text": "fingerspitzengefuehl", "language": "de"})
    return recorder.consultation_id


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(app, ["transcripts", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def keep_for(home: Path, years: int, more: str = "") -> None:
    (home / "coreasoner.toml").write_text(f"[transcripts]\nkeep_years = {years}\n{more}", "utf-8")


@pytest.fixture
def in_two_years(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retention is asked about in 2029."""

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Later":
            return cls(2029, 11, 30, tzinfo=UTC)

    monkeypatch.setattr("ui.retention_commands.datetime", Later)


@pytest.mark.usefixtures("in_two_years")
def test_erasing_says_what_it_would_erase_and_does_it_only_when_told_to(home: Path) -> None:
    consultation = argue(home, datetime(2026, 11, 20, tzinfo=UTC))
    keep_for(home, 2)

    assert "1 consultations would be erased" in run("erase").output
    assert b"fingerspitzengefuehl" in (home / "transcripts.db").read_bytes()
    assert "1 consultations erased; 0 are kept" in run("erase", "--really").output

    assert b"fingerspitzengefuehl" not in (home / "transcripts.db").read_bytes()
    said = run("verify", consultation).output.replace("\n", " ")
    assert "the content of 2 of them was erased under retention on " in said
    assert "(kept for 2 years), their hashes are kept" in said
    assert "2 of them was erased" in run("verify", "--all").output.replace("\n", " ")


@pytest.mark.usefixtures("in_two_years")
def test_what_is_held_is_kept_until_it_is_released(home: Path) -> None:
    consultation = argue(home, OLD)
    keep_for(home, 2)
    run("hold", consultation, "--reason", "complaint 7")
    assert "0 consultations erased; 1 are kept" in run("erase", "--really").output

    run("release", consultation)

    assert "1 consultations erased; 0 are kept" in run("erase", "--really").output


def test_nothing_is_erased_before_its_time(home: Path) -> None:
    argue(home, OLD)
    keep_for(home, 10)

    assert "0 consultations erased; 0 are kept" in run("erase", "--really").output


def test_without_a_time_to_keep_nothing_is_erased(home: Path) -> None:
    with pytest.raises(SettingsInvalid, match="keep_years"):
        run("erase", "--really")


def test_a_role_decides_and_a_denial_is_listed(home: Path) -> None:
    consultation = argue(home, OLD)
    keep_for(home, 10, f'[access.subjects]\n"{system_user()}" = "clinician"\n')

    assert "fingerspitzengefuehl" in run("show", consultation).output
    with pytest.raises(AccessDenied, match="their role, clinician"):
        run("hold", consultation)
    assert "erase" in run("denials").output


def test_the_list_is_narrowed(home: Path) -> None:
    first, second = argue(home, OLD), argue(home, datetime(2026, 11, 25, tzinfo=UTC))

    assert (first in run("list", "--until", "2026-11-21").output) is True
    for option in (["--since", "2026-11-21"], ["--since", "2026-11-21", "--language", "de", "--text", "FINGER"]):
        output = run("list", *option).output
        assert (first in output, second in output) == (False, True)
    assert first not in run("list", "--status", Status.FAILED.value).output


def test_a_password_does_not_belong_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("postgresql://a:b@host/db", "postgresql://a@host/db?password=b"):
        with pytest.raises(ValueError, match="no password belongs"):
            TranscriptSettings(database=address)
    chosen = TranscriptSettings(database="postgresql://a@host/db", database_password_variable="RECORD_PASSWORD")
    with pytest.raises(SettingsInvalid, match="RECORD_PASSWORD"):
        chosen.password()
    monkeypatch.setenv("RECORD_PASSWORD", "secret")
    assert chosen.password() == "secret"


def test_the_workspace_asks_on_behalf_of_whoever_logged_in(home: Path) -> None:
    consultation = argue(home, OLD)
    keep_for(home, 10, f'[access.subjects]\n"{system_user()}" = "auditor"\nsato = "clinician"\n')

    with Workspace(load_settings()) as workspace:
        assert workspace.transcripts_of("sato").consultations()
        with pytest.raises(AccessDenied):
            list(workspace.transcripts_of("sato").export(consultation))
        with pytest.raises(AccessDenied):
            workspace.transcripts_of("mallory").events(consultation)
