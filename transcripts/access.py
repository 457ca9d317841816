"""Who may list, read, export or erase consultations, and the pseudonym under which whoever asks stands in the record.

Proving a record shows nothing of what it says, and anyone who holds it may do so. Knows nothing of settings.
"""

import getpass
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from transcripts.errors import AccessDenied


class Action(StrEnum):
    LIST = "list"
    READ = "read"
    EXPORT = "export"
    ERASE = "erase"  # and hold, and release


class AccessPolicy(Protocol):
    """Decides."""

    def require(self, subject: str, action: Action, consultation: str | None) -> None:
        """Return where `subject` may do it with this consultation, or with all; raises AccessDenied otherwise."""


@dataclass(frozen=True)
class OwnerPolicy:
    """One person's machine: whoever owns the files may do everything, nobody else anything."""

    owner: str

    def require(self, subject: str, action: Action, consultation: str | None) -> None:
        """Raises AccessDenied."""
        if subject != self.owner:
            raise AccessDenied(
                subject,
                action,
                f"the record belongs to {self.owner!r}; give {subject!r} a role under [access.subjects]",
            )


@dataclass(frozen=True)
class RolePolicy:
    """A hospital: what each role may do, and who has which role. Whoever has none may do nothing."""

    roles: Mapping[str, frozenset[Action]]
    subjects: Mapping[str, str]

    def require(self, subject: str, action: Action, consultation: str | None) -> None:
        """Raises AccessDenied."""
        role = self.subjects.get(subject)
        if role is None:
            raise AccessDenied(subject, action, "give them a role under [access.subjects]")
        if action not in self.roles.get(role, frozenset()):
            raise AccessDenied(subject, action, f"their role, {role}, does not allow it; see [access]")


@dataclass(frozen=True)
class Access:
    """On whose behalf the record is opened: `subject` asks `policy`, and is written down as `pseudonym` makes of it."""

    policy: AccessPolicy
    subject: str
    pseudonym: Callable[[str], str]

    def require(self, action: Action, consultation: str | None) -> None:
        """Raises AccessDenied."""
        self.policy.require(self.subject, action, consultation)

    @property
    def recorded(self) -> str:
        """The subject as it stands in the record. Raises SigningKeyUnusable."""
        return self.pseudonym(self.subject)


def system_user() -> str:
    """The account that runs this program, from the operating system and never from the environment where it can be."""
    return getpass.getuser() if os.name != "posix" else _account(os.geteuid())


def owner_of(file: Path) -> str:
    """The account that owns a file; whoever runs this program where there is none yet, or no such thing."""
    try:
        return _account(file.stat().st_uid) if os.name == "posix" else system_user()
    except FileNotFoundError:
        return system_user()


def _account(number: int) -> str:
    import pwd  # not on Windows

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"account {number}"
