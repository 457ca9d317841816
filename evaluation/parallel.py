"""A folder a language, each with the same questions under the same ids, as Hugging Face keeps parallel benchmarks.

Knows nothing of the columns.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from evaluation.benchmark import agreeing, split_file, with_english
from evaluation.item import Item

_ENGLISH = "en"


def speaks(root: Path) -> tuple[str, ...]:
    """The languages that have a split which can be read, by the names of their folders."""
    return tuple(path.name for path in sorted(root.glob("*")) if path.is_dir() and _path(root, path.name))


def parallel(root: Path, language: str, items: Callable[[Path, str], Iterator[Item]]) -> Iterator[Item]:
    """The items of a language with the English texts of the same ids, where English is there."""
    english = {item.id: item for item in _read(root, _ENGLISH, items)}
    for item in _read(root, language, items):
        other = english.get(item.id)
        told = with_english(item, other)
        yield agreeing(told, [other] if other and told.english and language != _ENGLISH else [])


def _read(root: Path, language: str, items: Callable[[Path, str], Iterator[Item]]) -> Iterator[Item]:
    path = _path(root, language)
    return items(path, language) if path else iter(())


def _path(root: Path, language: str) -> Path | None:
    return split_file(root / language, "{}*.parquet") or split_file(root / language, "{}*.csv")
