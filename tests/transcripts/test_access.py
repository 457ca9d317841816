"""Whoever asks for the record is asked for their right to it, stands in it under a pseudonym, and so does a denial."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transcripts.conftest import BOTH, Place
from transcripts.access import Access, AccessPolicy, Action, OwnerPolicy, RolePolicy, owner_of, system_user
from transcripts.errors import AccessDenied
from transcripts.event import EventKind
from transcripts.keys import KeyRing
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

HOSPITAL = RolePolicy(
    roles={
        "clinician": frozenset({Action.LIST, Action.READ}),
        "engineer": frozenset({Action.LIST, Action.ERASE}),
        "auditor": frozenset({Action.LIST, Action.READ, Action.EXPORT}),
    },
    subjects={"sato": "clinician", "root": "engineer", "amina": "auditor", "mallory": "janitor"},
)
CALLS: dict[Action, Callable[[TranscriptStore, str], object]] = {
    Action.LIST: lambda store, _: store.consultations(),
    Action.READ: lambda store, name: list(store.events(name)),
    Action.EXPORT: lambda store, name: list(store.export(name)),
    Action.ERASE: lambda store, name: store.erase(name, reason="kept for 10 years"),
}


@pytest.fixture
def hospital(place: Place, ring: KeyRing) -> TranscriptStore:
    """A signed record."""
    return place.open(seal=Seal(ring))


def behalf(store: TranscriptStore, ring: KeyRing, subject: str, policy: AccessPolicy = HOSPITAL) -> TranscriptStore:
    return store.by(Access(policy, subject, ring.pseudonym))


def consult(store: TranscriptStore) -> str:
    with store.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": "chest pain"})
    return recorder.consultation_id


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("subject", ["sato", "root", "amina", "mallory", "stranger", ""])
def test_a_role_may_do_what_it_is_given_and_nothing_else(
    hospital: TranscriptStore, ring: KeyRing, subject: str, action: Action
) -> None:
    with hospital:
        consultation = consult(hospital)
        theirs = behalf(hospital, ring, subject)
        if action in HOSPITAL.roles.get(HOSPITAL.subjects.get(subject, ""), frozenset()):
            CALLS[action](theirs, consultation)
            assert hospital.denials() == ()
        else:
            with pytest.raises(AccessDenied, match=f"'{subject}' may not {action.value} consultations"):
                CALLS[action](theirs, consultation)


@pytest.mark.parametrize("kind", [EventKind.HELD, EventKind.RELEASED])
def test_whoever_may_not_erase_may_not_hold_or_release_either(
    hospital: TranscriptStore, ring: KeyRing, kind: EventKind
) -> None:
    with hospital, pytest.raises(AccessDenied):
        behalf(hospital, ring, "sato").annotate(consult(hospital), kind, {})


def test_on_one_persons_machine_the_owner_may_do_everything_and_nobody_else_anything(
    hospital: TranscriptStore, ring: KeyRing
) -> None:
    with hospital:
        consultation = consult(hospital)
        for call in CALLS.values():
            call(behalf(hospital, ring, "me", OwnerPolicy("me")), consult(hospital))
            with pytest.raises(AccessDenied, match="belongs to 'me'"):
                call(behalf(hospital, ring, "you", OwnerPolicy("me")), consultation)


@BOTH
def test_a_denial_is_recorded_with_who_asked_for_what(hospital: TranscriptStore, ring: KeyRing) -> None:
    with hospital:
        consultation = consult(hospital)
        for action in (Action.READ, Action.LIST):
            with pytest.raises(AccessDenied):
                CALLS[action](behalf(hospital, ring, "stranger"), consultation)

        recorded = [event.body for event in hospital.denials()]

        assert recorded == [
            {"subject": ring.pseudonym("stranger"), "action": "read", "consultation": consultation},
            {"subject": ring.pseudonym("stranger"), "action": "list", "consultation": None},
        ]


@BOTH
def test_denials_are_proved_with_everything_else_and_listed_by_themselves(
    place: Place, hospital: TranscriptStore, ring: KeyRing
) -> None:
    with hospital:
        consultation = consult(hospital)
        with pytest.raises(AccessDenied):
            behalf(hospital, ring, "stranger").consultations()
        assert [summary.id for summary in hospital.consultations()] == [consultation]
    place.alter("UPDATE events SET body = replace(body, 'list', 'read') WHERE kind = 'denied'")

    with place.open(read_only=True) as auditor, pytest.raises(Exception, match="no longer gives its hash"):
        auditor.verify_all(ring.public)


def test_a_denial_that_cannot_be_recorded_stays_one(
    hospital: TranscriptStore, path: Path, ring: KeyRing, caplog: pytest.LogCaptureFixture
) -> None:
    with hospital:
        consultation = consult(hospital)

    with TranscriptStore.open(path, read_only=True) as store, pytest.raises(AccessDenied):
        behalf(store, ring, "stranger").events(consultation)

    assert "a denied access was not recorded" in caplog.text


def test_what_someone_does_stands_under_their_pseudonym(hospital: TranscriptStore, ring: KeyRing) -> None:
    with hospital:
        consultation = consult(hospital)

        viewed = behalf(hospital, ring, "amina").annotate(consultation, EventKind.VIEWED, {"by": "command line"})
        erased = behalf(hospital, ring, "root").erase(consultation, reason="kept for 10 years")

        assert viewed.body == {"by": "command line", "subject": ring.pseudonym("amina")}
        assert erased.body["by"] == ring.pseudonym("root")


def test_a_pseudonym_is_the_same_for_one_key_and_another_for_another(tmp_path: Path, ring: KeyRing) -> None:
    again, elsewhere = KeyRing(ring.folder), KeyRing(tmp_path / "elsewhere")

    assert ring.pseudonym("amina") == again.pseudonym("amina") != elsewhere.pseudonym("amina")
    assert ring.pseudonym("amina") != ring.pseudonym("sato")
    assert "amina" not in ring.pseudonym("amina")
    assert (ring.folder / "subjects.key").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(os.name != "posix", reason="Windows has no owners of this kind")
def test_the_owner_of_a_record_is_the_account_that_owns_its_file(path: Path) -> None:
    path.write_text("")

    assert owner_of(path) == owner_of(path.with_name("not made yet")) == system_user()
    if os.geteuid() == 0:
        os.chown(path, 54321, 54321)
        assert owner_of(path) == "account 54321"
