"""The versions of a knowledge base: what each one held, since when, and which was valid on a day.

One object a version, beside the tables, so that the tables can be made again with all that they were. A record is
announced before its version is tagged in the table and settled after it: the tag alone makes a version valid, and a
settled record without a tag means that the table is lost. It knows neither tables nor passages.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, PositiveInt, StringConstraints, ValidationError

from knowledge.errors import KnowledgeBaseDamaged, KnowledgeBaseMissing, NotInKnowledgeBase, VersionCleaned
from knowledge.local import as_shelf
from knowledge.pack import Digest
from knowledge.place import Shelf

_SETTLED, _ANNOUNCED = ".json", ".announced"

Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*$")]


class Holding(BaseModel):
    """What a version holds of one pack, as SHA-256 of what `sources/` keeps.

    `manifest` lists the documents that went in, `passages` their passages, and `original` is the `pack.toml` that the
    pack came with, where it lists just these documents.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    manifest: Digest
    passages: Digest
    original: Digest | None = None


class Version(BaseModel):
    """One version: its tag, its place in the order of all, when it became valid, by what change, and its packs.

    `curation` is the SHA-256 of the curator's decisions until then, all of them, as `sources/` keeps them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: Tag
    serial: PositiveInt
    time: AwareDatetime
    change: str
    packs: dict[str, Holding]
    curation: Digest | None = None
    cleaned: AwareDatetime | None = None


class Versions:
    """The shelf [a path: a folder] of records. One writer at a time."""

    def __init__(self, where: Path | Shelf) -> None:
        self._shelf = as_shelf(where)

    def announce(self, version: Version) -> None:
        """Write the record of a version that is about to be tagged."""
        self._shelf.write(f"{version.tag}{_ANNOUNCED}", [version.model_dump_json().encode()])

    def settle(self, valid: Collection[str]) -> None:
        """Keep the announced records of the tags that exist; what else was announced never came to be."""
        for announced in self._named(_ANNOUNCED):
            tag = announced.removesuffix(_ANNOUNCED)
            if tag in valid:
                self._shelf.rename(announced, f"{tag}{_SETTLED}")
            else:
                self._shelf.delete([announced])

    def write(self, version: Version) -> None:
        """Write a settled record, over the former one of that version where there is one."""
        self._shelf.write(f"{version.tag}{_SETTLED}", [version.model_dump_json().encode()])

    def read(self, tag: str) -> Version | None:
        """The record of a tag, or None where there is none; raises KnowledgeBaseDamaged."""
        for ending in (_SETTLED, _ANNOUNCED):
            if self._shelf.holds(f"{tag}{ending}"):
                return self._read(f"{tag}{ending}", tag)
        return None

    def settled(self) -> tuple[Version, ...]:
        """Every settled record, cleaned ones too, oldest first; raises KnowledgeBaseDamaged."""
        return in_order(self._read(name, name.removesuffix(_SETTLED)) for name in self._named(_SETTLED))

    def any_valid(self) -> bool:
        """Whether some version should be readable."""
        return any(version.cleaned is None for version in self.settled())

    def _named(self, ending: str) -> list[str]:
        return [name for name in self._shelf.names() if name.endswith(ending)]

    def _read(self, name: str, tag: str) -> Version:
        try:
            version = Version.model_validate_json(self._shelf.read(name))
        except (OSError, ValidationError) as error:
            raise KnowledgeBaseDamaged(f"the record of version {tag}") from error
        if version.tag != tag:
            raise KnowledgeBaseDamaged(f"the record of version {tag}")
        return version


def in_order(versions: Iterable[Version]) -> tuple[Version, ...]:
    """Oldest first."""
    return tuple(sorted(versions, key=lambda version: version.serial))


def new_tag(label: str, serial: int) -> str:
    """ASCII without runs of dots: LanceDB takes other letters in a tag, and then can't list the tags any more."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", lambda m: "." if m[0] == "." else "-", label)[:60].strip(".-")
    return f"{safe or 'pack'}-{serial}"


def as_of(history: Sequence[Version], when: str) -> Version:
    """The version with that tag, or the one that was valid at the end of that day (YYYY-MM-DD, this machine's time).

    Raises NotInKnowledgeBase, VersionCleaned, and KnowledgeBaseMissing where the history [oldest first] is empty.
    """
    if not history:
        raise KnowledgeBaseMissing
    version = next((v for v in history if v.tag == when), None) or _valid_on(history, _day(when))
    if version.cleaned:
        raise VersionCleaned(version.tag, version.cleaned.astimezone().date())
    return version


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        instead = "`coreasoner knowledge versions` lists them, and a day is written as 2026-12-31"
        raise NotInKnowledgeBase("version", text, instead) from None


def _valid_on(history: Sequence[Version], day: date) -> Version:
    end = datetime.combine(day, time.max).astimezone(UTC)
    valid = [version for version in history if version.time <= end]
    if not valid:
        first = history[0].time.astimezone().date()
        raise NotInKnowledgeBase("version of", str(day), f"the first version is of {first}")
    return valid[-1]
