"""A real PostgreSQL for the tests: started by an account without rights, on a socket in a folder of its own."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from transcripts.clock import Clock, system_clock
from transcripts.postgres import Server, create
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

_SERVICE = "service"
_PASSWORD = secrets.token_hex(16)


class Hosted(NamedTuple):
    """A record in a database of a PostgreSQL server."""

    service: Server
    owner: Server

    def open(
        self, read_only: bool = False, patience: float = 5.0, seal: Seal | None = None, clock: Clock = system_clock
    ) -> TranscriptStore:
        return TranscriptStore.connect(self.service, read_only, patience=patience, seal=seal, clock=clock)

    def alter(self, sql: str) -> None:
        with self.owner.connect(patience=5.0) as raw:
            raw.execute("SET session_replication_role = replica")  # without any trigger
            raw.execute(sql)


def programs() -> Path:
    """The folder with the server's programs; without one the test is skipped."""
    found = [Path(folder) for folder in [os.path.dirname(shutil.which("initdb") or "")] if folder]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in found:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    pytest.skip("there is no PostgreSQL server here; on Debian: apt-get install postgresql")


def account() -> str | None:
    """Whose processes they are: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def started() -> Iterator[Hosted]:
    """A server, and a database in it with the record."""
    memory = Path("/dev/shm")  # a commit waits for the disk, and hundreds of tests with it
    found, user = programs(), account()
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))
    secret = folder / "password"
    secret.write_text(_PASSWORD)
    if user:
        for path in (folder, secret):
            shutil.chown(path, user)
    data, log = folder / "data", folder / "log"

    def run(program: str, *arguments: str) -> None:
        subprocess.run([found / program, *arguments], user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    run("initdb", "-D", str(data), "-U", "owner", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "-N")
    run("pg_ctl", "-D", str(data), "-l", str(log), "-w", "-o", f"-c listen_addresses= -k {folder}", "start")
    try:
        with closing(_at(folder, "owner", "postgres").connect(patience=5.0)) as owner:
            owner.execute(f"CREATE ROLE {_SERVICE} LOGIN PASSWORD '{_PASSWORD}'")
            owner.execute("CREATE DATABASE record")
        create(_at(folder, "owner", "record"), _SERVICE)
        yield Hosted(_at(folder, _SERVICE, "record"), _at(folder, "owner", "record"))
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)


def emptied(hosted: Hosted) -> None:
    """Remove everything that is recorded, as no program of ours can."""
    hosted.alter("DELETE FROM signed_heads; DELETE FROM checkpoints; DELETE FROM events; DELETE FROM consultations")


def _at(folder: Path, role: str, database: str) -> Server:
    return Server(f"postgresql://{role}@/{database}?host={folder}", _PASSWORD)
