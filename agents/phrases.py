"""Patterns of phrases in every script: where a word has borders and where it has none.

Knows nothing of what the phrases mean.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence

_UNSPACED = "\u0e00"  # the first letter of the scripts that put no border between words, and of Korean


def either(texts: Iterable[str]) -> str:
    """One of some texts as they stand, the longest first."""
    return "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True))


def phrases(texts: Sequence[str]) -> str:
    """One of some phrases as a whole, with any space in it or none."""
    plain = {unicodedata.normalize("NFKC", text).casefold() for text in texts}
    ways = (
        ("(?<!\\d)" if text[0].isdigit() else "(?<![^\\W\\d_])" if text[0] < _UNSPACED and text[0] != "/" else "")
        + re.escape(text).replace("\\ ", "\\s*")
        + ("(?![^\\W\\d_])" if text[-1] < _UNSPACED else "")
        for text in sorted(plain, key=len, reverse=True)
    )
    return "|".join(ways)


def joined(texts: Sequence[str]) -> str:
    """One of some joints with the space behind it, which only scripts without spaces may leave out."""
    return "|".join(
        re.escape(text) + (r"\s+" if text[-1].isalpha() and text[-1] < _UNSPACED else r"\s*")
        for text in sorted(texts, key=len, reverse=True)
    )
