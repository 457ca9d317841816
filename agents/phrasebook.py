"""A phrasebook: many phrases looked for at once, in time linear in the text whatever the text is.

A phrase stands for whole words; `*` before or after it lets the word go on there, `#` stands for a number. In scripts
without spaces a phrase is found anywhere. Knows nothing of what phrases mean.
"""

from collections.abc import Hashable, Iterator
from typing import Generic, NamedTuple, TypeVar

from agents.folding import Folded

_Key = TypeVar("_Key", bound=Hashable)
_NUMBER = "#"


class Found(NamedTuple, Generic[_Key]):
    """A phrase where it was found in the folded text, with the last of its numbers."""

    key: _Key
    start: int
    end: int
    value: float | None


class _Ending(NamedTuple, Generic[_Key]):
    key: _Key
    begins_word: bool
    ends_word: bool


class _Node(Generic[_Key]):
    __slots__ = ("endings", "following")

    def __init__(self) -> None:
        self.following: dict[str, _Node[_Key]] = {}
        self.endings: list[_Ending[_Key]] = []


class Phrasebook(Generic[_Key]):
    """Phrases under keys; several phrases may share a key, and several keys a phrase."""

    def __init__(self) -> None:
        self._root: _Node[_Key] = _Node()

    def add(self, phrase: str, key: _Key) -> None:
        """Look for `phrase` from now on. Raises ValueError where nothing is left of it, or a `*` stands inside it."""
        written = Folded(phrase.strip().strip("*")).text.strip()
        if not written or "*" in written:
            raise ValueError(f"The phrase {phrase!r} is empty or has a * inside it; split it with ' + '.")
        node = self._root
        for character in written:
            node = node.following.setdefault(character, _Node())
        node.endings.append(_Ending(key, not phrase.strip().startswith("*"), not phrase.strip().endswith("*")))

    def find(self, folded: Folded) -> Iterator[Found[_Key]]:
        """Every phrase at every place, by where it begins."""
        for start in range(len(folded.text)):
            yield from self._find_at(folded, start)

    def _find_at(self, folded: Folded, start: int) -> Iterator[Found[_Key]]:
        inside = folded.joined(start)
        waiting: list[tuple[_Node[_Key], int, float | None]] = [(self._root, start, None)]
        while waiting:
            node, at, value = waiting.pop()
            for ending in node.endings:
                if not ((ending.begins_word and inside) or (ending.ends_word and folded.joined(at))):
                    yield Found(ending.key, start, at, value)
            if at == len(folded.text):
                continue
            if step := node.following.get(folded.text[at]):
                waiting.append((step, at + 1, value))
            if (step := node.following.get(_NUMBER)) and (number := folded.numbers.get(at)):
                waiting.append((step, number.end, number.value))
