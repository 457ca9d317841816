"""A Merkle tree as RFC 9162 section 2.1 defines it: one hash over many leaves, and the short proof that one is in it.

Knows nothing of what the leaves say.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple


class Step(NamedTuple):
    """The neighbour on the way from a leaf to the root, as hexadecimal, and the side on which it stands."""

    side: Literal["left", "right"]
    hash: str


def root(leaves: Iterable[bytes]) -> str:
    """`sha256:` and the hexadecimal root; in memory for the logarithm of the number of leaves."""
    subtrees: list[tuple[int, bytes]] = []
    for leaf in leaves:
        height, node = 0, _leaf(leaf)
        while subtrees and subtrees[-1][0] == height:
            node, height = _node(subtrees.pop()[1], node), height + 1
        subtrees.append((height, node))
    if not subtrees:
        return _named(hashlib.sha256().digest())
    node = subtrees.pop()[1]
    while subtrees:
        node = _node(subtrees.pop()[1], node)
    return _named(node)


def path(leaves: Sequence[bytes], index: int) -> tuple[Step, ...]:
    """The neighbours of leaf `index`, nearest first; raises IndexError for one that is not there."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"there is no leaf {index} among {len(leaves)}")
    if len(leaves) == 1:
        return ()
    # The left half of a tree is the largest full one that leaves something for the right.
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < half:
        return (*path(leaves[:half], index), Step("right", root(leaves[half:])[7:]))
    return (*path(leaves[half:], index - half), Step("left", root(leaves[:half])[7:]))


def climb(leaf: bytes, steps: Iterable[Step]) -> str:
    """The root to which a leaf and its path lead."""
    node = _leaf(leaf)
    for step in steps:
        neighbour = bytes.fromhex(step.hash)
        node = _node(neighbour, node) if step.side == "left" else _node(node, neighbour)
    return _named(node)


def _leaf(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _named(digest: bytes) -> str:
    return f"sha256:{digest.hex()}"
