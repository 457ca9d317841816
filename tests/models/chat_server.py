"""A chat server on this machine that behaves as badly as it is told to: real HTTP, real sockets.

Every request for an answer takes the next of `turns`; the last one stays. Knows nothing of models.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_S = 20.0


class ChatServer(ThreadingHTTPServer):
    """Answers with `turns` and remembers what it was asked. `listing` is the status of its list of models."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.turns: list[Turn] = [says("Rest.")]
        self.listing = 200
        self.requests: list[dict[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.health_checks = 0
        self.speaking = threading.Event()
        self.hung_up = threading.Event()
        self.released = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of lines that the other side has cut."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/v1"


class Exchange(BaseHTTPRequestHandler):
    """One request and its answer."""

    server: ChatServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """List the models."""
        self.server.health_checks += 1
        self.headers_of(self.server.listing, "application/json")
        self.send(b'{"object": "list", "data": [{"id": "ward"}, {"id": "other"}]}')
        self.end()

    def do_POST(self) -> None:
        """Take the next turn."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(json.loads(body))
        self.server.headers.append(dict(self.headers))
        turns = self.server.turns
        (turns.pop(0) if len(turns) > 1 else turns[0])(self)

    def headers_of(self, status: int, kind: str, **more: str) -> None:
        """The first lines of an answer in pieces."""
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Transfer-Encoding": "chunked", **more}.items():
            self.send_header(name, value)
        self.end_headers()

    def send(self, content: bytes) -> None:
        """One piece, in a packet of its own."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
        self.wfile.flush()

    def end(self) -> None:
        """The end of an answer in pieces."""
        self.wfile.write(b"0\r\n\r\n")

    def wait_for_hang_up(self) -> None:
        """Say nothing more until the other side closes the line."""
        self.connection.settimeout(PATIENCE_S)
        with suppress(ConnectionResetError):
            assert not self.connection.recv(1)
        self.server.hung_up.set()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


Turn = Callable[[Exchange], None]


def event(text: str = "", reason: str | None = None, **more: object) -> bytes:
    """An event with a piece of an answer."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    return (
        b"data: " + json.dumps({"model": "ward-7b", "choices": [choice], **more}, ensure_ascii=False).encode() + b"\n\n"
    )


DONE = b"data: [DONE]\n\n"


def sends(*pieces: bytes) -> Turn:
    """A stream of these bytes, each piece in a packet of its own, and its end."""

    def turn(exchange: Exchange) -> None:
        exchange.headers_of(200, "text/event-stream")
        for piece in pieces:
            exchange.send(piece)
        exchange.end()

    return turn


def says(*texts: str, reason: str = "stop", **more: object) -> Turn:
    """A whole answer."""
    return sends(event(), *(event(text) for text in texts), event("", reason, **more), DONE)


def answers(status: int, said: str = "", kind: str = "application/json", **headers: str) -> Turn:
    """No stream at all."""

    def turn(exchange: Exchange) -> None:
        exchange.headers_of(status, kind, **headers)
        exchange.send(said.encode() or b"{}")
        exchange.end()

    return turn


def hangs(*pieces: bytes) -> Turn:
    """A stream that stays open after these pieces."""

    def turn(exchange: Exchange) -> None:
        exchange.headers_of(200, "text/event-stream")
        for piece in pieces:
            exchange.send(piece)
        exchange.server.speaking.set()
        exchange.wait_for_hang_up()
        exchange.close_connection = True

    return turn


def waits(then: Turn) -> Turn:
    """Nothing until the server is released, and then that turn."""

    def turn(exchange: Exchange) -> None:
        exchange.server.speaking.set()
        exchange.server.released.wait(PATIENCE_S)
        then(exchange)

    return turn


def drops(*pieces: bytes) -> Turn:
    """A stream whose line is cut after these pieces."""

    def turn(exchange: Exchange) -> None:
        exchange.headers_of(200, "text/event-stream")
        for piece in pieces:
            exchange.send(piece)
        exchange.close_connection = True

    return turn


@contextmanager
def running_server(*turns: Turn) -> Iterator[ChatServer]:
    """A server that takes these turns while the block runs."""
    with ChatServer() as server:
        server.turns = list(turns) or server.turns
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()
