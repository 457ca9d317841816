"""The administrator's registry file grows, and loses nothing of what stands in it."""

from pathlib import Path

import pytest

from models import own_registry
from models.errors import MalformedRegistry, UnknownModel
from models.registry import Registry

ENTRY = {
    **{"role": "llm", "format": "gguf", "title": "Pupil", "file": "pupil.gguf", "licence": "Apache-2.0"},
    **{"languages": ["es"], "parameters": 1, "context_length": 512, "chat_template": "chatml"},
}


def test_an_entry_is_added_to_a_file_that_was_not_there(tmp_path: Path) -> None:
    own_registry.add(tmp_path / "home" / "registry.toml", "pupil", ENTRY)

    assert Registry.load(tmp_path / "home" / "registry.toml").card("pupil").title == "Pupil"


def test_comments_and_other_entries_stay(tmp_path: Path) -> None:
    file = tmp_path / "registry.toml"
    own_registry.add(file, "first", ENTRY)
    file.write_text(f"# from the ward\n{file.read_text('utf-8')}", "utf-8")

    own_registry.add(file, "second", ENTRY)

    assert file.read_text("utf-8").startswith("# from the ward")
    assert {"first", "second"} <= {card.name for card in Registry.load(file).cards}


def test_a_file_that_cannot_be_read_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "registry.toml"
    file.write_text("[models", "utf-8")

    with pytest.raises(MalformedRegistry, match=r"registry\.toml cannot be read"):
        own_registry.add(file, "pupil", ENTRY)

    assert file.read_text("utf-8") == "[models"


@pytest.mark.parametrize("name", ["", "Pupil", "../pupil", "a b", "-pupil", "p" * 81])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UnknownModel, match="cannot name a model"):
        own_registry.require_free(Registry.load(), name)


def test_a_name_that_is_taken_is_refused() -> None:
    taken = Registry.load().cards[0].name

    with pytest.raises(UnknownModel, match="already"):
        own_registry.require_free(Registry.load(), taken)
