"""A record on a database server is as durable, as closed to change and as provable as one in a file."""

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.transcripts.postgres_server import Hosted
from transcripts.consultation import Status
from transcripts.errors import CheckpointAltered, TranscriptAltered, TranscriptUnreadable, TranscriptUnwritable
from transcripts.event import EventKind
from transcripts.keys import KeyRing
from transcripts.postgres import Server, SessionLocks, has_password
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

ROOT = Path(__file__).parents[2]

WRITE_FOR_EVER = """
    import sys
    from transcripts.event import EventKind
    from transcripts.postgres import Server
    from transcripts.store import TranscriptStore

    recorder = TranscriptStore.connect(Server(sys.argv[1], sys.stdin.readline().strip())).begin()
    print(recorder.consultation_id, flush=True)
    while True:
        print(recorder.record(EventKind.PROMPT, {"text": "胸痛 " * 50}).hash, flush=True)
"""


def consult(store: TranscriptStore, events: int = 4) -> str:
    with store.begin() as recorder:
        for turn in range(events):
            recorder.record(EventKind.ANSWER, {"turn": turn})
    return recorder.consultation_id


CHANGES = [
    "UPDATE events SET body = '{}'",
    "UPDATE events SET body = ''",
    "DELETE FROM events",
    "TRUNCATE events CASCADE",
    "UPDATE consultations SET events = 1",
    "UPDATE consultations SET started = '2020-01-01T00:00:00.000000Z'",
    "DELETE FROM consultations",
    "UPDATE checkpoints SET signature = ''",
    "DELETE FROM checkpoints",
    "UPDATE signed_heads SET head = ''",
    "DELETE FROM signed_heads",
]
ADDITIONS = [
    "INSERT INTO events (consultation, seq, time, kind, body, previous, hash)"
    " SELECT consultation, 7, time, kind, body, previous, hash FROM events WHERE seq = 1",
    "INSERT INTO consultations SELECT id || 'x', started, schema, 1, head FROM consultations",
    "INSERT INTO checkpoints SELECT number + 7, content, signature FROM checkpoints",
    "INSERT INTO signed_heads SELECT 1, consultation, 3, head FROM signed_heads LIMIT 1",
]


@pytest.mark.parametrize("sql", CHANGES)
def test_the_service_has_no_right_to_change_what_is_written(hosted: Hosted, ring: KeyRing, sql: str) -> None:
    with hosted.open(seal=Seal(ring)) as store:
        consult(store)

    with hosted.service.connect(patience=1.0) as raw, pytest.raises(psycopg.errors.InsufficientPrivilege):
        raw.execute(sql)


@pytest.mark.parametrize("sql", CHANGES + ADDITIONS)
def test_the_triggers_refuse_even_the_owner(hosted: Hosted, ring: KeyRing, sql: str) -> None:
    with hosted.open(seal=Seal(ring)) as store:
        for _ in range(2):
            consult(store)

    with hosted.owner.connect(patience=1.0) as raw, pytest.raises(psycopg.errors.IntegrityError):
        raw.execute(sql)


def test_a_role_that_may_change_the_record_does_not_write_it(hosted: Hosted) -> None:
    with pytest.raises(TranscriptUnwritable, match="its role may change or delete"):
        TranscriptStore.connect(hosted.owner)


def test_everything_is_signed_and_proved_with_the_second_copy(hosted: Hosted, ring: KeyRing, copy: Path) -> None:
    with hosted.open(seal=Seal(ring, copy)) as store:
        consulted = [consult(store) for _ in range(3)]

    with hosted.open(read_only=True) as auditor:
        audit = auditor.verify_all(ring.public, copy)
        assert (audit.consultations, audit.events, audit.unsigned, audit.copy_lacks) == (3, 15, 0, 0)
        assert auditor.verify(consulted[1], ring.public).signed == 5


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE events SET body = '{\"turn\":9}' WHERE seq = 2", TranscriptAltered),
        ("DELETE FROM events WHERE seq > 2; UPDATE consultations SET events = 3", TranscriptAltered),
        ("DELETE FROM events; DELETE FROM signed_heads; DELETE FROM consultations", CheckpointAltered),
        ("DELETE FROM checkpoints; DELETE FROM signed_heads", CheckpointAltered),
    ],
)
def test_what_the_administrator_of_the_server_alters_is_found(
    hosted: Hosted, ring: KeyRing, sql: str, found: type[Exception]
) -> None:
    with hosted.open(seal=Seal(ring)) as store:
        consult(store)
    hosted.alter(sql)

    with hosted.open(read_only=True) as auditor, pytest.raises(found):
        auditor.verify_all(ring.public)


