"""What the record asks of a database: snapshots to read, transactions to write, and the little that differs in SQL.

SQL is written once, in what SQLite and PostgreSQL have in common; values stand where it says `?1`, `?2` and so on.
Knows nothing of either.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Value = str | int | None


class Refused(Exception):
    """The triggers of the database refuse a row; nothing of its transaction is written."""


class Rows(Protocol):
    """What a statement found."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Session(Protocol):
    """One snapshot or one transaction."""

    @property
    def schema(self) -> int:
        """The schema of the record."""

    @property
    def running_number(self) -> str:
        """The column that numbers the events of all consultations in the order in which they were written."""

    def execute(self, sql: str, values: Sequence[Value] = ()) -> Rows:
        """Run one statement. Raises Refused where a trigger does not allow it."""

    def stream(self, sql: str, values: Sequence[Value] = ()) -> Iterator[Any]:
        """The rows of one statement, in constant memory."""

    def lock(self, consultations: Collection[str]) -> None:
        """Let no other transaction write to these consultations until this one ends."""


class Database(Protocol):
    """An open record, for any number of threads."""

    def snapshot(self) -> AbstractContextManager[Session]:
        """Read at one moment; raises TranscriptUnreadable."""

    def long_snapshot(self) -> AbstractContextManager[Session]:
        """As `snapshot`, without keeping anyone waiting while much is read."""

    def transaction(self, sealing: bool = False) -> AbstractContextManager[Session]:
        """Write all or nothing, on the disk when the block is left; raises TranscriptUnwritable.

        Where it is `sealing`, no other transaction is under way: what this one sees is all there is.
        """

    def scrub(self) -> bool:
        """Overwrite what erased content left behind and say whether that was done; raises TranscriptUnwritable."""

    def close(self) -> None:
        """Let it go; further use raises the errors above."""
