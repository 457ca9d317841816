"""Saved beginnings: who may have them, how many are kept, and what a file on disk must be."""

from pathlib import Path

import pytest

from models.prefixes import Prefixes, common_prefix

STATE = bytes(range(256)) * 4


def kept(folder: Path | None = None, room: int = 1 << 20, made_by: str = "these tests") -> Prefixes:
    return Prefixes(room, folder, made_by)


@pytest.mark.parametrize(
    ("one", "other", "length"), [([], [1], 0), ([1, 2], [1, 2, 3], 2), ([1, 2], [2, 2], 0), ([1, 2], [1, 3], 1)]
)
def test_the_common_beginning_of_two_texts(one: list[int], other: list[int], length: int) -> None:
    assert common_prefix(one, other) == common_prefix(other, one) == length


def test_everyone_finds_what_is_nobodys_and_the_owner_what_is_the_owners() -> None:
    prefixes = kept()
    prefixes.put("", [1, 2], b"all")
    prefixes.put("mine", [1, 2, 3], b"own")
    found = {owner: prefixes.longest(owner, [1, 2, 3, 4], 0) for owner in ("mine", "yours", "")}
    assert {owner: saved and saved.state for owner, saved in found.items()} == {
        "mine": b"own",
        "yours": b"all",
        "": b"all",
    }


def test_a_beginning_that_differs_is_not_found() -> None:
    prefixes = kept()
    prefixes.put("", [1, 2], STATE)
    assert prefixes.longest("", [2, 1], 0) is None


def test_the_longest_unused_goes_first() -> None:
    prefixes = kept(room=2 * len(STATE))
    prefixes.put("", [1], STATE)
    prefixes.put("", [2], STATE)
    assert prefixes.longest("", [1, 5], 0) is not None
    prefixes.put("", [3], STATE)
    assert [prefixes.holds([n]) for n in (1, 2, 3)] == [True, False, True]


def test_what_is_larger_than_all_the_room_drives_nothing_out(tmp_path: Path) -> None:
    prefixes = kept(tmp_path, room=2 * len(STATE))
    prefixes.put("", [1], STATE)
    prefixes.put("", [2], STATE)
    assert not prefixes.has_room(3 * len(STATE))
    prefixes.put("", [3], 3 * STATE, lasting=True)
    assert [prefixes.holds([n]) for n in (1, 2, 3)] == [True, True, False]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_larger_than_all_the_room_is_left_alone(tmp_path: Path) -> None:
    kept(tmp_path).put("", [3], STATE, lasting=True)
    assert not kept(tmp_path, room=len(STATE) - 1).holds([3])
    assert kept(tmp_path).holds([3])


def test_forgetting_one_owner_leaves_the_others() -> None:
    prefixes = kept()
    for owner in ("", "mine", "yours"):
        prefixes.put(owner, [1, len(owner)], STATE)
    prefixes.forget("mine")
    prefixes.forget("")
    assert prefixes.longest("mine", [1, 4], 0) == prefixes.longest("", [1, 0], 0)
    assert prefixes.longest("yours", [1, 5], 0) is not None
    assert prefixes.holds([1, 0])


def test_only_what_lasts_is_written_and_no_conversation_ever(tmp_path: Path) -> None:
    prefixes = kept(tmp_path)
    prefixes.put("", [1], STATE)
    prefixes.put("mine", [2], STATE, lasting=True)
    assert list(tmp_path.iterdir()) == []
    prefixes.put("", [3], STATE, lasting=True)
    assert [file.suffix for file in tmp_path.iterdir()] == [".prefix"]
    assert kept(tmp_path).holds([3])
    assert not kept(tmp_path, made_by="another llama.cpp").holds([3])


@pytest.mark.parametrize("content", [b"", b"short", STATE, STATE + bytes(32)], ids=["empty", "short", "bare", "zeros"])
def test_a_file_that_is_not_whole_is_removed(tmp_path: Path, content: bytes) -> None:
    kept(tmp_path).put("", [3], STATE, lasting=True)
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert not kept(tmp_path).holds([3])
    assert not file.exists()


def test_a_folder_that_cannot_be_written_costs_nothing_but_the_file(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    prefixes = kept(blocked / "cache")
    prefixes.put("", [3], STATE, lasting=True)
    assert prefixes.holds([3])
