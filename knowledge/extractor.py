"""Reads documents in a process of its own, which is killed when one takes too long, too much memory, or crashes.

The process starts with the first document, serves one after the other, and ends with its extractor. It knows nothing
of packs, chunks or the store.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
import weakref
from pathlib import Path

from pydantic import ValidationError

from knowledge.errors import DocumentUnsupported, ReaderUnavailable
from knowledge.protocol import OUT_OF_MEMORY, REPLY, Extracted, Limits, Read, Ready, Refused, Working

_START_SECONDS = 120.0  # Python and its libraries from a slow disk
_MAX_REPLY = 192 * 1024 * 1024
_PIECE = 1 << 18


class _Ended(Exception):
    """The process is gone, or was killed; `reason` is for the document that it was reading."""

    def __init__(self, reason: str, *, may_be_its_age: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_be_its_age = may_be_its_age


class _Process:
    """A running `knowledge.worker`."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # -P: a module in the folder where somebody stands must not be imported instead of Python's own.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "knowledge.worker", limits.model_dump_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        self.end = weakref.finalize(self, _end, self._process)
        assert self._process.stdout is not None
        self._replies = self._process.stdout.fileno()
        self._poll = select.poll()
        self._poll.register(self._replies, select.POLLIN)
        self._buffer = bytearray()

    def start(self) -> None:
        """Wait until it is ready. Raises ReaderUnavailable."""
        try:
            ready = isinstance(self._reply(time.monotonic() + _START_SECONDS), Ready)
        except _Ended:
            ready = False
        if not ready:
            raise ReaderUnavailable

    def read(self, request: Read) -> Extracted | Refused:
        """Let it read one document. Raises _Ended."""
        began = time.monotonic()
        self._send(request)
        while True:
            now = time.monotonic()
            if now - began > self._limits.document_seconds:
                raise _Ended(f"reading it takes longer than {self._limits.document_seconds:g} s in all, so split it")
            reply = self._reply(now + self._limits.page_seconds)
            if isinstance(reply, Extracted | Refused):
                return reply

    def _send(self, request: Read) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(request.model_dump_json().encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._died() from error

    def _reply(self, deadline: float) -> Ready | Working | Extracted | Refused:
        try:
            return REPLY.validate_json(self._line(deadline))
        except ValidationError as error:
            raise _Ended("its reader gave no usable answer, so save it anew from the program that made it") from error

    def _line(self, deadline: float) -> bytes:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > _MAX_REPLY:
                raise _Ended("it holds more text than a document may, so split it")
            self._fill(deadline)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _fill(self, deadline: float) -> None:
        remaining = deadline - time.monotonic()
        if remaining <= 0 or not self._poll.poll(remaining * 1000):
            raise _Ended(self._slow())
        piece = os.read(self._replies, _PIECE)
        if not piece:
            raise self._died()
        self._buffer += piece

    def _died(self) -> _Ended:
        status = self._process.wait()
        if -status == signal.SIGXCPU:
            return _Ended(self._slow())
        memory = self._limits.memory_bytes // 1024**2
        if status == OUT_OF_MEMORY:
            return _Ended(f"reading it takes more than {memory} MB of memory, so split it", may_be_its_age=True)
        name = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        reason = f"its reader crashed ({name}) or needed more than {memory} MB, so save it anew or split it"
        return _Ended(reason, may_be_its_age=True)

    def _slow(self) -> str:
        seconds = self._limits.page_seconds
        return f"reading it takes longer than {seconds:g} s a page, so save it anew or split it"


class Extractor:
    """Reads documents under `limits`, in one process until that has to be killed, then in a new one."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._process: _Process | None = None

    def extract(self, path: Path, file: str) -> Extracted:
        """The document at `path`; `file` is what it is called in messages, and its end says what kind it is.

        Raises DocumentUnsupported, with what to do next, and ReaderUnavailable where no process can be started.
        """
        if not _is_unicode(str(path)):
            raise DocumentUnsupported(file, "its path is not UTF-8, so rename it")
        request = Read(path=str(path), file=file)
        aged = self._process is not None
        try:
            reply = self._ask(request)
        except _Ended as ended:
            # One that read others before may have died of what these left behind.
            if not (aged and ended.may_be_its_age):
                raise DocumentUnsupported(file, ended.reason) from ended
            reply = self._ask_again(request)
        if isinstance(reply, Refused):
            raise DocumentUnsupported(file, reply.reason)
        return reply

    def close(self) -> None:
        """End the process; the next document would start another."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def _ask_again(self, request: Read) -> Extracted | Refused:
        try:
            return self._ask(request)
        except _Ended as ended:
            raise DocumentUnsupported(request.file, ended.reason) from ended

    def _ask(self, request: Read) -> Extracted | Refused:
        if self._process is None:
            process = _Process(self._limits)
            process.start()
            self._process = process
        try:
            return self._process.read(request)
        except BaseException:  # Ctrl-C too: the half-read reply must not meet the next question.
            self.close()
            raise


def _environment() -> dict[str, str]:
    # Python's own module path of this process, so that the worker finds the same code; and no secrets.
    return {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "LC_ALL": "C.UTF-8"}


def _is_unicode(text: str) -> bool:
    """Whether it has none of the surrogates that stand for bytes of a file name that are no UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):  # A question that it was too dead to read is still in there.
                pipe.close()
