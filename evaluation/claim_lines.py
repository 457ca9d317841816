"""Sentences of guidelines with the passage that each stands in, for trials of the claim checker.

From the starter packs they are lines, from the shared guidelines sentences. Knows nothing of how they are judged.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from evaluation.collection import Source, write_pack
from knowledge.ingest import read_documents
from knowledge.passage import Passage

_LETTERS = 12
_LEAFLETS = {"arabic": "ar", "chinese": "zh", "english": "en", "korean": "ko", "spanish": "es"}
# The folder `ko` of TICO-19's documents holds Kanuri.
_ARTICLES = ("ar", "en", "es", "sw", "zh")
_SENTENCE = re.compile(r"(?<=[.!?؟])\s+(?=\D)|(?<=[。！？])")


class Line(NamedTuple):
    """A line of a guideline with its passage; `place` is the same for its translations."""

    text: str
    passage: Passage
    place: tuple[str, int, int]


def lines(pack: Path) -> tuple[Line, ...]:
    """Every line of a pack's passages that is long enough to say something."""
    found = []
    places: dict[tuple[str, str], int] = {}
    sections: dict[str, list[tuple[str, ...]]] = {}
    for document in read_documents(pack).documents:
        file = document.entry.file
        for passage in document.passages:
            known = sections.setdefault(file, [])
            if passage.section not in known:
                known.append(passage.section)
            for text in passage.text.split("\n"):
                key = (file, str(passage.section))
                places[key] = places.get(key, -1) + 1
                if _telling(text):
                    place = (file, known.index(passage.section), places[key])
                    found.append(Line(text.removeprefix("- "), passage, place))
    return tuple(found)


def _telling(text: str) -> bool:
    return sum(c.isalpha() for c in text) >= _LETTERS


def shared_lines(data: Path, languages: Sequence[str]) -> Iterator[tuple[str, tuple[Line, ...]]]:
    """The sentences of the shared leaflets and articles by language; no two have the same place."""
    folders: dict[str, list[Path]] = {}
    for name, code in _LEAFLETS.items():
        folders.setdefault(code, []).append(data / "guidelines/vis_9lang" / name)
    for code in _ARTICLES:
        folders.setdefault(code, []).append(data / "guidelines/tico19_docs" / code)
    for code in sorted(set(folders) & set(languages)):
        yield code, tuple(line for folder in folders[code] for line in _sentences(folder, code))


def _sentences(folder: Path, code: str) -> Iterator[Line]:
    sources = {
        path.name: Source(path.read_text("utf-8").removeprefix("b'"), path.stem.replace("_", " "))
        for path in sorted(folder.glob("*.txt"))
    }
    with TemporaryDirectory() as place:
        for line in lines(write_pack(Path(place), folder.name, code, sources)):
            for number, text in enumerate(_SENTENCE.split(line.text)):
                if _telling(text):
                    yield Line(text.strip(), line.passage, (f"{code} {line.place[0]}", line.passage.start, number))
