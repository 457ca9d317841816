"""What the record survives: kills in the middle of writing, and alterations of every kind.

`python -m evaluation.record_endurance --kills 1000 --alterations 10000` prints a line each. Alterations are made
behind the product's back, on a file without its triggers, and counters are put right after them. Knows nothing of
models.
"""

import argparse
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from transcripts import audit
from transcripts.consultation import Status
from transcripts.errors import TranscriptAltered, TranscriptError
from transcripts.event import Event, EventKind, canonical
from transcripts.keys import KeyRing
from transcripts.seal import Seal
from transcripts.sqlite import SqliteSession
from transcripts.store import TranscriptStore

_TRANSCRIPTS = 200
_MOST_EVENTS = 40
_UNTOUCHED = 1000
_KILLS_A_FILE = 25
_WRITERS = 4
_START_S = 0.8  # by when a writer has opened its file, and often written to it

Read = sqlite3.Connection


class Killed(NamedTuple):
    """What became of `acknowledged` events after so many `kills`; `running` are consultations that none writes."""

    kills: int
    acknowledged: int
    lost: int
    unsound: int
    running: int


class Altered(NamedTuple):
    """How many alterations were made, of which kinds, found, and named by their event; and how many false alarms."""

    made: int
    kinds: dict[str, int]
    found: int
    named: int
    untouched: int
    alarms: int


# What an intruder does to the consultation; returns the first event that is not as it was written.
Intruder = Callable[[Read, str, random.Random], int]


def open_signed(folder: Path) -> TranscriptStore:
    """The transcript in a folder, with keys and a second copy in the same one."""
    seal = Seal(KeyRing(folder / "keys"), folder / "checkpoints.jsonl", every=0.05)
    return TranscriptStore.open(folder / "transcripts.db", seal=seal)


def write_for_ever(folder: Path) -> None:
    """Record consultations from several threads and say on standard output what is durable, until killed."""
    say = threading.Lock()

    def consult(store: TranscriptStore) -> None:
        while True:
            with store.begin() as recorder:
                for turn in range(random.randrange(1, 30)):
                    event = recorder.record(EventKind.PROMPT, {"turn": turn, "text": "胸痛 " * 50})
                    with say:
                        print(event.consultation, event.seq, event.hash, flush=True)

    store = open_signed(folder)
    for _ in range(_WRITERS):
        threading.Thread(target=consult, args=(store,), daemon=True).start()
    threading.Event().wait()


def kills(count: int) -> Killed:
    """Kill a writer `count` times; every event that it said was durable is there, and what is there is sound."""
    chance, lost, unsound, acknowledged, running = random.Random(9), 0, 0, 0, 0
    for first in range(0, count, _KILLS_A_FILE):
        with tempfile.TemporaryDirectory() as home:
            for _ in range(min(_KILLS_A_FILE, count - first)):
                heard = _killed(Path(home), chance)
                acknowledged += len(heard)
                missing, sound, left = _examine(Path(home), heard)
                lost, unsound, running = lost + missing, unsound + (not sound), running + left
    return Killed(count, acknowledged, lost, unsound, running)


