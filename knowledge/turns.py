"""Turns at writing in a bucket: one object says who has the turn and what is valid, so that losing one is losing both.

Every change of it demands that it still is what was read last (If-Match). Who has the turn writes it anew all the time;
whoever sees it unchanged for as long as it promises, by the own clock, takes over. From then on nothing that the former
writer does can become valid. It knows nothing of what is valid.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import Self
from uuid import uuid4

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import S3Store
from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from knowledge.errors import StorageError, StorageUnsuited, StoreUnwritable, TurnLost
from knowledge.refusals import typed
from knowledge.storage import KnowledgeSettings

HEAD = "store.json"
_BEATS = 4  # in the time after which another may take over
_LOOK_S = 0.25
_NO_MARK = f'"{"0" * 32}"'


class Standing(BaseModel):
    """What the object says: how many turns there were, who has one and how long its silence may last, what is valid.

    `beat` changes with every sign of life. No `owner` means that the turn is free.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    turn: NonNegativeInt
    owner: str
    lease_s: float
    beat: NonNegativeInt
    head: str

    @classmethod
    def read(cls, content: bytes) -> Self:
        """What an object says; one that was copied here from a folder says what is valid and nothing of turns."""
        try:
            return cls.model_validate_json(content)
        except ValidationError:
            return cls(turn=0, owner="", lease_s=0, beat=0, head=content.decode("utf-8", "replace"))


_NOTHING = Standing(turn=0, owner="", lease_s=0, beat=0, head="")


class _Seen(BaseModel):
    """The object as it was read: `mark` identifies this state of it, None where there is none yet."""

    model_config = ConfigDict(frozen=True)

    standing: Standing
    mark: str | None


class Ledger:
    """The one object, read and replaced."""

    def __init__(self, store: S3Store, settings: KnowledgeSettings) -> None:
        self._store, self._settings = store, settings

    def seen(self) -> _Seen:
        """The object now; raises StorageError."""
        try:
            with typed(self._settings):
                found = obstore.get(self._store, HEAD)
                return _Seen(standing=Standing.read(bytes(found.bytes())), mark=found.meta["e_tag"])
        except FileNotFoundError:
            return _Seen(standing=_NOTHING, mark=None)

    def replace(self, seen: _Seen, standing: Standing) -> _Seen | None:
        """Put a new state in the place of the one that was seen; None where that isn't there any more.

        Raises StorageError; then it is unknown which of the two is there.
        """
        content = standing.model_dump_json().encode()
        try:
            with typed(self._settings):
                mode = {"e_tag": seen.mark} if seen.mark else "create"
                put = obstore.put(self._store, HEAD, content, mode=mode)  # type: ignore[arg-type]  # both are modes
        except (AlreadyExistsError, PreconditionError):
            # An answer that was lost on the way makes the library ask again, and then its own first try is in its way.
            now = self.seen()
            return now if now.standing == standing else None
        return _Seen(standing=standing, mark=put["e_tag"])

    def require_conditions(self, seen: _Seen) -> None:
        """Raise StorageUnsuited where the storage ignores conditions."""
        require_conditions(self._store, self._settings, HEAD, seen.standing.model_dump_json().encode())


def require_conditions(store: S3Store, settings: KnowledgeSettings, name: str, content: bytes) -> None:
    """Raise StorageUnsuited where an object [there, with this content] can be created again, or replaced as another.

    A storage that ignores conditions keeps no two writers apart, neither ours nor LanceDB's. Raises StorageError.
    """
    for condition, mode in (("If-None-Match", "create"), ("If-Match", {"e_tag": _NO_MARK})):
        with suppress(AlreadyExistsError, PreconditionError), typed(settings):
            obstore.put(store, name, content, mode=mode)  # type: ignore[arg-type]  # both are modes
            raise StorageUnsuited(settings.host, condition)


class BucketTurn:
    """The turn of this program, as long as it gives signs of life."""

    def __init__(self, ledger: Ledger, seen: _Seen, place: str) -> None:
        self.number = seen.standing.turn
        self._ledger, self._seen, self._place = ledger, seen, place
        self._mutex, self._over = Lock(), Event()

    def publish(self, head: bytes) -> None:
        """Replace what is valid, in one step; raises TurnLost where another program has taken over, StorageError."""
        self._replace({"head": head.decode()})

    def require(self) -> None:
        """Raise TurnLost where another program has taken over, StorageError."""
        self._replace({})

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Give signs of life while this lasts, and hand the turn on at its end."""
        beating = Thread(target=self._beat, daemon=True)
        beating.start()
        try:
            yield
        finally:
            self._over.set()
            beating.join()
            # Lost or out of reach, there is nothing to hand on: what was published counts, and silence does the rest.
            with suppress(TurnLost, StorageError):
                self._replace({"owner": ""})

    def _beat(self) -> None:
        while not self._over.wait(self._seen.standing.lease_s / _BEATS):
            try:
                self._replace({})
            except TurnLost:
                return
            except StorageError:
                continue  # the next one may get through, and the next change tells where none does

    def _replace(self, changed: dict[str, str]) -> None:
        with self._mutex:
            seen = self._changed(changed)
            if seen is None:
                # Perhaps what is in the way is our own, and only the answer to it was lost.
                self._seen = self._still_ours()
                seen = self._changed(changed)
            if seen is None:
                raise TurnLost(self._place)
            self._seen = seen

    def _changed(self, changed: dict[str, str]) -> _Seen | None:
        before = self._seen.standing
        return self._ledger.replace(self._seen, before.model_copy(update={**changed, "beat": before.beat + 1}))

    def _still_ours(self) -> _Seen:
        former, now = self._seen.standing, self._ledger.seen()
        if (now.standing.turn, now.standing.owner) != (former.turn, former.owner):
            raise TurnLost(self._place)
        return now


def take(ledger: Ledger, settings: KnowledgeSettings, seconds: float) -> BucketTurn:
    """Wait for the turn, `seconds` at most, or take it over from who gives no sign of life. Raises StoreUnwritable.

    Raises StorageUnsuited too, and StorageError where the storage doesn't answer.
    """
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex}"
    started = since = time.monotonic()
    seen = ledger.seen()
    while True:
        silent = time.monotonic() - since
        if not seen.standing.owner or silent >= seen.standing.lease_s:
            wanted = seen.standing.model_copy(
                update={"turn": seen.standing.turn + 1, "owner": owner, "lease_s": settings.lease_s, "beat": 0}
            )
            taken = ledger.replace(seen, wanted)
            if taken:
                ledger.require_conditions(taken)
                return BucketTurn(ledger, taken, settings.location)
        elif time.monotonic() - started >= seconds:
            raise StoreUnwritable(settings.location, "another machine is changing it, so try again later")
        else:
            time.sleep(_LOOK_S)
        now = ledger.seen()
        if now.mark != seen.mark:
            seen, since = now, time.monotonic()