def test_several_servers_write_at_once_and_every_chain_is_whole(hosted: Hosted, ring: KeyRing) -> None:
    gate = threading.Barrier(6)
    assert ring.signing  # the servers of one record share its keys

    def serve(_: int) -> list[str]:
        with hosted.open(seal=Seal(KeyRing(ring.folder), every=0.0)) as store:
            gate.wait()
            return [consult(store, events=10) for _ in range(3)]

    with ThreadPoolExecutor(6) as threads:
        consulted = [name for served in threads.map(serve, range(6)) for name in served]

    with hosted.open(read_only=True) as auditor:
        audit = auditor.verify_all(ring.public)
        assert (audit.consultations, audit.events, audit.unsigned) == (18, 198, 0)
        assert sorted(summary.id for summary in auditor.consultations()) == sorted(consulted)


def test_two_servers_may_add_to_each_others_consultations(hosted: Hosted) -> None:
    with hosted.open() as here, hosted.open() as there, ThreadPoolExecutor(8) as threads:
        names = [consult(here), consult(there)]
        views = [(store, name) for store in (here, there) for name in names for _ in range(10)]

        seqs = list(threads.map(lambda view: view[0].annotate(view[1], EventKind.VIEWED, {}).seq, views))

        assert sorted(seqs) == sorted([*range(5, 25), *range(5, 25)])
        assert here.verify_all().events == 50


def test_killing_a_writer_loses_nothing_and_leaves_its_case_interrupted(hosted: Hosted) -> None:
    command = [sys.executable, "-c", textwrap.dedent(WRITE_FOR_EVER), hosted.service.url]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdin.write(f"{hosted.service.password}\n")
        writer.stdin.flush()
        consultation = writer.stdout.readline().strip()
        with hosted.open(read_only=True) as auditor:
            assert auditor.consultations()[0].status is Status.RUNNING
        heard = [writer.stdout.readline().strip() for _ in range(30)]
        writer.kill()
        heard += [line.strip() for line in writer.stdout if line.endswith("\n")]

    with hosted.open() as store:
        locks = SessionLocks(hosted.service, patience=5.0)
        locks.hold(consultation)()  # waits until the server has seen that the writer is gone
        locks.close()
        assert [event.hash for event in store.events(consultation)][: len(heard)] == heard
        assert store.consultations()[0].status is Status.INTERRUPTED


def test_a_record_that_another_program_keeps_locked_stops_the_case(hosted: Hosted) -> None:
    with hosted.open(patience=0.05) as store, hosted.owner.connect(patience=1.0) as other:
        recorder = store.begin()
        other.execute("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TranscriptUnwritable, match="keeps the record locked"):
            recorder.record(EventKind.CASE, {"text": "fever"})
        other.execute("ROLLBACK")

        assert store.begin().record(EventKind.CASE, {"text": "the next patient"}).seq == 0


def test_a_lost_connection_stops_the_case_and_not_the_next(hosted: Hosted) -> None:
    with hosted.open() as store:
        recorder = store.begin()
        with hosted.owner.connect(patience=1.0) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'service'")
        with pytest.raises(TranscriptUnwritable, match="check the database server"):
            recorder.record(EventKind.CASE, {"text": "fever"})

        with store.begin() as following:
            following.record(EventKind.CASE, {"text": "the next patient"})

        statuses = [summary.status for summary in store.consultations()]
        assert statuses == [Status.FINISHED, Status.INTERRUPTED]


def test_a_server_that_takes_no_writes_stops_the_case(hosted: Hosted) -> None:
    read_only = Server(f"{hosted.service.url}&options=-cdefault_transaction_read_only%3Don", hosted.service.password)

    with TranscriptStore.connect(read_only) as store, pytest.raises(TranscriptUnwritable, match="read-only"):
        store.begin()


def test_a_database_without_a_record_says_how_one_is_made(hosted: Hosted) -> None:
    elsewhere = hosted.service._replace(url=hosted.service.url.replace("/record?", "/postgres?"))

    with pytest.raises(TranscriptUnreadable, match="create-database"):
        TranscriptStore.connect(elsewhere, read_only=True)


def test_a_wrong_password_is_refused_and_never_shown(hosted: Hosted) -> None:
    with pytest.raises(TranscriptUnwritable) as caught:
        TranscriptStore.connect(hosted.service._replace(password="do-not-show"))

    assert (
        "do-not-show"
        not in f"{caught.value} {caught.value.__cause__} {hosted.service._replace(password='do-not-show')!r}"
    )


@pytest.mark.parametrize(
    ("url", "has"), [("postgresql://a:b@host/db", True), ("postgresql://a@host/db", False), ("host=x password=b", True)]
)
def test_a_password_in_an_address_is_noticed(url: str, has: bool) -> None:
    assert has_password(url) is has
