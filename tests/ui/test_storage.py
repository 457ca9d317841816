"""`coreasoner knowledge` and `coreasoner doctor` on object storage, with the settings that an administrator writes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from agents.settings import load_settings
from agents.workspace import Workspace
from knowledge.storage import KnowledgeSettings
from tests.storage import KEYS, StorageServer
from tests.ui.conftest import Installation, Ran
from ui.doctor import Finding, examine_storage

Wards = Callable[[], Installation]


@pytest.fixture
def bucket(storage_server: StorageServer) -> KnowledgeSettings:
    return storage_server.bucket()


@pytest.fixture
def ward(installation: Installation, bucket: KnowledgeSettings, tmp_path: Path) -> Wards:
    """Machines that share nothing but a bucket."""
    made: list[Installation] = []

    def another() -> Installation:
        made.append(installation.elsewhere(home=tmp_path / f"home-{len(made)}", knowledge__location=bucket.location))
        named = {**made[-1].environment, **KEYS, "COREASONER_KNOWLEDGE__ENDPOINT": str(bucket.endpoint)}
        return Installation(made[-1].home, named)

    return another


def knowledge(where: Installation, *arguments: str) -> Ran:
    ran = where.run_here("knowledge", *arguments)
    assert ran.code == 0, ran.err
    return ran


def test_what_one_machine_adds_another_lists_finds_and_proves(ward: Wards, tmp_path: Path) -> None:
    (tmp_path / "zinc.md").write_text("# Diarrhoea\n\n## Treat\n\nGive zinc for ten days.\n", "utf-8")
    first, second = ward(), ward()

    added = knowledge(first, "add", str(tmp_path / "zinc.md"), "--language", "en")

    assert added.out.startswith("zinc.md: added, 1 documents, 1 passages")
    assert "zinc" in knowledge(second, "list").out
    assert "Give zinc" in knowledge(second, "search", "How long is zinc given?").out
    assert "everything is as it was added" in knowledge(second, "check").out
    assert not (first.home / "knowledge").exists()
    assert not (second.home / "knowledge").exists()


def storage(monkeypatch: pytest.MonkeyPatch, where: Installation) -> tuple[Finding, ...]:
    for name, value in where.environment.items():
        monkeypatch.setenv(name, value)
    return tuple(examine_storage(Workspace(load_settings())))


def test_the_doctor_says_whether_the_bucket_can_be_written_and_that_plain_http_can_be_read_on_the_way(
    ward: Wards, bucket: KnowledgeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (finding,) = storage(monkeypatch, ward())

    assert (finding.subject, finding.state) == ("storage", "warning")
    assert finding.words.startswith(f"{bucket.location} at {bucket.host} can be read and written, but")


def test_the_doctor_says_that_a_key_is_not_accepted(
    ward: Wards, storage_server: StorageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage_server.demand_keys(True)
    try:
        (finding,) = storage(monkeypatch, ward())
    finally:
        storage_server.demand_keys(False)

    assert finding.state == "bad"
    assert "doesn't let this key into the bucket" in finding.words


def test_without_a_bucket_the_doctor_says_nothing_of_storage(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert storage(monkeypatch, installation) == ()
