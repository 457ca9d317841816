"""Saved key-value states of prompts' beginnings: of product text for everyone, of a conversation for itself alone.

States of product text may also lie in a folder, one file each, named by what they were made of and closed by a hash.
Knows nothing of lanes; what a state holds it takes on trust from whoever saved it.
"""

import hashlib
import os
import struct
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_DIGEST_BYTES = 32


def common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens two texts begin with in common."""
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _begins(beginning: Sequence[int], tokens: Sequence[int]) -> bool:
    return common_prefix(beginning, tokens) == len(beginning)


class Saved(NamedTuple):
    """A state that makes a sequence hold `tokens`; `shared` where other texts were in the batches that read them."""

    tokens: tuple[int, ...]
    state: bytes
    shared: bool


class Prefixes:
    """At most `room` bytes of states, the longest unused thrown out first. Safe to use from several threads.

    `made_by` names everything but the tokens that a state depends on; states in `folder` made otherwise are not read.
    """

    def __init__(self, room: int, folder: Path | None, made_by: str) -> None:
        self._room, self._folder, self._made_by = room, folder, made_by
        self._saved: OrderedDict[tuple[str, tuple[int, ...]], Saved] = OrderedDict()
        self._lock = threading.Lock()
        self._bytes = 0

    def put(
        self, owner: str, tokens: Sequence[int], state: bytes, *, lasting: bool = False, shared: bool = False
    ) -> None:
        """Keep a state for conversation `owner`, or for everyone where that is empty; a lasting one also on disk.

        One for which there is no room is not kept.
        """
        if not self.has_room(len(state)):
            return
        saved = Saved(tuple(tokens), state, shared)
        self._remember(owner, saved)
        if lasting and not owner and self._folder is not None:
            with suppress(OSError):  # a full or read-only disk costs a prefill and nothing else
                self._write(self._folder, saved)

    def has_room(self, size: int) -> bool:
        """Whether a state of `size` bytes can be kept, if others must go for it."""
        return size <= self._room

    def longest(
        self, owner: str, tokens: Sequence[int], static: int, places: Collection[int] | None = None
    ) -> Saved | None:
        """The state that holds most of the beginning of `tokens`, among everyone's and those of `owner`.

        With `places`, everyone's are only those that end there, and each is used as a whole.
        """
        self._read(tokens[:static])
        with self._lock:
            mine = [key for key in self._saved if not key[0] or key[0] == owner]
            if places is not None:
                mine = [key for key in mine if (key[0] or len(key[1]) in places) and _begins(key[1], tokens)]
            best = max(mine, key=lambda key: common_prefix(key[1], tokens), default=None)
            if best is None or not common_prefix(best[1], tokens):
                return None
            self._saved.move_to_end(best)
            return self._saved[best]

    def holds(self, tokens: Sequence[int]) -> bool:
        """Whether exactly these tokens are saved for everyone."""
        self._read(tokens)
        return ("", tuple(tokens)) in self._saved

    def forget(self, owner: str) -> None:
        """Throw away what conversation `owner` saved."""
        with self._lock:
            for key in [key for key in self._saved if key[0] == owner and owner]:
                self._bytes -= len(self._saved.pop(key).state)

    def _remember(self, owner: str, saved: Saved) -> None:
        with self._lock:
            key = (owner, saved.tokens)
            if replaced := self._saved.pop(key, None):
                self._bytes -= len(replaced.state)
            self._saved[key] = saved
            self._bytes += len(saved.state)
            while self._bytes > self._room and self._saved:
                self._bytes -= len(self._saved.popitem(last=False)[1].state)

    def _file(self, folder: Path, tokens: Sequence[int]) -> Path:
        made_of = hashlib.sha256(self._made_by.encode() + struct.pack(f"<{len(tokens)}i", *tokens)).hexdigest()
        return folder / f"{made_of}.prefix"

    def _write(self, folder: Path, saved: Saved) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self._file(folder, saved.tokens)
        unfinished = file.with_suffix(f".{os.getpid()}.part")
        unfinished.touch(mode=0o600)
        content = saved.state + bytes([saved.shared])
        unfinished.write_bytes(content + hashlib.sha256(content).digest())
        unfinished.replace(file)

    def _read(self, tokens: Sequence[int]) -> None:
        if self._folder is None or not tokens or ("", tuple(tokens)) in self._saved:
            return
        file = self._file(self._folder, tokens)
        with suppress(OSError):
            if not self.has_room(file.stat().st_size - 1 - _DIGEST_BYTES):
                return
            whole = file.read_bytes()
            content, digest = whole[:-_DIGEST_BYTES], whole[-_DIGEST_BYTES:]
            if content and hashlib.sha256(content).digest() == digest:
                self._remember("", Saved(tuple(tokens), content[:-1], bool(content[-1])))
            else:
                file.unlink()
