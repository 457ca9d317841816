"""Judges passages against a question with a cross-encoder, which reads both together, on this machine's CPU.

Slower and more exact than comparing vectors: for the few passages that a search has found. Knows nothing of searches.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.errors import RerankerUnavailable
from models.registry import ModelCard
from models.torch_cpu import OFFLINE, prepare

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder


class Reranker:
    """A cross-encoder. Pairs are read one at a time, so that a score does not depend on its neighbours."""

    def __init__(self, folder: Path, card: ModelCard) -> None:
        """Open the model in `folder`; takes seconds. Raises RerankerUnavailable."""
        if card.role != "reranker":
            raise RerankerUnavailable(f"{card.title} is no reranker; name another in the setting models.reranker.")
        self.card = card
        self._lock = threading.Lock()
        try:
            self._model = _open(folder, card)
        except Exception as error:  # the tokenizers and safetensors libraries raise Exception itself
            raise RerankerUnavailable(
                f"{card.title} could not be opened ({type(error).__name__}: {error}); "
                f"check it with `coreasoner models verify {card.name}`."
            ) from error

    def scores(self, question: str, passages: Sequence[str]) -> npt.NDArray[np.float32]:
        """How well each passage answers the question, the more the better. Shape (len(passages),)."""
        return np.array([self._score(question, passage) for passage in passages], np.float32)

    def _score(self, question: str, passage: str) -> float:
        pair = (_well_formed(question), _well_formed(passage))
        with self._lock:
            return float(self._model.predict([pair], show_progress_bar=False)[0])


def _well_formed(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair stops the tokenizer


def _open(folder: Path, card: ModelCard) -> "CrossEncoder":
    prepare()
    from sentence_transformers import CrossEncoder

    model: CrossEncoder = CrossEncoder(str(folder), max_length=card.context_length, **OFFLINE).eval()
    return model
