"""Letting go of what nobody needs any more: versions by age, and the documents that only they held.

Which versions are needed whatever their age is handed in. It doesn't know who needs them.
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from knowledge.errors import KnowledgeBaseMissing
from knowledge.folder import StoreFolder
from knowledge.place import Place
from knowledge.rebuild import write_versions
from knowledge.table import PassageTable, all_tags
from knowledge.versions import Version


class CleanSummary(BaseModel):
    """The tags of the versions that went and of those that were old enough but are needed, and the bytes freed.

    `still_read` says that former tables stay until the next time, because somebody is reading them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    removed: tuple[str, ...]
    needed: tuple[str, ...]
    freed: int
    still_read: bool


def clean(where: Path | Place, *, keep: Collection[str], older_than: timedelta, now: datetime) -> CleanSummary:
    """Remove the versions that were replaced longer ago than `older_than`, but none of `keep` and never the newest.

    In a place that machines share, what cases of any of them have read stays as well. What only the removed versions
    held is removed too, and so are former tables that nobody reads any more. Killed in the middle, the next call goes
    on. Raises KnowledgeBaseMissing, KnowledgeBaseDamaged, StoreUnwritable, TurnLost, StorageError.
    """
    parts = StoreFolder(where)
    if not parts.place.exists():
        raise KnowledgeBaseMissing
    with parts.writing():
        parts.require_tables()
        parts.settle()
        before, kept = parts.place.size(), {*keep, *parts.read_elsewhere()}
        history = parts.versions.settled()
        old = [v for v, replaced in _replaced(history) if not v.cleaned and replaced <= now - older_than]
        going = [version for version in old if version.tag not in kept]
        for version in going:
            parts.turn.require()
            parts.versions.write(version.model_copy(update={"cleaned": now}))
        still_read = _forget(parts)
        return CleanSummary(
            removed=tuple(version.tag for version in going),
            needed=tuple(version.tag for version in old if version.tag in kept),
            freed=before - parts.place.size(),
            still_read=still_read,
        )


def _replaced(history: tuple[Version, ...]) -> Iterator[tuple[Version, datetime]]:
    """Every version but the newest, and since when another one has been read instead."""
    return ((version, following.time) for version, following in pairwise(history))


def _forget(parts: StoreFolder) -> bool:
    """Remove what the records say has been cleaned away; returns whether somebody still reads what had to stay.

    LanceDB's own clean-up refuses as soon as one old version has a tag, so the versions that stay are copied, vectors
    and all, into tables that take the place of the former in one step.
    """
    staying = tuple(version for version in parts.versions.settled() if not version.cleaned)
    if all_tags(parts.tables).keys() != {version.tag for version in staying}:
        former, tables = parts.tables, parts.new_tables()
        write_versions(tables, staying, lambda version, names: PassageTable(former, version.tag).rows(names))
        parts.switch(tables)
    needed = _needed(parts, staying)
    parts.turn.require()
    parts.kept.forget_all_but(needed)
    return parts.drop_unread()


def _needed(parts: StoreFolder, versions: tuple[Version, ...]) -> set[str]:
    """The digests of everything that versions hold."""
    held = {holding for version in versions for holding in version.packs.values()}
    own = {digest for holding in held for digest in (holding.manifest, holding.passages, holding.original) if digest}
    entries = (entry for holding in held for entry in parts.kept.manifest(holding.manifest).documents)
    decided = {version.curation for version in versions if version.curation}
    return own | decided | {str(entry.sha256) for entry in entries}
