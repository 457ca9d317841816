"""The folder of a knowledge base: where its parts lie, which tables are the valid ones, and who may write.

`sources/` holds what was added, by hash; `versions/` what each version held; both are kept. `lance/`, or the `lance-N`
that `store.json` names, holds the tables and can be made again. It knows neither embedders nor ranking.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from knowledge.durable import write_whole
from knowledge.errors import KnowledgeBaseDamaged, StoreUnwritable
from knowledge.kept import Kept
from knowledge.presence import is_read
from knowledge.table import PassageTable, all_tags, written
from knowledge.versions import Holding, Version, Versions, in_order

_DESCRIPTION = "store.json"
_FIRST_TABLES = "lance"
_LOCK_SECONDS = 60.0


class Description(BaseModel):
    """Whose vectors the tables hold, and in which folder the tables are. Replaced as a whole, it switches both."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedder: str
    dimension: int
    tables: Annotated[str, StringConstraints(pattern=r"^lance(-[0-9]{1,9})?$")] = _FIRST_TABLES

    def __str__(self) -> str:
        return f"{self.embedder} ({self.dimension} dimensions)"


class StoreFolder:
    """The parts of a knowledge base by name. Writing methods are for who holds `writing()`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept = Kept(path / "sources")
        self.versions = Versions(path / "versions")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder alone; whatever the disk or LanceDB refuses becomes StoreUnwritable."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path / "writing.lock", timeout=_LOCK_SECONDS):
                yield
        except Timeout as error:
            raise StoreUnwritable(str(self.path), "another command is changing it, so try again later") from error
        except (OSError, RuntimeError) as error:
            # LanceDB ends its messages with a place in its own source.
            raise StoreUnwritable(str(self.path), str(error).splitlines()[0].partition(", /")[0]) from error

    def description(self) -> Description | None:
        """What `store.json` says; None where it is missing or says nothing readable."""
        try:
            return Description.model_validate_json((self.path / _DESCRIPTION).read_bytes())
        except (OSError, ValidationError):
            return None

    def describe(self, description: Description) -> None:
        """From now on these tables are the valid ones."""
        write_whole(self.path / _DESCRIPTION, [description.model_dump_json().encode()])

    def switch(self, tables: Path) -> None:
        """From now on other tables, of the same embedder, are the valid ones; raises KnowledgeBaseDamaged."""
        description = self.description()
        if description is None:
            raise KnowledgeBaseDamaged(_DESCRIPTION)
        self.describe(description.model_copy(update={"tables": tables.name}))

    @property
    def tables(self) -> Path:
        """The folder of the valid tables."""
        description = self.description()
        return self.path / (description.tables if description else _FIRST_TABLES)

    def other_tables(self) -> tuple[Path, ...]:
        """Tables that were valid before, or that a killed rebuild left."""
        found = (p for p in self.path.glob(f"{_FIRST_TABLES}*") if re.fullmatch(r"lance(-[0-9]+)?", p.name))
        return tuple(sorted(folder for folder in found if folder != self.tables))

    def new_tables(self) -> Path:
        """A folder for tables that isn't there yet."""
        numbers = [int(p.name.partition("-")[2] or 0) for p in (self.tables, *self.other_tables())]
        return self.path / f"{_FIRST_TABLES}-{max(numbers) + 1}"

    def drop_unread(self) -> bool:
        """Delete former tables; returns whether some had to stay because somebody still reads them."""
        for tables in self.other_tables():
            if not is_read(tables):
                shutil.rmtree(tables)
        return bool(self.other_tables())

    def require_tables(self) -> None:
        """Raise KnowledgeBaseDamaged where there should be versions and there are no tables with them."""
        if not all_tags(self.tables) and self.versions.any_valid():
            raise KnowledgeBaseDamaged(f"the folder {self.tables.name}")

    def history(self) -> tuple[Version, ...]:
        """All versions, oldest first, with those that were cleaned away; raises KnowledgeBaseDamaged."""
        times = written(self.tables)
        tagged = {tag: self.versions.read(tag) for tag in times}
        strangers = [
            Version(tag=tag, serial=number, time=times[tag], change="added", packs={})
            for tag, number in all_tags(self.tables).items()
            if tagged.get(tag) is None
        ]
        recorded = {version.tag: version for version in (*filter(None, tagged.values()), *self.versions.settled())}
        return in_order([*strangers, *recorded.values()])

    def settle(self) -> int:
        """Bring records and tags together again after whatever was killed; return the next serial number.

        Versions from before there were records get theirs. Raises KnowledgeBaseDamaged.
        """
        tags = all_tags(self.tables)
        self.versions.settle(tags)
        times = written(self.tables)
        for tag, number in tags.items():
            if self._unrecorded(tag):
                self.versions.write(self._recovered(tag, number, times[tag]))
        return 1 + max((version.serial for version in self.versions.settled()), default=0)

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
