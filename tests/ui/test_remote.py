"""A model on other machines, as the settings name it: what is refused, what is shown of it, what the doctor says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.errors import SettingsInvalid
from agents.settings import Settings, load_settings
from agents.workspace import ROLES, Workspace
from models.errors import RemoteRefused, UnknownModel
from models.remote import RemoteChatClient
from tests.models.chat_server import ChatServer, running_server
from ui.doctor import Finding, examine

MODEL = "smollm2-135m-instruct-q4_1"
ADDRESS = "http://gpu-1.hospital.example:8000/v1"


def settings_of(home: Path, *lines: str, urls: tuple[str, ...] = (ADDRESS,), name: str = "gpu") -> Settings:
    """Settings in which a remote model speaks for the local clinician; `lines` are more of its own."""
    roles = f'[models]\nenglish = "{MODEL}"\nlocal = "{name}"\nsynthesizer = "{name}"\n'
    remote = [f'[remote."{name}"]', f"urls = {list(urls)}", *(lines or ['model = "ward"'])]
    (home / "coreasoner.toml").write_text("\n".join((roles, *remote)), "utf-8")
    return load_settings()


def looked_at(workspace: Workspace) -> list[Finding]:
    return [finding for finding in examine(workspace) if finding.subject.startswith("remote")]


def test_a_role_may_be_played_on_other_machines(no_settings: Path) -> None:
    with Workspace(settings_of(no_settings)) as workspace:
        assert isinstance(workspace.client("local"), RemoteChatClient)
        assert not isinstance(workspace.client("english"), RemoteChatClient)


def test_roles_that_share_a_remote_model_share_its_servers(no_settings: Path) -> None:
    with Workspace(settings_of(no_settings)) as workspace:
        assert workspace.endpoints("gpu") is workspace.endpoints("gpu")


def test_a_remote_model_has_no_hash(no_settings: Path, models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COREASONER_MODELS__FOLDER", str(models_folder))
    with Workspace(settings_of(no_settings)) as workspace:
        shown = {model.role: (model.name, bool(model.sha256)) for model in workspace.loaded()}
    assert shown == {
        "english": (MODEL, True),
        "local": ("gpu", False),
        "synthesizer": ("gpu", False),
        "embedder": ("multilingual-e5-small", True),
    }


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        (['model = "ward"', 'api_key = "sk-1"'], "remote.gpu.api_key"),
        (['api_key_variable = "KEY"'], "remote.gpu.model"),
        (['model = "ward"', "timeout_s = 0"], "remote.gpu.timeout_s"),
    ],
)
def test_what_is_wrong_with_a_remote_model_is_refused_by_its_name(
    no_settings: Path, lines: list[str], key: str
) -> None:
    with pytest.raises(SettingsInvalid, match=rf"{key}\b"):
        settings_of(no_settings, *lines)


@pytest.mark.parametrize("urls", [(), ("ftp://gpu",), ("http://user:word@gpu",)])
def test_addresses_that_are_none_are_refused(no_settings: Path, urls: tuple[str, ...]) -> None:
    with pytest.raises(SettingsInvalid, match=r"remote\.gpu\.urls"):
        settings_of(no_settings, urls=urls)


def test_a_remote_model_may_not_be_called_like_one_of_the_registry(no_settings: Path) -> None:
    workspace = Workspace(settings_of(no_settings, name=MODEL))
    with pytest.raises(SettingsInvalid, match=f"remote.{MODEL} another name"):
        workspace.loaded()


def test_the_embedder_runs_here(no_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COREASONER_MODELS__EMBEDDER", "gpu")
    with pytest.raises(UnknownModel, match="gpu"):
        _ = Workspace(settings_of(no_settings)).embedder


def test_a_key_that_is_not_set_is_asked_for(no_settings: Path) -> None:
    workspace = Workspace(settings_of(no_settings, 'model = "ward"', 'api_key_variable = "WARD_KEY"'))
    with pytest.raises(RemoteRefused, match="WARD_KEY"):
        workspace.client("local")
    assert [(finding.state, "WARD_KEY" in finding.words) for finding in looked_at(workspace)] == [("bad", True)]


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with running_server() as server:
        yield server


def test_the_doctor_looks_at_every_endpoint(no_settings: Path, server: ChatServer) -> None:
    urls = (server.url, "http://127.0.0.1:9/v1")
    well, gone = looked_at(Workspace(settings_of(no_settings, urls=urls)))

    host = f"127.0.0.1:{server.server_port}"
    assert well == Finding(subject="remote, gpu", state="good", words=f"{host} serves ward")
    assert (gone.state, gone.words) == ("bad", "127.0.0.1:9 cannot be reached; check that the server runs.")


def test_the_doctor_says_which_models_there_are_instead(no_settings: Path, server: ChatServer) -> None:
    (finding,) = looked_at(Workspace(settings_of(no_settings, 'model = "icu"', urls=(server.url,))))
    assert (finding.state, finding.words.partition(" ")[2]) == ("warning", "lists ward, other, but not icu")


def test_the_doctor_names_the_servers_of_each_role(no_settings: Path) -> None:
    said = {finding.subject: finding.words for finding in examine(Workspace(settings_of(no_settings)))}
    assert {said[f"model, {role}"] for role in ROLES if role != "english"} == {
        "gpu, ward on gpu-1.hospital.example:8000"
    }
