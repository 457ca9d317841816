"""Vectors of many texts, kept so that none is embedded twice: embedding thousands of terms takes minutes.

Knows nothing of what the texts are.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from models.embedder import Embedder, Matrix


class TermVectors:
    """An embedder's concept vectors, in `folder` by the embedder's name; a text once embedded is not embedded again."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        self.embedder = embedder
        self._file = folder / f"{embedder.name}.npz"
        self._known: dict[str, Matrix] = {}
        if self._file.exists():
            with np.load(self._file, allow_pickle=False) as kept:
                self._known = dict(zip(kept["texts"].tolist(), kept["vectors"], strict=True))

    def __call__(self, texts: Sequence[str]) -> Matrix:
        """One normalised vector a text, shape [len(texts), dimension]."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(missing, self.embedder.embed_concepts(missing), strict=True))
        if missing:
            self.keep()
        return np.stack([self._known[text] for text in texts])

    def keep(self) -> None:
        """Write what is known."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(self._file, texts=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))


class OnceEmbedder:
    """An embedder of sentences and passages that embeds each distinct text once, as long as this lives."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._queries: dict[str, Matrix] = {}
        self._passages: dict[str, Matrix] = {}

    def embed_queries(self, texts: Sequence[str]) -> Matrix:
        """One normalised vector a sentence, shape [len(texts), dimension]."""
        return _once(texts, self._queries, self._embedder.embed_queries)

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """One normalised vector a passage, shape [len(texts), dimension]."""
        return _once(texts, self._passages, self._embedder.embed_passages)


def _once(texts: Sequence[str], known: dict[str, Matrix], embed: Callable[[Sequence[str]], Matrix]) -> Matrix:
    missing = [text for text in dict.fromkeys(texts) if text not in known]
    known.update(zip(missing, embed(missing), strict=True))
    return np.stack([known[text] for text in texts])
