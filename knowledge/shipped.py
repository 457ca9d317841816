"""The guidelines that ship with the product: where they are, and sentences that are typical of each language.

Knows nothing of stores, nor of what the sentences are compared with.
"""

import re
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from knowledge.ingest import read_documents

_ITEM = re.compile(r"^- (.+)$", re.MULTILINE)
_TYPICAL = 16


def starter_packs() -> tuple[Path, ...]:
    """The folders of the guidelines that ship with the product."""
    root = Path(str(files("knowledge"))) / "starter"
    return tuple(sorted(folder for folder in root.iterdir() if (folder / "pack.toml").is_file()))


@cache
def typical_sentences(language: str) -> tuple[str, ...]:
    """Sentences of guidelines in a language (ISO 639-1), always the same; none where no pack has it."""
    packs = [read_documents(folder) for folder in starter_packs() if folder.name == language]
    passages = (passage for pack in packs for document in pack.documents for passage in document.passages)
    items = {item for passage in passages for item in _ITEM.findall(passage.text)}
    return tuple(sorted(items, key=lambda item: sha256(item.encode()).digest())[:_TYPICAL])
