"""A document that cannot be had is an empty text, and never the end of a case."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.settings import load_settings
from agents.workspace import Workspace
from knowledge.sources import Sources
from ui.documents import documents_of


@pytest.fixture
def workspace(no_settings: Path) -> Iterator[Workspace]:
    with Workspace(load_settings()) as opened:
        yield opened


def kept(workspace: Workspace) -> Path:
    folder = workspace.settings.knowledge_folder / "sources"
    return folder / Sources(folder).keep(b"Give zinc.")


def test_a_document_is_opened_by_its_hash(workspace: Workspace) -> None:
    assert documents_of(workspace)(kept(workspace).name) == "Give zinc."


def test_a_document_that_was_altered_is_not_shown(workspace: Workspace) -> None:
    file = kept(workspace)
    file.chmod(0o600)
    file.write_bytes(b"Give gold.")

    assert documents_of(workspace)(file.name) == ""


def test_a_document_that_was_erased_is_not_shown(workspace: Workspace) -> None:
    assert documents_of(workspace)("0" * 64) == ""
