"""moto's S3 server as a program of its own, spoken to over HTTP. Knows nothing of what is kept there."""

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.request import Request, urlopen
from uuid import uuid4

from knowledge.storage import KnowledgeSettings

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAWARDSEVEN", "AWS_SECRET_ACCESS_KEY": "never-shown-to-anybody"}


def moto_server() -> Path | None:
    """The program: the one that COREASONER_TEST_STORAGE names, or that `make storage` installed."""
    named = os.environ.get("COREASONER_TEST_STORAGE")
    program = Path(named) if named else Path(sys.prefix) / "storage" / "bin" / "moto_server"
    return program if program.is_file() else None


class StorageServer:
    """A running server; it listens on a free port and forgets everything when it ends."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [program, "-H", "127.0.0.1", "-p", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self._process.stdout is not None
        said = next(line for line in self._process.stdout if b"Running on" in line)
        self.endpoint = said.decode().split()[-1].rstrip("/")
        # It tells every request; with a full pipe it would stand still.
        self._reader = Thread(target=self._process.stdout.read, daemon=True)
        self._reader.start()

    def bucket(self, **changes: object) -> KnowledgeSettings:
        """The settings of a new, empty bucket."""
        name = f"ward-{uuid4().hex[:12]}"
        urlopen(Request(f"{self.endpoint}/{name}", method="PUT")).close()
        chosen = {"location": f"s3://{name}/guidelines", "endpoint": self.endpoint, "timeout_s": 20.0}
        return KnowledgeSettings.model_validate({**chosen, **changes})

    def demand_keys(self, demanded: bool) -> None:
        """From now on let nobody in whose key it doesn't know [it knows none], or everybody."""
        body, kind = (b"0" if demanded else b"inf"), {"Content-Type": "text/plain"}
        urlopen(Request(f"{self.endpoint}/moto-api/reset-auth", data=body, headers=kind, method="POST")).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the program; nobody answers any more."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
