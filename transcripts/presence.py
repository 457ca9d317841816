"""Whether someone is still writing a consultation; beside a file, a locked, empty file for each one that runs.

The operating system lets go of the lock however the writer ends, kill -9 and power loss included, so
there is no process id to be reused and no timeout to guess. Knows nothing of what is written.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout


class Presence(Protocol):
    """Who still writes which consultation."""

    def hold(self, consultation: str) -> Callable[[], None]:
        """Mark the consultation as being written until the returned function is called or this process ends."""

    def held(self, consultation: str) -> bool:
        """Whether a live process holds the consultation; `consultation` is a well-formed id, never a path."""

    def close(self) -> None:
        """Let go of what asking has opened."""


class LockFiles:
    """The lock files of one transcript, in a folder beside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def hold(self, consultation: str) -> Callable[[], None]:
        """Mark the consultation as being written until the returned function is called or this process ends.

        Raises OSError when the folder cannot be written.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        file = self._folder / consultation
        lock = _lock(file)
        lock.acquire()

        def release() -> None:
            lock.release()
            # An empty file left behind is harmless: nobody holds its lock.
            with suppress(OSError):
                file.unlink(missing_ok=True)

        return release

    def held(self, consultation: str) -> bool:
        """Whether a live process holds the consultation; `consultation` is a well-formed id, never a path."""
        file = self._folder / consultation
        if not file.exists():
            return False
        try:
            with _lock(file):
                return False
        except Timeout:
            return True
        except OSError:
            # Not even openable for writing, as on a read-only medium, where nobody writes.
            return False

    def close(self) -> None:
        """Nothing: each file is let go by itself."""


def _lock(file: Path) -> FileLock:
    return FileLock(file, mode=0o600, thread_local=False, blocking=False, fallback_to_soft=False)
