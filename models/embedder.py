"""Turns texts into vectors with a sentence-transformers model on this machine's CPU.

The model is opened by path, offline, from safetensors, and nothing in its folder is ever run. Knows nothing of
guidelines, concepts or databases; whether the weights are the right ones, `models.weights` has checked before.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.errors import EmbedderUnavailable
from models.files import sha256
from models.registry import ModelCard, Thresholds
from models.torch_cpu import OFFLINE, prepare

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Matrix = npt.NDArray[np.float32]

_CACHED_TEXTS = 4096


class Embedder:
    """A sentence embedder: L2-normalised float32 vectors, the same for the same text on the same machine.

    Texts are encoded one at a time: in a shared batch a vector's last bits depend on its neighbours, and a decision
    made at a threshold could not be repeated; on a CPU a batch of passages is no faster. Any thread may call.
    Longer texts than `card.context_length` tokens are cut off there. `name` carries a hash of the weights, so that
    a knowledge base can tell vectors that do not belong to it.
    """

    def __init__(self, folder: Path, card: ModelCard, threads: int = 0) -> None:
        """Open the model in `folder`; takes seconds. `threads` is for all of torch, 0 leaves it its choice.

        Raises EmbedderUnavailable.
        """
        if card.role != "embedder" or card.thresholds is None:
            raise EmbedderUnavailable(f"{card.title} is no embedding model; name another in the settings.")
        self.card = card
        self.thresholds: Thresholds = card.thresholds
        self._lock = threading.Lock()
        self._cache: OrderedDict[str, Matrix] = OrderedDict()
        try:
            self._model = _open(folder, card, threads)
            self.name = f"{card.name}@{_fingerprint(folder)}"
        except Exception as error:  # the tokenizers and safetensors libraries raise Exception itself
            raise EmbedderUnavailable(
                f"{card.title} could not be opened ({type(error).__name__}: {error}); "
                f"check it with `coreasoner models verify {card.name}`."
            ) from error
        self.dimension = int(self._model.get_embedding_dimension() or 0)

    def embed_queries(self, texts: Sequence[str]) -> Matrix:
        """Questions, to be compared with passages. Shape (len(texts), dimension)."""
        return self._remembered(self.card.prompts.query, texts)

    def embed_passages(self, texts: Sequence[str]) -> Matrix:
        """Passages, to be compared with queries. Shape (len(texts), dimension)."""
        return self._stacked([self._encode(self.card.prompts.passage + text) for text in texts])

    def embed_concepts(self, texts: Sequence[str]) -> Matrix:
        """Concepts, to be compared with each other, hence all with the query prefix. Shape (len(texts), dimension)."""
        return self._remembered(self.card.prompts.query, texts)

    def _remembered(self, prompt: str, texts: Sequence[str]) -> Matrix:
        return self._stacked([self._cached(prompt + text) for text in texts])

    def _cached(self, text: str) -> Matrix:
        with self._lock:
            if text in self._cache:
                self._cache.move_to_end(text)
                return self._cache[text]
        vector = self._encode(text)
        with self._lock:
            self._cache[text] = vector
            if len(self._cache) > _CACHED_TEXTS:
                self._cache.popitem(last=False)
        return vector

    def _encode(self, text: str) -> Matrix:
        well_formed = text.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair stops the tokenizer
        with self._lock:
            vectors = self._model.encode([well_formed], normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors[0], np.float32)

    def _stacked(self, vectors: Sequence[Matrix]) -> Matrix:
        return np.stack(vectors) if vectors else np.empty((0, self.dimension), np.float32)


def _open(folder: Path, card: ModelCard, threads: int) -> "SentenceTransformer":
    # Imported here: torch and what comes with it take seconds, and most commands never embed.
    prepare(threads)
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), **OFFLINE)
    model.max_seq_length = card.context_length
    return model.eval()


def _fingerprint(folder: Path) -> str:
    """Twelve hexadecimal digits that change when the weights or the way in which they are used do."""
    hashes = sha256(folder / "model.safetensors") + sha256(folder / "config.json")
    return hashlib.sha256(hashes.encode("ascii")).hexdigest()[:12]
