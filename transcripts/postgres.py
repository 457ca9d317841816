"""The record in a PostgreSQL database, shared by several servers: opened as a role that may only look and add.

Appends of different consultations go on side by side; a checkpoint waits until it is alone. Knows nothing of events,
and never makes, alters or drops a table but in `create`.
"""

import hashlib
import itertools
import re
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache, cached_property
from importlib import resources
from typing import Any, NamedTuple

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.raw_cursor import RawCursor, RawServerCursor

from transcripts.database import Refused, Value
from transcripts.errors import TranscriptSchemaTooNew, TranscriptUnreadable, TranscriptUnwritable
from transcripts.event import SCHEMA

_LOCK = 0x4D436F52  # "MCoR", of all advisory locks of the record that belong to no consultation
_APPENDING = f"BEGIN; SELECT pg_advisory_xact_lock_shared({_LOCK}, 0)"
_SEALING = f"BEGIN; SELECT pg_advisory_xact_lock({_LOCK}, 0)"
_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_ROWS = 500  # that travel at once

_LOCKED = "another program keeps the record locked; see pg_stat_activity, end that program and start the case again"
_FULL = "the disk of the database server is full; free some space and start the case again"
_READ_ONLY = "the database is read-only; connect to the server that takes writes and start the case again"
_NOT_DURABLE = "the database server runs with fsync = off and would lose the record with its power; turn it on"
_TOO_MIGHTY = (
    "its role may change or delete what is recorded; let `coreasoner transcripts create-database` name another"
)
_REASONS: dict[type[psycopg.Error], str] = {
    errors.LockNotAvailable: _LOCKED,
    errors.DiskFull: _FULL,
    errors.ReadOnlySqlTransaction: _READ_ONLY,
}
_MIGHT = """
    SELECT bool_or(has_table_privilege(format('coreasoner.%s', name), 'UPDATE, DELETE, TRUNCATE'))
    FROM unnest(ARRAY['events', 'consultations', 'checkpoints', 'signed_heads']) AS name
"""
_HELD = """
    SELECT EXISTS (
        SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
        WHERE locktype = 'advisory' AND objsubid = 1 AND datname = current_database()
            AND (classid::bigint << 32 | objid::bigint) = $1
    )
"""

Connection = psycopg.Connection[tuple[Any, ...]]


class Server(NamedTuple):
    """Where the record is: a `postgresql://` address without a password, and the password, which is never shown."""

    url: str
    password: str = ""

    def __repr__(self) -> str:
        return f"Server({self.url!r})"

    def connect(self, patience: float, name: str = "coreasoner") -> Connection:
        """A connection that waits `patience` seconds for locks. Raises psycopg.Error."""
        connection: Connection = psycopg.connect(
            self.url,
            password=self.password or None,
            application_name=name,
            autocommit=True,
            connect_timeout=10,
            tcp_user_timeout=30_000,
            cursor_factory=RawCursor,
        )
        milliseconds = round(patience * 1000)
        connection.execute(
            f"SET search_path = coreasoner, pg_temp; SET lock_timeout = {milliseconds}; SET synchronous_commit = on"
        )
        return connection


class PostgresSession:
    """A snapshot or a transaction of a connection."""

    running_number = "number"  # a transaction that was given up leaves a gap

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._names = itertools.count()

    @cached_property
    def schema(self) -> int:
        """The schema of the record."""
        return _schema(self._connection)

    def execute(self, sql: str, values: Sequence[Value] = ()) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run one statement. Raises Refused, psycopg.Error."""
        try:
            return self._connection.execute(_numbered(sql), values or None)
        except errors.IntegrityError as error:
            raise Refused(error.diag.message_primary or str(error)) from error

    def stream(self, sql: str, values: Sequence[Value] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of one statement, which the server keeps until they are asked for. Raises psycopg.Error."""
        with RawServerCursor(self._connection, f"rows{next(self._names)}") as cursor:
            cursor.itersize = _ROWS
            cursor.execute(_numbered(sql), values or None)
            yield from cursor

    def lock(self, consultations: Collection[str]) -> None:
        """Let no other server write to these consultations until this transaction ends. Raises psycopg.Error."""
        self._connection.execute("SELECT lock_consultations($1)", (list(consultations),))


class PostgresDatabase:
    """An open record. Opening it raises TranscriptUnwritable or, where it is `read_only`, TranscriptUnreadable; either
    way TranscriptSchemaTooNew."""

    def __init__(self, server: Server, *, read_only: bool, patience: float) -> None:
        self._server = server
        self._patience = patience
        self._lock = threading.Lock()
        self._closed = False
        with _reading(server) if read_only else _writing():
            self._connection = server.connect(patience)
            try:
                _require_schema(self._connection, server)
                if not read_only:
                    _require_durable(self._connection)
            except BaseException:
                self._connection.close()
                raise

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSession]:
        """Read as the record stands at one moment; raises TranscriptUnreadable."""
        with self._lock, _reading(self._server):
            connection = self._live()
            connection.execute(_READING)
            try:
                yield PostgresSession(connection)
            finally:
                _roll_back(connection)

    @contextmanager
    def long_snapshot(self) -> Iterator[PostgresSession]:
        """As `snapshot`, by a connection of its own, so that nobody waits while much is read."""
        with _reading(self._server), closing(self._server.connect(self._patience)) as connection:
            connection.execute(_READING)
            yield PostgresSession(connection)

    @contextmanager
    def transaction(self, sealing: bool = False) -> Iterator[PostgresSession]:
        """Write all or nothing, on the server's disk when the block is left; alone where it is `sealing`.

        Raises TranscriptUnwritable.
        """
        with self._lock, _writing():
            connection = self._live()
            try:
                connection.execute(_SEALING if sealing else _APPENDING)
                yield PostgresSession(connection)
                connection.execute("COMMIT")
            except BaseException:
                _roll_back(connection)
                raise

    def scrub(self) -> bool:
        """Never done: what was overwritten stays in the server's files until their owner runs VACUUM FULL."""
        return False

    def close(self) -> None:
        """Let go of the server; further use raises the errors above."""
        with self._lock:
            self._closed = True
            self._connection.close()

    def _live(self) -> Connection:
        # A restart of the server ends the case that ran; the next one goes on.
        if self._connection.closed and not self._closed:
            self._connection = self._server.connect(self._patience)
        return self._connection


