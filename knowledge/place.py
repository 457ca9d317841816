"""What a knowledge base needs of the place where it lies: whole objects by name, tables, and one writer at a time.

`local` is a folder on a disk. It knows nothing of what the objects say.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol


class Shelf(Protocol):
    """Whole objects by name: each is there as it was written, or not at all."""

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of an object, piece by piece; raises FileNotFoundError."""

    def read(self, name: str) -> bytes:
        """The bytes of an object; raises FileNotFoundError."""

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Put an object there for good, in the place of a former one; killed before it returns, that one stays."""

    def holds(self, name: str) -> bool:
        """Whether there is such an object."""

    def names(self) -> tuple[str, ...]:
        """Every object, in no order; none where the shelf was never written to."""

    def rename(self, name: str, new: str) -> None:
        """Give an object another name, in the place of a former one of that name; raises FileNotFoundError."""

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects that are there."""


class Turn(Protocol):
    """The right to change a place, which one program has at a time."""

    @property
    def number(self) -> int:
        """Greater than that of every turn before; 0 where turns aren't counted."""

    def publish(self, head: bytes) -> None:
        """Replace the head of the place in one step; raises TurnLost where another program has taken over."""

    def require(self) -> None:
        """Raise TurnLost where another program has taken over."""


class Place(Protocol):
    """Where a knowledge base lies. `str()` is how people call it.

    In one that is `shared` by machines, a version counts from the moment that the head lists it: tags are set without
    asking whose turn it is.
    """

    @property
    def shared(self) -> bool: ...

    def exists(self) -> bool:
        """Whether anything was ever written there."""

    def shelf(self, name: str) -> Shelf:
        """The objects under a name."""

    def head(self) -> bytes | None:
        """The one small object that says what is valid; None where there is none."""

    def writing(self, seconds: float) -> AbstractContextManager[Turn]:
        """Have the turn, waiting for it so long at most. Raises StoreUnwritable, OSError."""

    def folders(self) -> tuple[str, ...]:
        """The names directly under it that hold something."""

    def drop(self, folder: str) -> None:
        """Remove a folder and everything in it."""

    def size(self) -> int:
        """The bytes of everything in it."""

    def address(self, folder: str) -> tuple[str, Mapping[str, str] | None]:
        """Where LanceDB finds the tables in a folder, and the options with which it gets there."""

    def hold(self, reader: object, folder: str) -> None:
        """Let a folder of tables count as read while `reader` lives."""

    def require_answer(self) -> None:
        """Raise StorageError where the place can't be reached at all, so that this isn't taken for damage."""

    def is_read(self, folder: str, replaced: datetime | None) -> bool:
        """Whether somebody may still read a folder of tables; `replaced` is since when others have been valid."""


class Tables(NamedTuple):
    """A folder of tables in a place."""

    place: Place
    name: str
