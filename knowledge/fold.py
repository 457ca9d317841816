"""Text as it is compared with word lists: without case, accents and styled letters, and out of simple disguises.

Every character becomes one character or none, so that what is found leads back to the text as it was. It knows no
words and judges nothing.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import compress
from typing import NamedTuple

# Quotation marks and the emphasis of Markdown: a word is the same word inside of them.
_AS_SPACE = frozenset('_*`~"“”„«»「」『』')
_APOSTROPHES = frozenset("’‘ʼ´")
# Accents of Latin and Greek, Arabic vowel signs with the lengthening stroke, the dot under Devanagari letters.
_ACCENTS = re.compile("[\u0300-\u036f\u064b-\u065f\u0670\u0640\u093c]+")
# Separators inside a word, and words spelt in single letters.
_SEPARATOR = re.compile(r"(?<=[a-z0-9@$])[.\-|/\\+^]{1,2}(?=[a-z0-9@$])")
_SPELT = re.compile(r"(?<![a-z0-9])[a-z0-9](?: [a-z0-9]){3,80}(?![a-z0-9])")
_REMEMBERED = 50_000
_RUN = re.compile("[ \n]{2,}")
# Digits and signs that are read as letters, then Cyrillic and Greek letters that look like Latin ones.
_LOOK_ALIKES = str.maketrans(
    "013457@$!асеіјорѕухһԁαεικνορτυχ",
    "oieastasiaceijopsyxhdaeikvoptux",
)


class Folded(NamedTuple):
    """Folded text and, of each of its characters, the index in the text that it came from."""

    text: str
    origin: Sequence[int]


class _Folding(dict[int, str]):
    """Of a code point, what it becomes; filled as characters are met, and emptied before it holds all of Unicode."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[code] = folded = _folded_character(chr(code))
        return folded


_FOLDING = _Folding()


def fold(text: str) -> Folded:
    """The text without case, accents, hidden characters and styles; a run of white space is one space or line end."""
    return _collapsed(_translated(text))


def undisguise(text: str) -> Folded:
    """Folded, with look-alikes read as the letters that they stand for and spelt words put together."""
    folded = _translated(text)
    gaps = [range(*gap.span()) for gap in _SEPARATOR.finditer(folded.text)]
    gaps += [range(spelt.start() + 1, spelt.end(), 2) for spelt in _SPELT.finditer(folded.text)]
    read = Folded(folded.text.translate(_LOOK_ALIKES), folded.origin)
    return _collapsed(_without(read, gaps))


def _translated(text: str) -> Folded:
    folded = text.translate(_FOLDING)
    if len(folded) == len(text):
        return Folded(folded, range(len(text)))
    return Folded(folded, [at for at, character in enumerate(text) if _FOLDING[ord(character)]])


def _collapsed(folded: Folded) -> Folded:
    """White space as single characters: the line end of a run that has one, otherwise a space."""
    text = _RUN.sub(lambda run: run[0].replace(" ", "\n") if "\n" in run[0] else run[0], folded.text)
    gaps = [range(run.start() + 1, run.end()) for run in _RUN.finditer(text)]
    return _without(Folded(text, folded.origin), gaps)


def _without(folded: Folded, gaps: Sequence[range]) -> Folded:
    if not gaps:
        return folded
    kept = bytearray(b"\1") * len(folded.text)
    for gap in gaps:
        kept[gap.start : gap.stop : gap.step] = bytes(len(gap))
    return Folded("".join(compress(folded.text, kept)), [*compress(folded.origin, kept)])


def _folded_character(character: str) -> str:
    if character == "\n":
        return character
    if character in _AS_SPACE or character.isspace():
        return " "
    if character in _APOSTROPHES:
        return "'"
    if unicodedata.category(character) in ("Cf", "Cc"):
        return ""
    return _single(_ACCENTS.sub("", _plain(character)).lower(), character)


def _plain(character: str) -> str:
    """The unstyled letter (full width, mathematical) with its accents apart; Hangul stays together."""
    plain = _single(unicodedata.normalize("NFKC", character), character)
    apart = unicodedata.normalize("NFD", plain)
    return apart if _ACCENTS.search(apart) else plain


def _single(folded: str, character: str) -> str:
    return folded if len(folded) < 2 else character.lower()[:1]
