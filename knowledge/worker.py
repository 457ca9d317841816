"""The process that reads documents, one after the other, under limits that it sets itself and can't lift.

Started by `knowledge.extractor` as `python -m knowledge.worker LIMITS`. A parser that hangs, swells or crashes ends
this process and nothing else. It writes no file and knows nothing of packs or the store.
"""

import os
import resource
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel

from knowledge.errors import DocumentUnsupported
from knowledge.extract import extract
from knowledge.protocol import MAX_FILE_BYTES, OUT_OF_MEMORY, Extracted, Limits, Read, Ready, Refused, Working

_OPEN_FILES = 64
_DAMAGED = "it is damaged or not what its name says ({}), so save it anew from the program that made it"


def _confine(limits: Limits) -> None:
    memory = limits.memory_bytes
    settings = [(resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)]
    for limit, value in [*settings, (resource.RLIMIT_NOFILE, _OPEN_FILES)]:
        resource.setrlimit(limit, (value, value))


def _grant_seconds(seconds: float) -> None:
    """Let this process compute for that long from now; then the system ends it, whoever still waits for it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))


def _read(request: Read, step: Callable[[], None]) -> Extracted | Refused:
    try:
        raw = _content(Path(request.path), request.file)
        return Extracted(sha256=sha256(raw).hexdigest(), document=extract(raw, request.file, step))
    except DocumentUnsupported as error:
        return Refused(reason=error.reason)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # What is left lies in pieces; the next document needs a new process anyway.
    except OSError as error:
        return Refused(reason=f"it can't be opened ({error.strerror or error}), so check that it is readable")
    except Exception as error:  # Parsers raise whatever they like over a broken file; none of it is ours to handle.
        return Refused(reason=_DAMAGED.format(type(error).__name__))


def _content(path: Path, file: str) -> bytes:
    with path.open("rb") as source:
        raw = source.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        raise DocumentUnsupported(file, f"it is larger than {MAX_FILE_BYTES // 1024**2} MB, so split it")
    if not raw:
        raise DocumentUnsupported(file, "it is empty, so fetch it again")
    return raw


def _send(stream: BinaryIO, message: BaseModel) -> None:
    stream.write(message.model_dump_json().encode() + b"\n")
    stream.flush()


def main() -> None:
    """Serve until stdin closes."""
    limits = Limits.model_validate_json(sys.argv[1])
    # Whatever native code prints must not land between the replies.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.dont_write_bytecode = True
    _confine(limits)

    def step() -> None:
        _grant_seconds(limits.page_seconds)
        _send(replies, Working())

    _send(replies, Ready())
    for line in sys.stdin.buffer:
        step()
        _send(replies, _read(Read.model_validate_json(line), step))
    # Nothing needs unwinding that the system does not take back, and parsers have crashed while tidying up.
    os._exit(0)


if __name__ == "__main__":
    main()
