"""Whatever was altered behind the product's back is found, and the first bad event is named."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.transcripts.conftest import BOTH, Alter
from transcripts.errors import TranscriptAltered, TranscriptError
from transcripts.event import EventKind
from transcripts.store import TranscriptStore

NO_HASH = f"sha256:{'0' * 64}"
DOSES = ("5 mg", "10 mg", "20 mg", "40 mg", "80 mg")


@pytest.fixture
def consultation(store: TranscriptStore) -> str:
    with store.begin() as recorder:
        for dose in DOSES:
            recorder.record(EventKind.ANSWER, {"text": dose})
    return recorder.consultation_id


@BOTH
def test_an_untouched_consultation_is_proved_with_the_hash_of_its_last_event(
    store: TranscriptStore, consultation: str
) -> None:
    *_, last = store.events(consultation)

    verified = store.verify(consultation)

    assert (verified.events, verified.head) == (len(DOSES) + 1, last.hash)


@BOTH
def test_a_consultation_without_events_is_proved(store: TranscriptStore) -> None:
    recorder = store.begin()

    assert store.verify(recorder.consultation_id).events == 0


SWAP = """
    UPDATE events SET seq = -1 WHERE seq = 2;
    UPDATE events SET seq = 2 WHERE seq = 3;
    UPDATE events SET seq = 3 WHERE seq = -1;
