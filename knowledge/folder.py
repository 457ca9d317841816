"""The parts of a knowledge base in its place: which tables are the valid ones, and who may write.

`sources/` holds what was added, by hash; `versions/` what each version held; both are kept. `lance/`, or the `lance-N`
that `store.json` names, holds the tables and can be made again. Where machines share the place, `read/` names the
versions that their cases have read. It knows neither embedders nor ranking.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from knowledge.errors import KnowledgeBaseDamaged, StorageRefused, StoreUnwritable
from knowledge.kept import Kept
from knowledge.local import as_place
from knowledge.place import Place, Tables, Turn
from knowledge.table import PassageTable, all_tags, newest, written
from knowledge.versions import Holding, Version, Versions, in_order

_DESCRIPTION = "store.json"
_FIRST_TABLES = "lance"
_READ = "read"
_LOCK_SECONDS = 60.0


class Description(BaseModel):
    """Whose vectors the tables hold, and in which folder the tables are. Replaced as a whole, it switches both.

    In a place that machines share it also lists the tags that count, oldest first, and says since when these tables
    have been the valid ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedder: str
    dimension: int
    tables: Annotated[str, StringConstraints(pattern=r"^lance(-[0-9]{1,9})?$")] = _FIRST_TABLES
    tags: tuple[str, ...] | None = None
    since: AwareDatetime | None = None

    def __str__(self) -> str:
        return f"{self.embedder} ({self.dimension} dimensions)"


