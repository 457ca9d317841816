"""A benchmark: what it is, where it comes from, and how its files become items.

The modules of `evaluation.benchmarks` hold one each; a new one is one file there. Knows nothing of systems and scores.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from agents.conclusions import options as admitted_options
from agents.errors import BadOptions
from evaluation.errors import FilesMissing, LanguageMissing
from evaluation.item import Item, Task

Languages = Callable[[Path], tuple[str, ...]]
Reader = Callable[[Path, str], Iterable[Item]]

_TWINS = "twin options: the same text stands twice"


@dataclass(frozen=True)
class Benchmark:
    """`files` says in words what must be in the folder; `folders` are names under which it may lie inside another.

    `speaks` gives the languages whose files are there, `read` the items of one of them.
    """

    name: str
    title: str
    source: str
    licence: str
    tasks: tuple[Task, ...]
    files: str
    folders: tuple[str, ...]
    speaks: Languages
    read: Reader

    def languages(self, folder: Path) -> tuple[str, ...]:
        """The languages of the files in `folder`, or in the benchmark's own folder within it. Raises FilesMissing."""
        if found := self.speaks(self._root(folder)):
            return found
        raise FilesMissing(f"{self.title}: no {self.files} in {folder}; get them from {self.source}.")

    def load(self, folder: Path, language: str) -> tuple[Item, ...]:
        """Every item in one language, those that can't be asked too.

        Of several splits the test split is read, without one the development split, never what is for training.
        Raises FilesMissing, LanguageMissing, MalformedFile.
        """
        known = self.languages(folder)
        if language not in known:
            raise LanguageMissing(f"{self.title} is here in {', '.join(known)}, not in {language!r}; choose another.")
        return tuple(checked(item) for item in self.read(self._root(folder), language))

    def _root(self, folder: Path) -> Path:
        inside = (folder / place / name for name in self.folders for place in ("", "bench"))
        return next((path for path in inside if path.is_dir()), folder)


def checked(item: Item) -> Item:
    """The item with what is wrong with its options among its faults."""
    if item.task not in ("choice", "choices"):
        return item
    twins = [text for text, times in Counter(map(fold, item.options)).items() if times > 1]
    faults = dict.fromkeys((*item.faults, *([_TWINS] if twins else [])))
    return item.model_copy(update={"faults": tuple(faults), "excluded": item.excluded or _unanswerable(item)})


def _unanswerable(item: Item) -> str:
    if len(item.options) < 2:
        return "it has fewer than two options"
    if not item.right or (item.task == "choice" and len(item.right) != 1):
        return "the file says no right answer"
    try:
        admitted_options(item.options)
    except BadOptions as error:
        return f"its options cannot be asked: {str(error).partition(';')[0]}"
    return ""


def with_english(item: Item, english: Item | None) -> Item:
    """The item with the texts of the same item in English, where that is there and has as many options."""
    if english is None or len(english.options) != len(item.options):
        return item
    return item.model_copy(update={"english": english.text, "english_options": english.options})


def agreeing(item: Item, others: Iterable[Item]) -> Item:
    """The item, excluded where one of its `others`, the same item in other languages, is or has another right answer.

    So that every language is asked the same items.
    """
    item = checked(item)
    for other in (checked(other) for other in others):
        if other.right != item.right:
            reason = f"the right answer is another one in {other.language}"
        else:
            reason = f"in {other.language}: {other.excluded}" if other.excluded else ""
        if reason and not item.excluded:
            item = item.model_copy(update={"excluded": reason})
    return item


def split_file(root: Path, pattern: str) -> Path | None:
    """The file of the test split, or without one of the development split; `pattern` has {} where that is named."""
    names = (pattern.format(split) for split in ("test", "dev", "validation"))
    return next((path for name in names for path in sorted(root.glob(name))), None)


def fold(text: str) -> str:
    """A text without differences of case and blanks."""
    return " ".join(text.split()).casefold()


def digest(*texts: str) -> str:
    """What names content that its authors gave no name: 12 hexadecimal digits, the same for folded texts."""
    return sha256("\x1f".join(map(fold, texts)).encode()).hexdigest()[:12]


def distinct(items: Iterable[Item]) -> Iterator[Item]:
    """The items, a row that stands there again under an id of its own and in the family of the first."""
    seen: Counter[str] = Counter()
    for item in items:
        seen[item.id] += 1
        if (times := seen[item.id]) > 1:
            faults = (*item.faults, f"the same row again: number {times}")
            item = item.model_copy(update={"id": f"{item.id}-{times}", "family": item.id, "faults": faults})
        yield item


class Fault(NamedTuple):
    """What the file of an item had wrong with it: `kind`, and the rest in words."""

    item: str
    kind: str
    what: str


def faults(items: Iterable[Item]) -> Iterator[Fault]:
    """Everything that was wrong, item by item; what can't be asked is of the kind `excluded`."""
    for item in items:
        for fault in item.faults:
            kind, _, what = fault.partition(":")
            yield Fault(item.key, kind, what.strip())
        if item.excluded:
            yield Fault(item.key, "excluded", item.excluded)
