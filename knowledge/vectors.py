"""Vectors held in memory and compared one by one, which finds what is really nearest.

An approximate index would be as fast, but what it misses depends on how it was built: a knowledge base that is built
again from its sources must find the same passages. Knows neither tables nor passages.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

_DIGITS = 6  # equal vectors at different places of a matrix differ in a cosine's last bits


class HeldVectors:
    """The vectors [n, d] of n ids; a vector without direction has a cosine of 0 to everything."""

    def __init__(self, ids: Sequence[str], vectors: Vectors) -> None:
        self._ids, self._vectors = ids, vectors
        self._lengths = np.linalg.norm(vectors, axis=1)
        self._lengths[self._lengths == 0] = 1
        self.centre: Vectors = vectors.mean(axis=0) if len(ids) else np.zeros(vectors.shape[1], np.float32)

    def __len__(self) -> int:
        return len(self._ids)

    def nearest(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """(id, cosine) of the `limit` vectors that are nearest to a vector [d] with a direction, ties by id."""
        if not self._ids or limit < 1:
            return []
        cosines = np.round(self._vectors @ vector / (self._lengths * np.linalg.norm(vector)), _DIGITS)
        last = max(0, len(cosines) - limit)
        within = np.flatnonzero(cosines >= np.partition(cosines, last)[last])  # with all that tie for the last place
        found = [(self._ids[i], float(cosines[i])) for i in within.tolist()]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:limit]


class HeldFilters:
    """What was read for the latest filters, as long as it is at most twice `rows` together. Any thread may ask."""

    def __init__(self, rows: int) -> None:
        self._most = 2 * rows
        self._held: OrderedDict[str, HeldVectors] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, read: Callable[[], HeldVectors]) -> HeldVectors:
        """What is held under the key, read where nothing is."""
        with self._lock:
            if key not in self._held:
                self._held[key] = read()
            self._held.move_to_end(key)
            while sum(map(len, self._held.values())) > self._most:
                self._held.popitem(last=False)
            return self._held[key]
