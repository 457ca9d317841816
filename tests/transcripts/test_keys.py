"""The keys of an installation: made once, kept from others, changed without forgetting the old public ones."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from transcripts.errors import SigningKeyUnusable
from transcripts.keys import KeyRing, SigningKey, is_public_key, proves, public_keys


def test_the_first_use_makes_a_key_that_only_its_owner_reads(ring: KeyRing) -> None:
    public = ring.signing.public

    assert ring.public == {public}
    assert [(ring.folder / name).stat().st_mode & 0o077 for name in ("record.key", "record.pub")] == [0, 0]


def test_the_same_key_is_used_again(ring: KeyRing) -> None:
    assert KeyRing(ring.folder).signing.public == ring.signing.public


def test_a_signature_proves_its_text_and_no_other() -> None:
    key = SigningKey.make()
    signature = key.sign("chest pain")

    assert proves(key.public, signature, "chest pain")
    assert not proves(key.public, signature, "chest pain ")
    assert not proves(SigningKey.make().public, signature, "chest pain")


@pytest.mark.parametrize("signature", ["", "ed25519:", "ed25519:00", "ed25519:" + "zz" * 64, "🫀"])
def test_what_is_no_signature_proves_nothing(signature: str) -> None:
    assert not proves(SigningKey.make().public, signature, "chest pain")


def test_a_change_of_keys_keeps_the_old_public_one(ring: KeyRing) -> None:
    old = ring.signing.public

    prepared = ring.prepare().public
    before = KeyRing(ring.folder).signing.public
    ring.adopt()

    assert (before, ring.signing.public) == (old, prepared)
    assert ring.public == {old, prepared}


def test_a_key_that_others_may_read_is_refused(ring: KeyRing) -> None:
    assert ring.signing
    (ring.folder / "record.key").chmod(0o640)

    with pytest.raises(SigningKeyUnusable, match="chmod 600"):
        assert KeyRing(ring.folder).signing


def test_a_lost_private_key_is_not_replaced_in_silence(ring: KeyRing) -> None:
    assert ring.signing
    (ring.folder / "record.key").unlink()

    with pytest.raises(SigningKeyUnusable, match="restore it from a backup"):
        assert KeyRing(ring.folder).signing


def test_a_lost_public_key_is_written_again(ring: KeyRing) -> None:
    public = ring.signing.public
    ring.public_file.unlink()

    assert KeyRing(ring.folder).signing.public == public
    assert ring.public == {public}


def test_a_private_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = tmp_path / "record.key"
    file.write_bytes(other)
    file.chmod(0o600)

    with pytest.raises(SigningKeyUnusable, match="no Ed25519 key"):
        SigningKey.load(file)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"])
def test_a_file_without_a_public_key_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "record.pub"
    file.write_bytes(content)

    with pytest.raises(SigningKeyUnusable):
        public_keys(file)


def test_public_keys_are_read_as_text_too(tmp_path: Path, ring: KeyRing) -> None:
    key = ring.signing.public
    (tmp_path / "keys.txt").write_text(f"the hospital's key: {key}\n")

    assert public_keys(tmp_path / "keys.txt") == {key}
    assert is_public_key(key)
    assert not is_public_key("record.pub")


def test_several_programs_started_at_once_make_one_key(ring: KeyRing) -> None:
    script = "import sys; from pathlib import Path; from transcripts.keys import KeyRing;"
    script += "sys.stdin.readline(); print(KeyRing(Path(sys.argv[1])).signing.public)"
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(ring.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()

    made = {program.communicate()[0].strip() for program in programs}

    assert made == {ring.signing.public}
