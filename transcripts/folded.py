"""A text with one spelling of digits, signs and spaces, character for character, so that places stay what they are."""

import unicodedata

_DASHES = frozenset("‐‑‒–—−")


def folded(text: str) -> str:
    """Full-width letters, the digits of every script, dashes and odd spaces in their ASCII form; the same length."""
    return "".join(_folded(character) for character in text)


def _folded(character: str) -> str:
    if character < "\x80":
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character in _DASHES:
        return "-"
    if character.isspace():
        return "\n" if character in "\u2028\u2029\x85" else " "
    # Only what has a width and nothing else: a composed letter must not lose its accent.
    narrow = unicodedata.normalize("NFKC", character)
    return narrow if len(narrow) == 1 and narrow < "\x80" else character
