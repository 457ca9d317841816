"""The words of a text without their endings, in every script, and how far two texts share them.

Knows nothing of what the words mean.
"""

import re
import unicodedata
from functools import lru_cache

SAME_WORDS = 0.85
_STEM = 5
_KOREAN = re.compile("[\uac00-\ud7a3]")
_KOREAN_STEM = 2  # syllables; endings follow without a border
_KOREAN_DENIAL = ("않", "못", "없", "있")  # "is there" and "is not there" begin alike in no letter
# Hiragana, Katakana, Han, Thai, Lao, Khmer, Myanmar.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f]")
_STATEMENT = re.compile(r"\n+|(?<=[.;!?؛؟])\s+|(?<=[。；！？।])")


def statements(text: str) -> list[str]:
    """The sentences of a text, and its parts between semicolons."""
    return [statement for statement in _STATEMENT.split(text) if any(c.isalpha() for c in statement)]


@lru_cache(maxsize=4096)
def stems(text: str) -> frozenset[str]:
    """Beginnings of words of four letters and more; pairs of characters in scripts that put no space between words.

    Korean joins endings to short words: there the first two syllables count, but not those of denials.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    # \w leaves out vowel signs; with it alone every word of Hindi would fall to pieces too short to be judged.
    words = "".join(c if unicodedata.category(c)[0] in "LM" else " " for c in plain).split()
    korean = {word for word in words if _KOREAN.match(word)}
    found = {word[:_STEM] for word in words if len(word) > 3 and word not in korean and not _UNSPACED.search(word)}
    found |= {w[:_KOREAN_STEM] for w in korean if len(w) >= _KOREAN_STEM and not w.startswith(_KOREAN_DENIAL)}
    runs = [run for run in re.findall(r"[^\W\d_]+", plain) if _UNSPACED.search(run)]
    pairs = {run[i : i + 2] for run in runs for i in range(len(run) - 1)}
    return frozenset(found | pairs)


def share(of: frozenset[str], within: frozenset[str]) -> float:
    """How many of some stems, from 0 to 1, are among others."""
    return len(of & within) / len(of) if of else 1.0


def alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two texts say nearly the same words."""
    return min(share(one, other), share(other, one)) >= SAME_WORDS
