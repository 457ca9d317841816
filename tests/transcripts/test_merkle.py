"""The tree of RFC 9162: one root over many leaves, and a short way from each leaf to it."""

import hashlib

import pytest

from transcripts.merkle import Step, climb, path, root

LEAVES = [f"leaf {number}".encode() for number in range(33)]


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def test_three_leaves_give_the_root_that_the_definition_says() -> None:
    one, two, three = (digest(b"\x00" + leaf) for leaf in LEAVES[:3])
    expected = digest(b"\x01" + digest(b"\x01" + one + two) + three)

    assert root(LEAVES[:3]) == f"sha256:{expected.hex()}"


def test_no_leaves_give_the_hash_of_nothing() -> None:
    assert root([]) == f"sha256:{digest(b'').hex()}"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33])
def test_every_leaf_finds_its_way_to_the_root(count: int) -> None:
    leaves = LEAVES[:count]

    assert {climb(leaves[index], path(leaves, index)) for index in range(count)} == {root(leaves)}


def test_another_leaf_or_another_neighbour_leads_elsewhere() -> None:
    way = path(LEAVES, 11)
    wrong = (Step(way[0].side, "00" * 32), *way[1:])

    assert root(LEAVES) not in {climb(LEAVES[12], way), climb(LEAVES[11], wrong), climb(LEAVES[11], way[1:])}


def test_a_leaf_that_is_not_there_has_no_way() -> None:
    with pytest.raises(IndexError):
        path(LEAVES, 33)
