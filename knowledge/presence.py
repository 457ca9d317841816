"""Whether somebody still reads a folder of tables, in whatever process; the system lets go with the last reader.

Knows nothing of tables.
"""

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from weakref import finalize


def hold(reader: object, folder: Path) -> Callable[[], object]:
    """Let the folder count as read while `reader` lives, or until the returned function is called.

    Where the disk knows no locks, nothing is held.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return finalize(reader, os.close, descriptor)


def is_read(folder: Path) -> bool:
    """Whether a reader lives; True too where the disk knows no locks."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
