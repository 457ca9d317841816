"""A bucket of S3-compatible object storage as the place of a knowledge base that several machines share.

Speaks to the endpoint in the settings and to nobody else. The storage itself puts objects whole; `turns` says how
writers take turns. It knows nothing of what the objects say.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import obstore
from obstore.store import S3Store

from knowledge.errors import StorageRefused
from knowledge.place import Shelf
from knowledge.refusals import typed
from knowledge.storage import KnowledgeSettings
from knowledge.turns import BucketTurn, Ledger, require_conditions, take

_GRACE = timedelta(days=1)  # longer than any case takes: nothing shows which machines read
_RETRIES = 3
_CONNECT_S = 5.0
_PIECE = 1 << 20


class BucketShelf:
    """The objects whose keys begin with a prefix. Everything raises StorageError."""

    def __init__(self, store: S3Store, settings: KnowledgeSettings, prefix: str) -> None:
        self._store, self._settings, self._prefix = store, settings, prefix

    def pieces(self, name: str) -> Iterator[bytes]:
        """The bytes of an object, piece by piece; raises FileNotFoundError."""
        with typed(self._settings):
            for piece in obstore.get(self._store, self._prefix + name).stream(_PIECE):
                yield bytes(piece)

    def read(self, name: str) -> bytes:
        """The bytes of an object; raises FileNotFoundError."""
        with typed(self._settings):
            return bytes(obstore.get(self._store, self._prefix + name).bytes())

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        """Put an object there, in the place of a former one."""
        # Joined before anything is sent: where a piece can't be had, nothing must be left in the storage.
        content = b"".join(pieces)
        with typed(self._settings):
            obstore.put(self._store, self._prefix + name, content)

    def holds(self, name: str) -> bool:
        """Whether there is such an object."""
        try:
            with typed(self._settings):
                obstore.head(self._store, self._prefix + name)
        except FileNotFoundError:
            return False
        return True

    def names(self) -> tuple[str, ...]:
        """Every object directly under the prefix."""
        with typed(self._settings):
            found = obstore.list_with_delimiter(self._store, self._prefix)["objects"]
            return tuple(meta["path"].rpartition("/")[2] for meta in found)

    def rename(self, name: str, new: str) -> None:
        """Copy an object and delete the former; killed between, both are there."""
        with typed(self._settings):
            obstore.copy(self._store, self._prefix + name, self._prefix + new)
            obstore.delete(self._store, self._prefix + name)

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects."""
        if doomed := [self._prefix + name for name in names]:
            with typed(self._settings):
                obstore.delete(self._store, doomed)


class Bucket:
    """What lies under a prefix of a bucket. Everything raises StorageError."""

    shared = True

    def __init__(self, settings: KnowledgeSettings) -> None:
        self._settings = settings
        self._config = {**settings.credentials(), "region": settings.region}
        self._config |= {"endpoint": str(settings.endpoint).rstrip("/")} if settings.endpoint else {}
        patience = timedelta(seconds=settings.timeout_s)
        self._store = S3Store(
            settings.bucket,
            prefix=settings.prefix or None,
            config=self._config,  # type: ignore[arg-type]  # put together, it is no TypedDict
            client_options={
                "allow_http": not settings.private,
                "timeout": patience,
                "connect_timeout": min(patience, timedelta(seconds=_CONNECT_S)),
            },
            retry_config={"max_retries": _RETRIES, "retry_timeout": patience},
        )
        self._objects = BucketShelf(self._store, settings, "")

    def __str__(self) -> str:
        return self._settings.location

    def exists(self) -> bool:
        """Whether there is any object."""
        with typed(self._settings):
            return any(len(chunk) > 0 for chunk in obstore.list(self._store, chunk_size=1))

    def shelf(self, name: str) -> Shelf:
        """The objects under a name."""
        return BucketShelf(self._store, self._settings, f"{name}/")

    def head(self) -> bytes | None:
        """The small object that says what is valid; None where there is none."""
        return Ledger(self._store, self._settings).seen().standing.head.encode() or None

    @contextmanager
    def writing(self, seconds: float) -> Iterator[BucketTurn]:
        """Have the turn among all machines. Raises StoreUnwritable."""
        turn = take(Ledger(self._store, self._settings), self._settings, seconds)
        with turn.kept():
            yield turn

    def folders(self) -> tuple[str, ...]:
        """The names under which there are objects."""
        with typed(self._settings):
            found = obstore.list_with_delimiter(self._store)["common_prefixes"]
        return tuple(prefix.rstrip("/").rpartition("/")[2] for prefix in found)

    def drop(self, folder: str) -> None:
        """Remove all objects under a name."""
        with typed(self._settings):
            if doomed := [meta["path"] for meta in obstore.list(self._store, f"{folder}/").collect()]:
                obstore.delete(self._store, doomed)

    def size(self) -> int:
        """The bytes of all objects."""
        with typed(self._settings):
            return sum(meta["size"] for meta in obstore.list(self._store).collect())

    def address(self, folder: str) -> tuple[str, dict[str, str]]:
        """Where LanceDB finds the tables under a name, and the options with which it gets there, keys among them."""
        patience = self._settings.timeout_s
        bounds = {
            "allow_http": str(not self._settings.private).lower(),
            "timeout": f"{patience:g}s",
            "connect_timeout": f"{min(patience, _CONNECT_S):g}s",
            "client_max_retries": str(_RETRIES),
            "client_retry_timeout": str(round(patience)),
        }
        key = "/".join(filter(None, (self._settings.bucket, self._settings.prefix, folder)))
        return f"s3://{key}", {**self._config, **bounds}

    def hold(self, reader: object, folder: str) -> None:
        """Nothing: other machines can't see who reads."""

    def is_read(self, folder: str, replaced: datetime | None) -> bool:
        """Whether tables were replaced so lately that some machine may still read them."""
        return replaced is None or datetime.now(UTC) - replaced < _GRACE

    def require_answer(self) -> None:
        """Raise StorageError where the storage can't be read now."""
        self.head()

    def prove(self) -> bool:
        """Write and remove an object; returns whether that is allowed. Raises StorageUnsuited too."""
        self.require_answer()
        probe = f"probe-{uuid4().hex}"
        try:
            self._objects.write(probe, [b""])
            require_conditions(self._store, self._settings, probe, b"")
            self._objects.delete([probe])
        except StorageRefused:
            return False
        return True