class SessionLocks:
    """Who still writes which consultation, as advisory locks that the server lets go with the writer's connection."""

    def __init__(self, server: Server, patience: float) -> None:
        self._server = server
        self._patience = patience
        self._connection: Connection | None = None

    def hold(self, consultation: str) -> Callable[[], None]:
        """Mark the consultation as being written until the returned function is called or this process ends.

        Raises psycopg.Error.
        """
        connection, key = self._live(), _key(consultation)
        connection.execute("SELECT pg_advisory_lock($1)", (key,))
        return _Hold(connection, key)

    def held(self, consultation: str) -> bool:
        """Whether a live connection holds the consultation. Raises TranscriptUnreadable."""
        with _reading(self._server):
            row = self._live().execute(_HELD, (_key(consultation),)).fetchone()
        return bool(row and row[0])

    def close(self) -> None:
        """Let go of everything that is held."""
        if self._connection:
            self._connection.close()

    def _live(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._server.connect(self._patience, "coreasoner presence")
        return self._connection


class _Hold:
    """A lock that is let go once: when called, or when nobody refers to it any more."""

    def __init__(self, connection: Connection, key: int) -> None:
        self._connection: Connection | None = connection
        self._key = key

    def __call__(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            with suppress(psycopg.Error):  # with the connection the lock is gone too
                connection.execute("SELECT pg_advisory_unlock($1)", (self._key,))

    def __del__(self) -> None:
        self()


def create(owner: Server, service: str) -> None:
    """Make the record in a database that its owner connects to, for the role `service` to look and add.

    Raises TranscriptUnwritable.
    """
    script = resources.files("transcripts").joinpath("schema_postgres.sql").read_text("utf-8")
    grants = sql.SQL(
        "GRANT USAGE ON SCHEMA coreasoner TO {service};"
        "GRANT SELECT ON ALL TABLES IN SCHEMA coreasoner TO {service};"
        "GRANT INSERT ON consultations, events, checkpoints, signed_heads TO {service};"
        "GRANT EXECUTE ON FUNCTION lock_consultations TO {service}"
    ).format(service=sql.Identifier(service))
    with _writing(), closing(owner.connect(patience=10)) as connection, connection.transaction():
        connection.execute(script)
        connection.execute(grants)


def has_password(url: str) -> bool:
    """Whether an address has the password in it. Raises ValueError for what is no address."""
    try:
        return bool(conninfo_to_dict(url).get("password"))
    except psycopg.Error as error:
        raise ValueError(f"it is no address of a PostgreSQL database ({error})") from error


def _require_schema(connection: Connection, server: Server) -> None:
    try:
        found = _schema(connection)
    except (errors.UndefinedTable, errors.InsufficientPrivilege) as error:
        raise TranscriptUnreadable(
            f"there is no record for this role in {server.url}; let its owner run "
            "`coreasoner transcripts create-database`"
        ) from error
    if found > SCHEMA:
        raise TranscriptSchemaTooNew(found, SCHEMA)


def _schema(connection: Connection) -> int:
    row = connection.execute("SELECT schema FROM coreasoner.record").fetchone()
    return int(row[0]) if row else 0


def _require_durable(connection: Connection) -> None:
    if connection.execute("SHOW fsync").fetchone() != ("on",):
        raise TranscriptUnwritable(_NOT_DURABLE)
    if connection.execute(_MIGHT).fetchone() != (False,):
        raise TranscriptUnwritable(_TOO_MIGHTY)


def _key(consultation: str) -> int:
    return int.from_bytes(hashlib.sha256(consultation.encode()).digest()[:8]) >> 1


@cache
def _numbered(sql: str) -> str:
    return re.sub(r"\?(?=[1-9])", "$", sql)


def _roll_back(connection: Connection) -> None:
    with suppress(psycopg.Error):
        connection.execute("ROLLBACK")


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except (psycopg.Error, OSError) as error:
        reason = next((said for kind, said in _REASONS.items() if isinstance(error, kind)), _unnamed(error))
        raise TranscriptUnwritable(reason) from error


def _unnamed(error: Exception) -> str:
    said = " ".join(str(error).split())
    return f"{said}; check the database server and the network, then start the case again"


@contextmanager
def _reading(server: Server) -> Iterator[None]:
    try:
        yield
    except (psycopg.Error, OSError) as error:
        said = " ".join(str(error).split())
        raise TranscriptUnreadable(
            f"the record in {server.url} could not be read: {said}; check the database server and the network"
        ) from error
