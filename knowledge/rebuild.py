"""Making the tables again from what is kept: after damage, or for another embedder.

All versions are made again under their tags, with the passages that they had. The new tables grow beside the old and
take their place in one step at the end. It doesn't know why somebody rebuilds.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from knowledge.curations import note_marks
from knowledge.errors import KnowledgeBaseDamaged, KnowledgeBaseMissing, KnowledgeError
from knowledge.folder import StoreFolder
from knowledge.ingest import Progress
from knowledge.mark_list import scanned
from knowledge.passage import Passage
from knowledge.place import Place, Tables
from knowledge.store import Embedder, embed
from knowledge.table import Vectors, no_rows, passage_rows, write_version
from knowledge.versions import Holding, Version


class RebuildSummary(BaseModel):
    """How many versions and distinct passages were made again, and for which embedder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    versions: int
    passages: int
    embedder: str


def rebuild(where: Path | Place, embedder: Embedder, progress: Progress | None = None) -> RebuildSummary:
    """Make every version in a place [a path: a folder] again; killed before the end, the old tables stay.

    Old tables that somebody still reads stay until the next `clean`. Raises KnowledgeBaseMissing, and
    NotInKnowledgeBase, DocumentAltered or KnowledgeBaseDamaged for a source that isn't what was added.
    """
    parts = StoreFolder(where)
    if not parts.place.exists():
        raise KnowledgeBaseMissing
    with parts.writing():
        versions = _valid(parts)
        held = {holding: parts.kept.passages(holding) for version in versions for holding in version.packs.values()}
        vectors = _vectors(embedder, held, progress)
        tables = parts.new_tables()
        write_versions(
            tables, versions, lambda version, names: _rows(version, names, held, vectors, embedder.dimension)
        )
        for holding, passages in held.items():
            note_marks(parts.kept, holding, scanned(passages, parts.kept.document_text))
        parts.replace(tables, embedder.name, embedder.dimension)
        parts.drop_unread()
    return RebuildSummary(versions=len(versions), passages=len(vectors), embedder=embedder.name)


def _valid(parts: StoreFolder) -> tuple[Version, ...]:
    # Where the tables are beyond reading, the records by themselves say what there was.
    with suppress(KnowledgeBaseDamaged):
        parts.settle()
    versions = tuple(version for version in parts.versions.settled() if version.cleaned is None)
    if not versions:
        raise KnowledgeBaseMissing
    return versions


def _vectors(
    embedder: Embedder, held: dict[Holding, tuple[Passage, ...]], progress: Progress | None
) -> dict[str, Vectors]:
    """The vector [d] of every text, each embedded once however many versions hold it."""
    texts = list(dict.fromkeys(passage.in_context for passages in held.values() for passage in passages))
    return dict(zip(texts, embed(embedder, texts, "rebuilding", progress), strict=True))


def _rows(
    version: Version,
    names: list[str],
    held: dict[Holding, tuple[Passage, ...]],
    vectors: dict[str, Vectors],
    dimension: int,
) -> pa.Table:
    holdings = [version.packs[name] for name in names]
    packs = (
        passage_rows(holding.manifest, held[holding], np.stack([vectors[p.in_context] for p in held[holding]]))
        for holding in holdings
    )
    return pa.concat_tables((no_rows(dimension), *packs))


def write_versions(tables: Tables, versions: Iterable[Version], rows: Callable[[Version, list[str]], pa.Table]) -> None:
    """Write versions [oldest first] into new tables; `rows` gives those of some packs of a version.

    Tables that weren't finished are removed, unless this process is killed.
    """
    former: str | None = None
    before: dict[str, Holding] = {}
    try:
        for version in versions:
            names = before.keys() | version.packs.keys()
            changed = {name for name in names if before.get(name) != version.packs.get(name)}
            present = sorted(changed & version.packs.keys())
            write_version(tables, former, version.tag, changed, rows(version, present))
            former, before = version.tag, version.packs
    except BaseException:
        with suppress(OSError, KnowledgeError):
            tables.place.drop(tables.name)
        raise
