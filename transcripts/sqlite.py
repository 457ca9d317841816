"""The record in one SQLite file and one connection to it, shared by threads: opened safely, written durably.

Knows nothing of events; it knows when a commit has reached the disk and how to say why one did not.
"""

import errno
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from transcripts.database import Refused, Value
from transcripts.errors import TranscriptSchemaTooNew, TranscriptUnreadable, TranscriptUnwritable
from transcripts.event import SCHEMA

_APPLICATION_ID = 0x4D436F52  # "MCoR", also in schema_1.sql

_FULL = "the disk is full; free some space and start the case again"
_READ_ONLY = "the transcript or its folder is read-only; give the service write access and start the case again"
_LOCKED = "another program keeps the transcript locked; close that program and start the case again"
_GONE = "the transcript file was moved or deleted while in use; put it back or restart the service"
_NO_LOG = "this disk cannot keep SQLite's write-ahead log; put the transcript on a local disk"
_SQLITE_REASONS = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_BUSY: _LOCKED,
}
_SYSTEM_REASONS = {errno.ENOSPC: _FULL, errno.EROFS: _READ_ONLY, errno.EACCES: _READ_ONLY}


class SqliteSession:
    """A snapshot or a transaction of a connection."""

    running_number = "rowid"  # nothing is ever deleted, so it counts without gaps

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @property
    def schema(self) -> int:
        """The schema of the file, 0 for an empty one."""
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def execute(self, sql: str, values: Sequence[Value] = ()) -> sqlite3.Cursor:
        """Run one statement. Raises Refused, sqlite3.Error."""
        try:
            return self._connection.execute(sql, values)
        except sqlite3.IntegrityError as error:
            raise Refused(str(error)) from error

    def stream(self, sql: str, values: Sequence[Value] = ()) -> sqlite3.Cursor:
        """The rows of one statement; SQLite finds each when it is asked for. Raises sqlite3.Error."""
        return self._connection.execute(sql, values)

    def lock(self, consultations: Collection[str]) -> None:
        """Nothing: a file has one writer at a time."""


class SqliteDatabase:
    """An open transcript file.

    `patience` is how many seconds to wait for another process's write. Opening for writing raises
    TranscriptUnwritable, opening for reading TranscriptUnreadable, either TranscriptSchemaTooNew.
    """

    def __init__(self, path: Path, *, read_only: bool, patience: float) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection = _open_reader(path, patience) if read_only else _open_writer(path, patience)
        self._patience = patience
        self._file = _identity(path)

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSession]:
        """Read as the file stands at one moment; raises TranscriptUnreadable."""
        with self._lock, _reading(self._path):
            self._connection.execute("BEGIN")
            try:
                yield SqliteSession(self._connection)
            finally:
                self._roll_back()

    @contextmanager
    def long_snapshot(self) -> Iterator[SqliteSession]:
        """As `snapshot`, by a connection of its own, so that nobody waits while a whole file is read."""
        connection = _open_reader(self._path, self._patience)
        with closing(connection), _reading(self._path):
            connection.execute("BEGIN")
            yield SqliteSession(connection)

    @contextmanager
    def transaction(self, sealing: bool = False) -> Iterator[SqliteSession]:
        """Write all or nothing, on the disk when the block is left; a file has one writer at a time, `sealing` or not.

        Raises TranscriptUnwritable.
        """
        with self._lock, _writing():
            # SQLite goes on writing to a deleted file without an error, and the record would be lost with it.
            if _identity(self._path) != self._file:
                raise TranscriptUnwritable(_GONE)
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteSession(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def scrub(self) -> bool:
        """Write the file anew without what was erased, and empty its log; raises TranscriptUnwritable."""
        with self._lock, _writing():
            self._connection.execute("VACUUM")
            (busy, *_) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise TranscriptUnwritable(_LOCKED)
        return True

    def close(self) -> None:
        """Fold the write-ahead log into the file and let it go; further use raises the errors above."""
        with self._lock:
            self._connection.close()

    def _roll_back(self) -> None:
        # A failed commit may already have rolled back by itself, and its error is the one to tell.
        with suppress(sqlite3.Error):
            self._connection.execute("ROLLBACK")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        # Extended codes carry the primary one in their low byte; a misuse of the module has no code at all.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        raise TranscriptUnwritable(_SQLITE_REASONS.get(code, _unnamed(error))) from error
    except UnicodeError as error:
        # sqlite3 fails to decode its own message when that quotes damaged text.
        raise TranscriptUnwritable(_unnamed(error)) from error
    except OSError as error:
        raise TranscriptUnwritable(_SYSTEM_REASONS.get(error.errno or 0, _unnamed(error))) from error


def _unnamed(error: Exception) -> str:
    return f"{error}; check the disk and the transcript folder, then start the case again"


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, UnicodeError) as error:
        # sqlite3 fails to decode its own message when that quotes damaged text.
        raise TranscriptUnreadable(
            f"the transcript {path} could not be read: {error}; check the path, or restore the file from a backup"
        ) from error


def _open_writer(path: Path, patience: float) -> sqlite3.Connection:
    with _writing():
        _create(path)
        connection = _connect(path, "mode=rw", patience)
        try:
            if _schema(connection, path) < SCHEMA:
                _upgrade(connection)
            if connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
                raise TranscriptUnwritable(_NO_LOG)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")
        except BaseException:
            connection.close()
            raise
        return connection


def _upgrade(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again: another process may have done it meanwhile.
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        for version in range(schema + 1, SCHEMA + 1):
            for statement in _statements(resources.files("transcripts").joinpath(f"schema_{version}.sql")):
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _statements(script: Traversable) -> Iterator[str]:
    # executescript() would commit what runs already.
    statement = ""
    for line in script.read_text("utf-8").splitlines():
        statement += f"{line}\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Cases are about patients: only the service's own account reads them. SQLite gives its log the same mode.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _open_reader(path: Path, patience: float) -> sqlite3.Connection:
    with _reading(path):
        connection = _connect(path, "mode=ro", patience)
        try:
            if _needs_immutable(connection, path):
                connection.close()
                connection = _connect(path, "mode=ro&immutable=1", patience)
            if _schema(connection, path) == 0:
                raise TranscriptUnreadable(f"the file {path} is not a transcript; check the path")
        except BaseException:
            connection.close()
            raise
        return connection


def _needs_immutable(connection: sqlite3.Connection, path: Path) -> bool:
    # On a read-only medium SQLite cannot make the shared memory of its log. Without a log the file is
    # complete by itself, and may be read as one that nobody writes.
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN or not path.is_file():
            raise
        return not path.with_name(f"{path.name}-wal").exists()
    return False


def _connect(path: Path, mode: str, patience: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=patience,
        isolation_level=None,
        check_same_thread=False,
    )
    # A damaged text must reach the verifier, who names its event, instead of failing inside sqlite3.
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    return connection


def _schema(connection: sqlite3.Connection, path: Path) -> int:
    """The schema of an open file, 0 for an empty one; raises for a later one and for another program's file."""
    # At one moment: another process may be making the same new file.
    connection.execute("BEGIN")
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    connection.execute("ROLLBACK")
    if application != _APPLICATION_ID and (tables or schema):
        raise TranscriptUnreadable(f"the file {path} belongs to another program; choose another path")
    if schema > SCHEMA:
        raise TranscriptSchemaTooNew(schema, SCHEMA)
    return int(schema)
