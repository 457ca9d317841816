"""Marks: what stands around quoted text in a prompt, so that nobody who wrote the text could have ended the quotation.

They are the same as long as the program runs, and nothing that an author could know. A case that is computed again is
given the mark of its first time. Knows nothing of what is quoted.
"""

import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count

_KEY = secrets.token_bytes(32)
_GIVEN: ContextVar[str] = ContextVar("given mark", default="")


def marks() -> Iterator[str]:
    """The marks to choose from, the first that stands nowhere in the text."""
    if given := _GIVEN.get():
        yield given
    for number in count():
        yield hmac.new(_KEY, str(number).encode(), "sha256").hexdigest()[:16]


@contextmanager
def given(mark: str) -> Iterator[None]:
    """Within the block, and in what it starts, `mark` is the first to choose; an empty one is none."""
    before = _GIVEN.set(mark)
    try:
        yield
    finally:
        _GIVEN.reset(before)
