"""Texts that say the same again: to the letter, or nearly, by the share of five-letter pieces that two have in common.

Near ones are found by MinHash (Broder 1997, https://doi.org/10.1109/SEQUEN.1997.666900), with a fixed seed, so that
the same texts in the same order are kept every time. Knows nothing of what the texts are.
"""

import unicodedata
from collections.abc import Iterator
from typing import Any, Literal

from evaluation.errors import LibraryMissing

Likeness = Literal["exact duplicate", "near duplicate", ""]

_PIECE = 5  # letters
_PERMUTATIONS = 128
_SEED = 1
_FINEST = 0.95  # of an index; what it proposes is compared one by one


class Seen:
    """The texts so far. Two are near duplicates where the estimated Jaccard similarity is at least `threshold`."""

    def __init__(self, threshold: float) -> None:
        self._exact: set[str] = set()
        self._threshold = threshold
        self._hashes: dict[str, Any] = {}
        self._near = _library().MinHashLSH(threshold=min(threshold, _FINEST), num_perm=_PERMUTATIONS)

    def again(self, text: str) -> Likeness:
        """How a text is like an earlier one; one that is like none is kept."""
        plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
        if plain in self._exact:
            return "exact duplicate"
        hashed = _library().MinHash(num_perm=_PERMUTATIONS, seed=_SEED)
        hashed.update_batch([piece.encode() for piece in _pieces(plain)])
        # The index proposes some that are less alike than asked.
        if any(self._hashes[key].jaccard(hashed) >= self._threshold for key in self._near.query(hashed)):
            return "near duplicate"
        self._exact.add(plain)
        self._hashes[plain] = hashed
        self._near.insert(plain, hashed)
        return ""


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + _PIECE] for start in range(max(1, len(text) - _PIECE + 1)))


def _library() -> Any:
    try:
        import datasketch
    except ImportError as error:
        raise LibraryMissing("datasketch is not installed; run pip install 'med-coreasoner[evaluation]'.") from error
    return datasketch
