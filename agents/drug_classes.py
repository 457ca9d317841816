"""Which classes of medicines a text names, and on which it says something, in every language of `drug_classes.toml`.

Knows nothing of what a class does.
"""

import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from agents.drugs import Starts, drugs, places, plain, starts

_Written = Annotated[tuple[str, ...], AfterValidator(lambda texts: tuple(map(plain, texts)))]


class _Class(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    names: _Written
    abbreviations: _Written = ()
    also: _Written = ()
    medicines: frozenset[str] = frozenset()
    endings: _Written = ()
    classes: frozenset[str] = frozenset()


@cache
def _table() -> dict[str, _Class]:
    content = tomllib.loads(files("agents").joinpath("drug_classes.toml").read_text("utf-8"))
    return {name: _Class.model_validate(entry) for name, entry in content.items()}


@cache
def _names() -> tuple[dict[str, str], Starts]:
    """The class of each name, and where to look for names."""
    known = {written: name for name, entry in _table().items() for written in entry.names}
    return known, starts(known)


@lru_cache(maxsize=4096)
def drug_classes(text: str) -> frozenset[str]:
    """The classes that a text names."""
    said, (known, beginnings) = plain(text), _names()
    words = set(re.findall("[a-z]+", said))
    short = {name for name, entry in _table().items() if not words.isdisjoint(entry.abbreviations)}
    return frozenset(short.union(known[name] for _, name in places(said, beginnings)))


@lru_cache(maxsize=4096)
def classes_spoken_of(text: str) -> frozenset[str]:
    """The classes on which a text says something: it names one, one of its medicines, or a class that it contains."""
    said, medicines, named = plain(text), drugs(text), drug_classes(text)
    words = re.findall("[a-z]{5,}", said)
    found = {name for name, entry in _table().items() if name in named or _member(entry, said, words, medicines)}
    return frozenset(found.union(name for name, entry in _table().items() if not found.isdisjoint(entry.classes)))


def _member(entry: _Class, said: str, words: list[str], medicines: frozenset[str]) -> bool:
    """Whether a plain text says something that belongs to a class. Latin endings end a word, others stand anywhere."""
    latin = tuple(end for end in entry.endings if end.isascii())
    anywhere = (*entry.also, *(end for end in entry.endings if not end.isascii()))
    ends_so = any(word.endswith(latin) for word in words)
    return ends_so or not medicines.isdisjoint(entry.medicines) or any(part in said for part in anywhere)
