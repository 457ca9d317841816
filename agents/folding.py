"""A text made comparable: one form, one case, no accents, western digits; each character knows where it stood.

Yoruba and Spanish are often typed without their accents, so Latin letters lose them; marks of other scripts carry
meaning and stay. Knows nothing of words or languages.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

_MARKS_KEPT = 8  # on one letter; a longer pile is no writing, and sorting it would take quadratic time
_HALF_WIDTH_MARKS = "\uff9e\uff9f"
_JAMO = re.compile("[\u1160-\u11ff]")
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7a3]"
)
_REPLACED = {"’": "'", "ʼ": "'", "‘": "'", "`": "'", "-": " ", "‐": " ", "‑": " ", "٫": ".", "٬": ","}
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


class Number(NamedTuple):
    """A number of a folded text: where it ends, and its value."""

    end: int
    value: float


class Folded:
    """A folded text. `text[i]` stood at `starts[i]` to `ends[i]` of the original."""

    def __init__(self, original: str) -> None:
        characters: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        for start, end in _clusters(original):
            for character in _folded(original[start:end]):
                if character in " \n" and characters and characters[-1] in " \n":
                    characters[-1] = "\n" if "\n" in (character, characters[-1]) else " "
                    continue
                characters.append(character)
                self.starts.append(start)
                self.ends.append(end)
        self.text = "".join(characters)
        self._close_spaces()

    def _close_spaces(self) -> None:
        """Drop the spaces that are set at will: in Korean compounds, and around numbers in scripts without spaces."""
        text = self.text
        kept = [i for i, c in enumerate(text) if not (c == " " and 0 < i < len(text) - 1 and _loose(text, i))]
        self.text = "".join(text[i] for i in kept)
        self.starts, self.ends = [self.starts[i] for i in kept], [self.ends[i] for i in kept]

    @cached_property
    def numbers(self) -> dict[int, Number]:
        """The numbers by where they begin; a comma before exactly three digits groups them, any other is a point."""
        return {m.start(): Number(m.end(), _value(m[0])) for m in _NUMBER.finditer(self.text)}

    @cached_property
    def _number_starts(self) -> list[int]:
        return sorted(self.numbers)

    def number_from(self, position: int) -> int | None:
        """Where the first number at or after `position` begins."""
        index = bisect_left(self._number_starts, position)
        return self._number_starts[index] if index < len(self._number_starts) else None

    def joined(self, index: int) -> bool:
        """Whether the characters before and at `index` belong to one word of a script that puts spaces between."""
        return 0 < index < len(self.text) and _spaced(self.text[index - 1]) and _spaced(self.text[index])


def _loose(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index + 1]
    if _HANGUL.match(before) and _HANGUL.match(after):
        return True
    return (unspaced(before) and _figure(after)) or (_figure(before) and unspaced(after))


def _figure(character: str) -> bool:
    return character.isdecimal() or character == "#"


def unspaced(character: str) -> bool:
    """Whether the script of `character` runs words together, or joins endings to them as Korean does."""
    return _UNSPACED.match(character) is not None


def _spaced(character: str) -> bool:
    return character.isalpha() and not unspaced(character)


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or not _continues(text[index]):
            yield start, index
            start = index


def _continues(character: str) -> bool:
    return unicodedata.combining(character) > 0 or character in _HALF_WIDTH_MARKS or _JAMO.match(character) is not None


def _folded(cluster: str) -> str:
    composed = unicodedata.normalize("NFKC", cluster[: _MARKS_KEPT + 1]).casefold()
    if unicodedata.category(composed[:1] or " ") == "Cf":
        return ""
    if composed[:1].isalpha() and not unspaced(composed[0]):
        composed = "".join(c for c in unicodedata.normalize("NFD", composed) if not unicodedata.combining(c))
    return "".join(map(_plain, composed))


def _plain(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character.isspace():
        return "\n" if character in "\n\r\x0b\x0c\x85\u2028\u2029" else " "
    return _REPLACED.get(character, character)


def _value(digits: str) -> float:
    whole, _, fraction = digits.replace(",", ".").partition(".")
    return float(whole + fraction) if "," in digits and len(fraction) == 3 else float(f"{whole}.{fraction or 0}")
