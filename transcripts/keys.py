"""The Ed25519 keys of one installation: the private one that signs, and the public ones that ever did. Beside them
the key of the pseudonyms under which people stand in the record.

Knows nothing of what is signed. A public key is written `ed25519:` and 64 hexadecimal digits, a signature `ed25519:`
and 128.
"""

import hmac
import os
import re
import secrets
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from filelock import FileLock

from transcripts.errors import SigningKeyUnusable

_PRIVATE, _NEXT, _PUBLIC, _SUBJECTS = "record.key", "record.key.next", "record.pub", "subjects.key"
_PSEUDONYM_DIGITS = 32
_PREFIX = "ed25519:"
_WRITTEN = re.compile(rf"{_PREFIX}[0-9a-f]{{64}}")
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)
_LARGEST_FILE = 1 << 20


class SigningKey:
    """A private key. `public` is the public one that proves what it signs."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = _named(private.public_key())

    @classmethod
    def make(cls) -> Self:
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read an unencrypted PEM file that only its owner may read; raises SigningKeyUnusable."""
        try:
            if os.name == "posix" and file.stat().st_mode & 0o077:
                raise SigningKeyUnusable(f"the signing key {file} is open to others; run `chmod 600` on it")
            private = load_pem_private_key(file.read_bytes(), password=None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _unusable(file, error) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise SigningKeyUnusable(f"the signing key {file} is no Ed25519 key; restore it from a backup")
        return cls(private)

    def save(self, file: Path) -> None:
        """Write it to a file, 0600, whole or not at all; raises SigningKeyUnusable."""
        pem = self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        partial = file.with_name(f"{file.name}.part")
        try:
            partial.unlink(missing_ok=True)
            _write(partial, pem, os.O_EXCL)
            os.replace(partial, file)
        except OSError as error:
            raise _unusable(file, error) from error

    def sign(self, text: str) -> str:
        return f"{_PREFIX}{self._private.sign(text.encode()).hex()}"


class KeyRing:
    """The keys in one folder: `record.key`, and in `record.pub` every public key that ever signed, oldest first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def signing(self) -> SigningKey:
        """The key that signs, made where the folder has none yet; raises SigningKeyUnusable."""
        private = self.folder / _PRIVATE
        if not private.exists():
            self._make(private)
        key = SigningKey.load(private)
        self._publish(key)
        return key

    @property
    def public_file(self) -> Path:
        """What an auditor is given."""
        return self.folder / _PUBLIC

    @property
    def public(self) -> frozenset[str]:
        """Every public key that ever signed here; raises SigningKeyUnusable."""
        return public_keys(self.public_file)

    def pseudonym(self, subject: str) -> str:
        """`p_` and 32 hexadecimal digits, the same for the same subject; only the key in this folder tells for whom.

        Raises SigningKeyUnusable.
        """
        code = hmac.new(self._subjects, subject.encode(), "sha256").hexdigest()
        return f"p_{code[:_PSEUDONYM_DIGITS]}"

    @cached_property
    def _subjects(self) -> bytes:
        file = self.folder / _SUBJECTS
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(self.folder / "record.lock", mode=0o600):
                if not file.exists():
                    partial = file.with_name(f"{file.name}.part")
                    partial.unlink(missing_ok=True)
                    _write(partial, secrets.token_hex(32).encode(), os.O_EXCL)
                    os.replace(partial, file)
            return file.read_bytes()
        except OSError as error:
            raise _unusable(file, error) from error

    def prepare(self) -> SigningKey:
        """Make the next key and keep both of its halves, without signing with it yet; see `adopt`."""
        key = SigningKey.make()
        key.save(self.folder / _NEXT)
        self._publish(key)
        return key

    def adopt(self) -> None:
        """Sign with the prepared key from now on; the private half of the old one is gone."""
        os.replace(self.folder / _NEXT, self.folder / _PRIVATE)
        self.__dict__.pop("signing", None)

    def _make(self, private: Path) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Two programs may be started for the first time at once.
            with FileLock(self.folder / "record.lock", mode=0o600):
                if private.exists():
                    return
                if self.public_file.exists():
                    raise SigningKeyUnusable(
                        f"the signing key {private} is gone; restore it from a backup, or move {self.folder} away to "
                        "sign with a new key from now on, and keep its record.pub to prove what was signed before"
                    )
                SigningKey.make().save(private)
        except OSError as error:
            raise _unusable(private, error) from error

    def _publish(self, key: SigningKey) -> None:
        try:
            if not self.public_file.exists() or key.public not in self.public:
                _write(self.public_file, _pem(key.public), os.O_APPEND)
        except OSError as error:
            raise _unusable(self.public_file, error) from error


def public_keys(file: Path) -> frozenset[str]:
    """The public keys in a PEM file, or in a text with one `ed25519:` key a line; raises SigningKeyUnusable."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_LARGEST_FILE).decode()
        found = frozenset((*_pem_keys(text), *_WRITTEN.findall(text)))
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise _unusable(file, error) from error
    if not found:
        raise SigningKeyUnusable(f"there is no public Ed25519 key in {file}; ask who wrote the record for record.pub")
    return found


def is_public_key(text: str) -> bool:
    return _WRITTEN.fullmatch(text) is not None


def proves(public: str, signature: str, text: str) -> bool:
    """Whether the private half of `public` made `signature` over exactly this text."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public.removeprefix(_PREFIX)))
        key.verify(bytes.fromhex(signature.removeprefix(_PREFIX)), text.encode("utf-8", "surrogateescape"))
    except (InvalidSignature, ValueError):
        return False
    return True


def _pem_keys(text: str) -> Iterator[str]:
    for block in _PEM.findall(text):
        key = load_pem_public_key(block.encode())
        if isinstance(key, Ed25519PublicKey):
            yield _named(key)


def _pem(public: str) -> bytes:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public.removeprefix(_PREFIX)))
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _named(key: Ed25519PublicKey) -> str:
    return f"{_PREFIX}{key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()}"


def _write(file: Path, content: bytes, how: int) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | how, 0o600), "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def _unusable(file: Path, error: Exception) -> SigningKeyUnusable:
    return SigningKeyUnusable(f"the key file {file} cannot be used ({error}); check its path and who may read it")
