"""The guidelines that ship with the product: where they are, and sentences that are typical of each language.

Knows nothing of stores, nor of what the sentences are compared with.
"""

import re
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

_ITEM = re.compile(r"^- (.+)$", re.MULTILINE)
_TYPICAL = 16


def starter_packs() -> tuple[Path, ...]:
    """The folders of the guidelines that ship with the product."""
    root = Path(str(files("knowledge"))) / "starter"
    return tuple(sorted(folder for folder in root.iterdir() if (folder / "pack.toml").is_file()))


@cache
def typical_sentences(language: str) -> tuple[str, ...]:
    """Sentences of guidelines in a language (ISO 639-1), always the same; none where no pack has it."""
    folder = next((folder for folder in starter_packs() if folder.name == language), None)
    texts = (path.read_text("utf-8") for path in sorted(folder.glob("*.md"))) if folder else ()
    items = {item for text in texts for item in _ITEM.findall(text)}
    return tuple(sorted(items, key=lambda item: sha256(item.encode()).digest())[:_TYPICAL])