"""


@BOTH
@pytest.mark.parametrize(
    ("sql", "seq", "difference"),
    [
        ("UPDATE events SET body = replace(body, '20 mg', '90 mg')", 2, "no longer gives its hash"),
        ("UPDATE events SET body = replace(body, ':', ': ') WHERE seq = 2", 2, "no longer gives its hash"),
        ("UPDATE events SET body = '{' WHERE seq = 2", 2, "no longer gives its hash"),
        ("UPDATE events SET body = '{\"text\":NaN}' WHERE seq = 2", 2, "no longer gives its hash"),
        ("UPDATE events SET time = replace(time, 'Z', '+00:00') WHERE seq = 2", 2, "no longer be read"),
        ("UPDATE events SET time = '0001-01-01T00:00:00+23:00' WHERE seq = 2", 2, "no longer be read"),
        ("UPDATE events SET time = '2020-01-01T00:00:00.000000Z' WHERE seq = 2", 2, "no longer gives its hash"),
        ("UPDATE events SET kind = 'feedback' WHERE seq = 2", 2, "no longer gives its hash"),
        ("UPDATE events SET kind = 'invented' WHERE seq = 2", 2, "no longer be read"),
        (f"UPDATE events SET hash = '{NO_HASH}' WHERE seq = 2", 2, "no longer gives its hash"),
        ("UPDATE events SET previous = hash WHERE seq = 2", 2, "no longer gives its hash"),
        ("DELETE FROM events WHERE seq = 0", 0, "missing"),
        ("DELETE FROM events WHERE seq = 2", 2, "missing"),
        ("DELETE FROM events WHERE seq = 5", 5, "5 events where 6"),
        ("DELETE FROM events", 0, "0 events where 6"),
        (SWAP, 2, "no longer gives its hash"),
        ("UPDATE events SET seq = seq + 10", 0, "missing"),
        ("UPDATE consultations SET started = '2020-01-01T00:00:00.000000Z'", 0, "does not continue the chain"),
        ("UPDATE consultations SET events = 5", 5, "6 events where 5"),
        (f"UPDATE consultations SET head = '{NO_HASH}'", 5, "not the event"),
        ("UPDATE consultations SET head = 'none'", 5, "not the event"),
    ],
)
def test_an_alteration_is_found_and_named(
    store: TranscriptStore, consultation: str, alter: Alter, sql: str, seq: int, difference: str
) -> None:
    alter(sql)

    with pytest.raises(TranscriptAltered, match=difference) as caught:
        store.verify(consultation)

    assert (caught.value.consultation, caught.value.seq) == (consultation, seq)


@pytest.mark.parametrize(
    ("sql", "seq", "difference"),
    [
        ("UPDATE events SET body = x'00ff' WHERE seq = 2", 2, "no longer be read"),
        ("UPDATE events SET seq = 'two' WHERE seq = 2", 2, "missing"),
        ("UPDATE consultations SET events = 'six'", 0, "row of its consultation"),
        ("UPDATE events SET body = CAST(x'7b22ff227d' AS TEXT) WHERE seq = 2", 2, "no longer gives its hash"),
    ],
)
def test_what_only_a_file_takes_for_a_text_or_a_number_is_found_too(
    store: TranscriptStore, consultation: str, alter: Alter, sql: str, seq: int, difference: str
) -> None:
    alter(sql)

    with pytest.raises(TranscriptAltered, match=difference) as caught:
        store.verify(consultation)

    assert (caught.value.consultation, caught.value.seq) == (consultation, seq)


@BOTH
def test_an_event_from_another_consultation_is_found(store: TranscriptStore, consultation: str, alter: Alter) -> None:
    with store.begin() as other:
        for dose in reversed(DOSES):
            other.record(EventKind.ANSWER, {"text": dose})
    alter(
        f"DELETE FROM events WHERE consultation = '{consultation}' AND seq = 1;"
        f"UPDATE events SET consultation = '{consultation}' WHERE consultation <> '{consultation}' AND seq = 1;"
    )

    with pytest.raises(TranscriptAltered) as caught:
        store.verify(consultation)

    assert caught.value.seq == 1


@BOTH
def test_an_event_recomputed_with_its_own_hash_breaks_the_chain_at_the_next(
    store: TranscriptStore, consultation: str, alter: Alter
) -> None:
    events = list(store.events(consultation))
    forged = events[2].model_copy(update={"body": {"text": "90 mg"}})
    alter(f"""UPDATE events SET body = '{{"text":"90 mg"}}', hash = '{forged.digest()}' WHERE seq = 2""")

    with pytest.raises(TranscriptAltered, match="does not continue the chain") as caught:
        store.verify(consultation)

    assert caught.value.seq == 3


@BOTH
def test_nothing_is_added_to_an_altered_consultation_as_if_it_were_sound(
    store: TranscriptStore, consultation: str, alter: Alter
) -> None:
    alter("UPDATE consultations SET head = 'none'")

    with pytest.raises(TranscriptAltered):
        store.annotate(consultation, EventKind.FEEDBACK, {"text": "helpful"})


def test_flipped_bytes_anywhere_in_the_file_never_change_what_is_believed(path: Path) -> None:
    with TranscriptStore.open(path) as store, store.begin() as recorder:
        for dose in DOSES * 4:
            recorder.record(EventKind.ANSWER, {"text": dose})
    with TranscriptStore.open(path, read_only=True) as store:
        written = list(store.events(recorder.consultation_id))
    sound, rng = path.read_bytes(), random.Random(8785)

    believed = 0
    for _ in range(150):
        place = rng.randrange(len(sound))
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 1 << rng.randrange(8)]) + sound[place + 1 :])
        try:
            with TranscriptStore.open(path, read_only=True) as store:
                store.verify(recorder.consultation_id)
                assert list(store.events(recorder.consultation_id)) == written
                believed += 1
        except TranscriptError:
            continue

    assert 0 < believed < 150


@BOTH
def test_a_listing_names_the_consultation_whose_start_was_altered(
    store: TranscriptStore, consultation: str, alter: Alter
) -> None:
    alter("UPDATE consultations SET started = 'yesterday'")

    with pytest.raises(TranscriptAltered) as caught:
        store.consultations()

    assert caught.value.consultation == consultation


def test_an_id_written_into_the_file_names_no_other_file(store: TranscriptStore, path: Path, alter: Alter) -> None:
    victim = path.parent / "victim"
    victim.write_text("untouched")
    alter(
        "INSERT INTO consultations (id, started, schema, events, head) VALUES"
        " ('../victim', '2026-11-22T12:00:00.000000Z', 1, 0, 'sha256:' || lower(hex(zeroblob(32))))"
    )

    with pytest.raises(TranscriptAltered, match="never given out"):
        store.consultations()

    assert victim.read_text() == "untouched"


def test_the_file_stays_as_it_is_when_it_is_verified(store: TranscriptStore, consultation: str, path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        before = raw.execute("SELECT * FROM events").fetchall()

        store.verify(consultation)

        assert raw.execute("SELECT * FROM events").fetchall() == before
