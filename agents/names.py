"""Concepts compared by their names alone, for when no embedding model is there to compare what they mean.

Two names are the same where they are written alike, whatever their case and accents, or are one word that names
the same medicine. Gives vectors, so that fusion need not know the difference.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from agents.drugs import drugs
from agents.folding import Folded


def embed_names(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """One normalised vector a name, shape [n, distinct names]: equal for the same concept, else orthogonal."""
    keys = [_key(text) for text in texts]
    place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    vectors = np.zeros((len(keys), len(place)), np.float32)
    vectors[np.arange(len(keys)), [place[key] for key in keys]] = 1.0
    return vectors


def _key(name: str) -> str:
    named = drugs(name)
    if named and len(name.split()) == 1:
        return " ".join(sorted(named))
    return " ".join(Folded(name).text.split())
