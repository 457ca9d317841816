"""Text inside text: base64, hexadecimal, binary and Morse runs that decode to something that can be read.

It decodes only to see whether there is writing; it does not judge what was written.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_LEAST = 10  # characters that a payload must decode to
_READABLE = 0.95
_WRITING = frozenset(b" \t\n" + bytes(range(0x21, 0x7F)))
_LETTERS = frozenset(b" abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class Payload(NamedTuple):
    """Where it stands and how it is encoded."""

    start: int
    end: int
    encoding: str


def payloads(text: str) -> Iterator[Payload]:
    """The encoded runs that hold writing, encoding by encoding; decodes each at most once."""
    for encoding, pattern, decoded in _ENCODINGS:
        for run in pattern.finditer(text):
            if _is_writing(decoded(run.group())):
                yield Payload(run.start(), run.end(), encoding)


def _is_writing(raw: bytes) -> bool:
    """Whether nearly all of it is ASCII that a person could have typed, and most of that letters and spaces."""
    if len(raw) < _LEAST:
        return False
    letters = sum(byte in _LETTERS for byte in raw)
    return sum(byte in _WRITING for byte in raw) >= _READABLE * len(raw) and letters >= 0.6 * len(raw)


def _base64(run: str) -> bytes:
    whole = run[: len(run) // 4 * 4]
    try:
        return base64.b64decode(whole)
    except binascii.Error:
        return b""


def _hexadecimal(run: str) -> bytes:
    return bytes.fromhex(re.sub(r"[^0-9a-fA-F]", "", run.replace("0x", "").replace("\\x", "")))


def _binary(run: str) -> bytes:
    bits = run.replace(" ", "")
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8))


def _morse(run: str) -> bytes:
    """Not decoded letter by letter: leaders and rulers repeat one sign, writing has many different ones."""
    signs = run.replace("/", " ").split()
    return b"letters of Morse" if len(set(signs)) >= 6 else b""


_ENCODINGS: tuple[tuple[str, re.Pattern[str], Callable[[str], bytes]], ...] = (
    ("base64", re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{20,4096}={0,2}"), _base64),
    ("hexadecimal", re.compile(r"(?<![0-9A-Fa-f])(?:(?:0x|\\x|%)?[0-9A-Fa-f]{2}[ :]?){12,2048}"), _hexadecimal),
    ("binary", re.compile(r"(?<![01])(?:[01]{8} ?){10,2048}"), _binary),
    ("Morse", re.compile(r"(?<![\w.\-])(?:[.\-]{1,5}(?: / | )){9,2048}[.\-]{1,5}"), _morse),
)