class StoreFolder:
    """The parts of a knowledge base by name. Writing methods are for who holds `writing()`."""

    def __init__(self, where: Path | Place) -> None:
        self.place = as_place(where)
        self.kept = Kept(self.place.shelf("sources"))
        self.versions = Versions(self.place.shelf("versions"))
        self._read_here: set[str] = set()
        self._turn: Turn | None = None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the place alone; whatever the disk or LanceDB refuses becomes StoreUnwritable."""
        try:
            with self.place.writing(_LOCK_SECONDS) as self._turn:
                yield
        except (OSError, RuntimeError) as error:
            self.place.require_answer()
            if self.place.shared:
                # What LanceDB quotes of a storage's answer may hold the key's id.
                raise StoreUnwritable(str(self.place), "LanceDB can't write its tables there") from None
            # LanceDB ends its messages with a place in its own source.
            raise StoreUnwritable(str(self.place), str(error).splitlines()[0].partition(", /")[0]) from error
        except ValueError:
            # So says LanceDB, too, that a storage doesn't answer.
            self.place.require_answer()
            raise

    def description(self) -> Description | None:
        """What `store.json` says; None where it is missing or says nothing readable."""
        try:
            return Description.model_validate_json(self.place.head() or b"")
        except ValidationError:
            return None

    @property
    def turn(self) -> Turn:
        """The right to change it, for who holds `writing()`."""
        assert self._turn, "only who has the turn changes what is valid"
        return self._turn

    def _publish(self, description: Description) -> None:
        self.turn.publish(description.model_dump_json(exclude_none=True).encode())

    def describe(self, embedder: str, dimension: int) -> None:
        """From now on the valid tables hold vectors of this embedder."""
        tags = tuple(self.tags()) if self.place.shared else None
        former = self.description() or Description(embedder=embedder, dimension=dimension)
        self._publish(former.model_copy(update={"embedder": embedder, "dimension": dimension, "tags": tags}))

    def count(self, tag: str) -> None:
        """From now on the version with that tag is the newest; in a place of one machine it is since it was tagged."""
        if self.place.shared:
            description = self._described()
            # Where nothing was listed yet, the place was copied from a folder, and all tags count.
            before = tuple(self.tags()) if description.tags is None else description.tags
            tags = (*(former for former in before if former != tag), tag)
            self._publish(description.model_copy(update={"tags": tags}))

    def switch(self, tables: Tables) -> None:
        """From now on other tables, of the same embedder, are the valid ones; raises KnowledgeBaseDamaged."""
        description = self._described()
        self.replace(tables, description.embedder, description.dimension)

    def replace(self, tables: Tables, embedder: str, dimension: int) -> None:
        """From now on other tables, of whatever embedder, are the valid ones, with all tags that they have."""
        description = Description(embedder=embedder, dimension=dimension, tables=tables.name)
        if self.place.shared:
            listed = {"tags": _in_order(all_tags(tables)), "since": datetime.now(UTC)}
            description = description.model_copy(update=listed)
        self._publish(description)

    def _described(self) -> Description:
        description = self.description()
        if description is None:
            raise KnowledgeBaseDamaged(_DESCRIPTION)
        return description

    @property
    def tables(self) -> Tables:
        """The valid tables."""
        return self._tables(self.description())

    def _tables(self, description: Description | None) -> Tables:
        return Tables(self.place, description.tables if description else _FIRST_TABLES)

    def tags(self) -> dict[str, int]:
        """Every tag that counts, oldest first, with its number in the table. Raises KnowledgeBaseDamaged."""
        description = self.description()
        there = all_tags(self._tables(description))
        listed = description.tags if description else None
        return {tag: there[tag] for tag in _in_order(there) if listed is None or tag in listed}

    def newest(self) -> tuple[Tables, str | None]:
        """The valid tables and the newest tag that counts, None where there is none; raises KnowledgeBaseDamaged."""
        description = self.description()
        tables = self._tables(description)
        if description is None or description.tags is None:
            return tables, newest(all_tags(tables))
        return tables, description.tags[-1] if description.tags else None

    def other_tables(self) -> tuple[str, ...]:
        """The names of tables that were valid before, or that a killed rebuild left."""
        found = (name for name in self.place.folders() if re.fullmatch(r"lance(-[0-9]+)?", name))
        valid = self.tables.name
        return tuple(sorted(name for name in found if name != valid))

    def new_tables(self) -> Tables:
        """Tables that aren't there yet."""
        numbers = [int(name.partition("-")[2] or 0) for name in (self.tables.name, *self.other_tables())]
        # By the number of the turn, so that whoever lost the turn never writes the same tables.
        return Tables(self.place, f"{_FIRST_TABLES}-{max(self.turn.number, max(numbers) + 1)}")

    def mark_read(self, tag: str) -> None:
        """Let the machines that share the place know that a case here reads this version: its transcript will name it.

        A key that may only read can't say it, and the case goes on.
        """
        if self.place.shared and tag not in self._read_here:
            with suppress(StorageRefused):
                self.place.shelf(_READ).write(tag, [b""])
            self._read_here.add(tag)

    def read_elsewhere(self) -> frozenset[str]:
        """The versions that cases on any machine that shares the place have read."""
        return frozenset(self.place.shelf(_READ).names()) if self.place.shared else frozenset()

    def drop_unread(self) -> bool:
        """Delete former tables; returns whether some had to stay because somebody still reads them."""
        description = self.description()
        for name in self.other_tables():
            if not self.place.is_read(name, description.since if description else None):
                self.turn.require()
                self.place.drop(name)
        return bool(self.other_tables())

    def require_tables(self) -> None:
        """Raise KnowledgeBaseDamaged where there should be versions and there are no tables with them."""
        if not self.tags() and self.versions.any_valid():
            raise KnowledgeBaseDamaged(f"the folder {self.tables.name}")

    def history(self) -> tuple[Version, ...]:
        """All versions, oldest first, with those that were cleaned away; raises KnowledgeBaseDamaged."""
        times = written(self.tables)
        tags = self.tags()
        tagged = {tag: self.versions.read(tag) for tag in tags}
        strangers = [
            Version(tag=tag, serial=number, time=times[tag], change="added", packs={})
            for tag, number in tags.items()
            if tagged.get(tag) is None
        ]
        recorded = {version.tag: version for version in (*filter(None, tagged.values()), *self.versions.settled())}
        return in_order([*strangers, *recorded.values()])

    def settle(self) -> int:
        """Bring records and tags together again after whatever was killed; return the next serial number.

        Versions from before there were records get theirs. Raises KnowledgeBaseDamaged.
        """
        self.turn.require()
        tags = self.tags()
        self.versions.settle(tags)
        if unrecorded := [tag for tag in tags if self._unrecorded(tag)]:
            times = written(self.tables)
            for tag in unrecorded:
                self.versions.write(self._recovered(tag, tags[tag], times[tag]))
        following = 1 + max((version.serial for version in self.versions.settled()), default=0)
        # By the number of the turn, so that whoever lost the turn never gave the same tag.
        return max(following, self.turn.number)

    def _unrecorded(self, tag: str) -> bool:
        try:
            return self.versions.read(tag) is None
        except KnowledgeBaseDamaged:
            return True

    def _recovered(self, tag: str, serial: int, time: datetime) -> Version:
        table = PassageTable(self.tables, tag)
        packs = {
            name: Holding(manifest=digest, passages=self.kept.keep_passages(table.pack(name)))
            for name, (digest, _, _) in table.manifests().items()
        }
        return Version(tag=tag, serial=serial, time=time, change="added", packs=packs)


def _in_order(tags: dict[str, int]) -> tuple[str, ...]:
    """Oldest first."""
    return tuple(sorted(tags, key=tags.__getitem__))
