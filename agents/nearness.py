"""How near a sentence is to the passages that it cites, by an embedding.

In one language the sentence is held against the whole passage. Across languages that tells little: every language has
a corner of its own among the vectors, and a passage says more than one thing. There the sentence is held against each
statement of the passage, and both without the mean of typical sentences of their language. Knows nothing of numbers,
medicines or denials.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from agents.messages import CitedPassage
from agents.wording import statements
from knowledge.passage import Passage
from knowledge.shipped import typical_sentences
from knowledge.table import primary_subtag

Vector = npt.NDArray[np.float32]


class TextEmbedder(Protocol):
    """Turns sentences and passages into comparable vectors [n, dimension]."""

    def embed_queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One normalised vector a sentence."""

    def embed_passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """One normalised vector a passage."""


class Nearness:
    """For the answers of one case: the vectors of its passages are remembered; those of sentences the embedder keeps.

    `support` is the cosine that a sentence must reach to a passage, `across` that without the means, to a statement of
    a passage in another language, and `across_in` the same where the sentence is in certain languages; None, or a
    language without typical sentences, leaves it at `support`.
    """

    def __init__(
        self,
        embedder: TextEmbedder,
        support: float,
        across: float | None = None,
        across_in: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self._embedder, self._support, self._across, self._across_in = embedder, support, across, across_in
        self._passages: dict[str, Vector] = {}

    def near(self, sentence: str, spoken: str, cited: Sequence[CitedPassage]) -> bool:
        """Whether a sentence in the language `spoken` (ISO 639-1) is near enough to one of the cited passages."""
        return any(self._near(sentence, spoken, one.passage) for one in cited)

    def _near(self, sentence: str, spoken: str, passage: Passage) -> bool:
        (vector,) = self._embedder.embed_queries([sentence])
        written = primary_subtag(passage.language)
        if written != spoken and self._across is not None:
            ours, theirs = self._mean(spoken), self._mean(written)
            said = statements(passage.text)
            if ours is not None and theirs is not None and said:
                cosines = _unit(self._embedder.embed_queries(said) - theirs) @ _unit(vector - ours)
                return bool(cosines.max() >= self._across_in.get(spoken, self._across))
        return bool(vector @ self._whole(passage.text) >= self._support)

    def _whole(self, text: str) -> Vector:
        if text not in self._passages:
            (self._passages[text],) = self._embedder.embed_passages([text])
        return self._passages[text]

    def _mean(self, language: str) -> Vector | None:
        texts = typical_sentences(language)
        return np.mean(self._embedder.embed_queries(texts), axis=0, dtype=np.float32) if texts else None


def _unit(vectors: Vector) -> Vector:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)
