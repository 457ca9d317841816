"""What the scanner marks in a pack, as it is kept beside the pack's list of passages.

A list holds for one manifest, one list of passages and one set of rules: where any of these is another, it is made
again. It decides nothing and knows no curator.
"""

from collections.abc import Callable, Iterable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import groupby

from pydantic import BaseModel, ConfigDict, TypeAdapter

from knowledge.marks import MarkedPassage, marked
from knowledge.passage import Passage, text_hash
from knowledge.scanner import Suspicion

_RULES = ("suspicious.toml", "scanner.py", "fold.py", "payload.py", "marks.py")

Subject = tuple[str, str]  # hash of a text, and of the lines that it is quoted with where they hold a mark, else empty


class Mark(BaseModel):
    """Why a passage is marked: spans over its text and over `heading`, the lines that it is quoted with.

    `text` is the hash of its text; `heading` is empty where nothing in it is marked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    passage: str
    text: str
    heading: str
    in_text: tuple[Suspicion, ...]
    in_heading: tuple[Suspicion, ...]

    @property
    def subject(self) -> Subject:
        """What a decision about it is about."""
        return self.text, text_hash(self.heading) if self.heading else ""

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that mark it, each once, in alphabetical order."""
        return tuple(sorted({suspicion.rule for suspicion in (*self.in_text, *self.in_heading)}))


_LIST = TypeAdapter(tuple[Mark, ...])


def scanned(passages: Iterable[Passage], text_of: Callable[[str], str]) -> tuple[Mark, ...]:
    """The marks of passages that stand together by document; `text_of` gives a document's text by its digest."""
    grouped = groupby(passages, key=lambda passage: passage.document)
    return tuple(_mark(one) for document, own in grouped for one in marked(text_of(document), own))


def _mark(found: MarkedPassage) -> Mark:
    return Mark(
        passage=found.passage.id,
        text=found.passage.sha256,
        heading=found.heading if found.in_heading else "",
        in_text=found.in_text,
        in_heading=found.in_heading,
    )


def written(marks: tuple[Mark, ...]) -> bytes:
    """As `read` takes it."""
    return _LIST.dump_json(marks)


def read(content: bytes) -> tuple[Mark, ...]:
    """What `written` gave; raises pydantic's ValidationError for anything else."""
    return _LIST.validate_json(content)


def place(manifest: str) -> str:
    """How the file with a list is called, after the digest of the list of passages: another one for other rules."""
    return ".marks-" + sha256(f"{manifest} {_rules()}".encode()).hexdigest()[:16]


@cache
def _rules() -> str:
    """A hash of all that decides what is marked: the words, and the code that applies them."""
    room = files("knowledge")
    return sha256(b"\0".join(room.joinpath(name).read_bytes() for name in _RULES)).hexdigest()
