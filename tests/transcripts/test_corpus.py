"""What any version wrote is read, replayed and proved for ever, and what was altered in it is found for ever.

`tests/fixtures/transcripts` has a file of each schema, written by the version that had it, with what was said in it
and the public key; nothing there is ever made again. `bad.toml` says how they were altered.
"""

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.transcripts.conftest import Alter
from transcripts.consultation import Status
from transcripts.errors import CheckpointAltered, TranscriptAltered
from transcripts.event import SCHEMA, EventKind
from transcripts.keys import KeyRing, public_keys
from transcripts.replay import moments
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

CORPUS = Path(__file__).parents[1] / "fixtures" / "transcripts"
SCHEMAS = range(1, SCHEMA + 1)


class Frozen(NamedTuple):
    """A frozen transcript, what is known of it, and the keys that signed it, if any did. Another consultation of it is
    `erased`, where its schema has that."""

    consultation: str
    hashes: list[str]
    streams: list[str]
    keys: frozenset[str] | None
    erased: str = ""
    erased_hashes: tuple[str, ...] = ()


def frozen(schema: int, path: Path) -> Frozen:
    shutil.copy(CORPUS / f"schema_{schema}.db", path)
    known = json.loads((CORPUS / f"schema_{schema}.json").read_text("utf-8"))
    key = CORPUS / f"schema_{schema}.pub"
    return Frozen(**known, keys=public_keys(key) if key.exists() else None)


def bad() -> list[object]:
    listed = tomllib.loads((CORPUS / "bad.toml").read_text("utf-8"))["alteration"]
    return [pytest.param(a, schema, id=f"schema {schema}, {a['name']}") for a in listed for schema in a["schemas"]]


def test_there_is_a_transcript_of_every_schema() -> None:
    assert sorted(file.name for file in CORPUS.glob("*.db")) == [f"schema_{schema}.db" for schema in SCHEMAS]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_it_is_read_and_proved_as_it_was_written(schema: int, path: Path) -> None:
    known = frozen(schema, path)

    with TranscriptStore.open(path, read_only=True) as store:
        events = list(store.events(known.consultation))
        verified = store.verify(known.consultation, known.keys)
        whole = store.verify_all(known.keys)

    assert [event.hash for event in events] == known.hashes
    assert (verified.events, verified.head) == (len(known.hashes), known.hashes[-1])
    assert whole.unsigned == (0 if known.keys else len(known.hashes))
    assert whole.erased == len(known.erased_hashes[:-1])


@pytest.mark.parametrize("schema", [schema for schema in SCHEMAS if schema >= 3])
def test_what_was_erased_is_proved_by_its_hashes(schema: int, path: Path) -> None:
    known = frozen(schema, path)

    with TranscriptStore.open(path, read_only=True) as store:
        events = list(store.events(known.erased))
        verified = store.verify(known.erased, known.keys)

    assert [event.hash for event in events] == list(known.erased_hashes)
    assert [event.erased for event in events] == [*[True] * (len(events) - 1), False]
    assert verified.erased
    assert verified.erased.reason == "kept for 10 years"


@pytest.mark.parametrize("schema", SCHEMAS)
def test_it_is_replayed_byte_for_byte(schema: int, path: Path) -> None:
    known = frozen(schema, path)

    with TranscriptStore.open(path, read_only=True) as store:
        happened = moments(store.events(known.consultation))

    said = ["".join(m.text for m in happened if m.stream == stream) for stream in range(len(known.streams))]
    assert [text.encode() for text in said] == [text.encode() for text in known.streams]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_it_stays_proved_in_a_file_that_is_written_on(schema: int, path: Path, ring: KeyRing) -> None:
    known = frozen(schema, path)
    seal = Seal(ring) if known.keys is None else None

    with TranscriptStore.open(path, seal=seal) as store:
        store.annotate(known.consultation, EventKind.VIEWED, {"by": "auditor"})
        with store.begin() as recorder:
            recorder.record(EventKind.CASE, {"text": "the next patient"})

    with TranscriptStore.open(path, read_only=True) as store:
        assert [event.hash for event in store.events(known.consultation)][:-1] == known.hashes
        assert store.verify(known.consultation).events == len(known.hashes) + 1
        statuses = {summary.id: summary.status for summary in store.consultations()}
        assert statuses.pop(known.erased, Status.ERASED) is Status.ERASED
        assert set(statuses.values()) == {Status.FINISHED}


@pytest.mark.parametrize(("alteration", "schema"), bad())
def test_what_was_altered_is_found(alteration: dict[str, Any], schema: int, path: Path, alter: Alter) -> None:
    known = frozen(schema, path)
    alter(alteration["sql"].replace(":erased", f"'{known.erased}'"))
    consultation = known.erased if alteration.get("erased") else known.consultation

    with (
        TranscriptStore.open(path, read_only=True) as store,
        pytest.raises((TranscriptAltered, CheckpointAltered), match=alteration["says"]) as caught,
    ):
        store.verify_all(known.keys)

    match caught.value:
        case TranscriptAltered() as event:
            assert (event.consultation, event.seq) == (consultation, alteration["event"])
        case CheckpointAltered() as checkpoint:
            assert checkpoint.number == alteration["checkpoint"]