def _killed(home: Path, chance: random.Random) -> list[tuple[str, int, str]]:
    """What a writer said before it was killed, after so many lines or while it starts."""
    command = [sys.executable, "-m", "evaluation.record_endurance", "--write", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        if chance.random() < 0.1:
            try:
                writer.wait(chance.random() * _START_S)
            except subprocess.TimeoutExpired:
                lines = []
        else:
            lines = [writer.stdout.readline() for _ in range(chance.randrange(1, 200))]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
    words = [line.split() for line in lines if line.endswith("\n")]
    return [(name, int(seq), hash_) for name, seq, hash_ in words]


def _examine(home: Path, heard: Sequence[tuple[str, int, str]]) -> tuple[int, bool, int]:
    """How many of the acknowledged events are lost, whether the file is sound, and who is said to write still."""
    with open_signed(home) as store:
        sound = True
        try:
            store.verify_all()
        except TranscriptError as error:
            print(error)
            sound = False
        running = sum(summary.status is Status.RUNNING for summary in store.consultations(limit=10_000))
    with closing(sqlite3.connect(home / "transcripts.db")) as raw:
        sound = sound and raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        find = "SELECT 1 FROM events WHERE consultation = ? AND seq = ? AND hash = ?"
        lost = sum(raw.execute(find, event).fetchone() is None for event in heard)
    return lost, sound, running


def flip(raw: Read, name: str, chance: random.Random) -> int:
    """One bit of one field."""
    seq, field = chance.randrange(_count(raw, name)), chance.choice(("time", "kind", "body", "previous", "hash"))
    (stored,) = raw.execute(f"SELECT CAST({field} AS BLOB) FROM events WHERE consultation = ? AND seq = ?", (name, seq))
    content = bytearray(stored[0])
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    raw.execute(
        f"UPDATE events SET {field} = CAST(? AS TEXT) WHERE consultation = ? AND seq = ?", (bytes(content), name, seq)
    )
    return seq


def delete(raw: Read, name: str, chance: random.Random) -> int:
    """One event, and those after it move up."""
    seq = chance.randrange(_count(raw, name) - 1)
    raw.execute("DELETE FROM events WHERE consultation = ? AND seq = ?", (name, seq))
    raw.execute("UPDATE events SET seq = -seq WHERE consultation = ? AND seq > ?", (name, seq))
    raw.execute("UPDATE events SET seq = -seq - 1 WHERE consultation = ? AND seq < 0", (name,))
    return seq


def reorder(raw: Read, name: str, chance: random.Random) -> int:
    """Two events change places."""
    first, second = sorted(chance.sample(range(_count(raw, name)), 2))
    for old, new in ((first, -1), (second, first), (-1, second)):
        raw.execute("UPDATE events SET seq = ? WHERE consultation = ? AND seq = ?", (new, name, old))
    return first


def truncate(raw: Read, name: str, chance: random.Random) -> int:
    """The end."""
    kept = chance.randrange(_count(raw, name))
    raw.execute("DELETE FROM events WHERE consultation = ? AND seq >= ?", (name, kept))
    return kept


def splice(raw: Read, name: str, chance: random.Random) -> int:
    """An event of another consultation in the place of one."""
    seq = chance.randrange(_count(raw, name))
    (other,) = chance.choice(raw.execute("SELECT id FROM consultations WHERE id <> ?", (name,)).fetchall())
    taken = chance.randrange(_count(raw, other))
    raw.execute("DELETE FROM events WHERE consultation = ? AND seq = ?", (name, seq))
    raw.execute(
        "INSERT INTO events SELECT ?, ?, time, kind, body, previous, hash FROM events"
        " WHERE consultation = ? AND seq = ?",
        (name, seq, other, taken),
    )
    return seq


def duplicate(raw: Read, name: str, chance: random.Random) -> int:
    """An event twice, and those after it move down."""
    seq = chance.randrange(_count(raw, name))
    raw.execute("UPDATE events SET seq = -seq WHERE consultation = ? AND seq > ?", (name, seq))
    raw.execute("UPDATE events SET seq = -seq + 1 WHERE consultation = ? AND seq < 0", (name,))
    raw.execute(
        "INSERT INTO events SELECT consultation, seq + 1, time, kind, body, previous, hash FROM events"
        " WHERE consultation = ? AND seq = ?",
        (name, seq),
    )
    return seq + 1


def rewrite(raw: Read, name: str, chance: random.Random) -> int:
    """Everything from one event on, with hashes and chain computed anew. What is known to differ is the next event
    whose hash was signed."""
    start = chance.randrange(_count(raw, name))
    events = _events(raw, name, start)
    head = events[0].previous
    for event in events:
        body = {**event.body, "dose": "90 mg"}
        forged = Event.following(name, event.seq, head, time=event.time, kind=event.kind, body=body)
        raw.execute(
            "UPDATE events SET body = ?, previous = ?, hash = ? WHERE consultation = ? AND seq = ?",
            (canonical(body), head, forged.hash, name, event.seq),
        )
        head = forged.hash
    signed = "SELECT min(events) FROM signed_heads WHERE consultation = ? AND events > ?"
    return int(raw.execute(signed, (name, start)).fetchone()[0]) - 1


INTRUDERS: tuple[Intruder, ...] = (flip, flip, delete, reorder, truncate, splice, duplicate, rewrite)


def alterations(count: int, transcripts: int = _TRANSCRIPTS, untouched: int = _UNTOUCHED) -> Altered:
    """Alter so many transcripts `count` times, one thing at a time, and have each found by the public key alone."""
    chance, made, found, named, alarms = random.Random(6), Counter[str](), 0, 0, 0
    with tempfile.TemporaryDirectory() as home:
        names = _filled(Path(home), transcripts, chance)
        keys = KeyRing(Path(home) / "keys").public
        with closing(_unguarded(Path(home) / "transcripts.db")) as raw:
            for number in range(untouched):
                alarms += _verified(raw, names[number % len(names)], keys) is not None
            for number in range(count):
                name, intruder = names[number % len(names)], chance.choice(INTRUDERS)
                raw.execute("BEGIN")
                expected = intruder(raw, name, chance)
                _put_right(raw, name)
                told = _verified(raw, name, keys)
                raw.execute("ROLLBACK")
                made[intruder.__name__] += 1
                found, named = found + (told is not None), named + (told == (name, expected))
    return Altered(count, dict(made), found, named, untouched, alarms)


def _filled(home: Path, transcripts: int, chance: random.Random) -> list[str]:
    names = []
    with open_signed(home) as store:
        for number in range(transcripts):
            with store.begin() as recorder:
                for turn in range(chance.randrange(2, _MOST_EVENTS)):
                    recorder.record(EventKind.ANSWER, {"case": number, "turn": turn, "text": "5 mg 胸痛"})
            names.append(recorder.consultation_id)
    return names


def _unguarded(file: Path) -> Read:
    raw = sqlite3.connect(file, isolation_level=None)
    raw.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {name}")
    return raw


def _put_right(raw: Read, name: str) -> None:
    """The counter and the head as they would be if what is there had been written so."""
    last = "SELECT hash FROM events WHERE consultation = ?1 ORDER BY seq DESC LIMIT 1"
    raw.execute(
        "UPDATE consultations SET events = (SELECT count(*) FROM events WHERE consultation = ?1),"
        f" head = coalesce(({last}), head) WHERE id = ?1",
        (name,),
    )


def _verified(raw: Read, name: str, keys: audit.Keys) -> tuple[str, int] | None:
    try:
        audit.prove_one(SqliteSession(raw), name, keys)
    except TranscriptAltered as altered:
        return altered.consultation, altered.seq
    return None


def _count(raw: Read, name: str) -> int:
    return int(raw.execute("SELECT count(*) FROM events WHERE consultation = ?", (name,)).fetchone()[0])


def _events(raw: Read, name: str, start: int) -> list[Event]:
    rows = raw.execute(
        f"SELECT {audit.COLUMNS} FROM events WHERE consultation = ? AND seq >= ? ORDER BY seq", (name, start)
    )
    fields = audit.COLUMNS.split(", ")
    stored = [dict(zip(fields, row, strict=True)) for row in rows]
    return [Event.model_validate({**event, "body": json.loads(event["body"])}) for event in stored]


def main(arguments: Sequence[str] | None = None) -> None:
    """Endure what is asked."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.record_endurance", description=str(__doc__).partition("\n")[0]
    )
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--alterations", type=int, default=0)
    parser.add_argument("--write", type=Path, help="record into this folder until killed")
    given = parser.parse_args(arguments)
    if given.write:
        write_for_ever(given.write)
    if given.kills:
        print(kills(given.kills), flush=True)
    if given.alterations:
        print(alterations(given.alterations), flush=True)


if __name__ == "__main__":
    main()
