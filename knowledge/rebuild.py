"""Making the tables again from what is kept: after damage, or for another embedder.

All versions are made again under their tags, with the passages that they had. The new tables grow beside the old and
take their place in one step at the end. It doesn't know why somebody rebuilds.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from knowledge.errors import KnowledgeBaseDamaged, KnowledgeBaseMissing
from knowledge.folder import Description, StoreFolder
from knowledge.passage import Passage
from knowledge.store import Embedder, Progress, embed
from knowledge.table import Vectors, passage_rows, write_version
from knowledge.versions import Holding, Version


class RebuildSummary(BaseModel):
    """How many versions and distinct passages were made again, and for which embedder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    versions: int
    passages: int
    embedder: str


def rebuild(path: Path, embedder: Embedder, progress: Progress | None = None) -> RebuildSummary:
    """Make every version of the knowledge base in a folder again; killed before the end, the old tables stay.

    The old tables are left for who still reads them until the next `clean`. Raises KnowledgeBaseMissing, and
    NotInKnowledgeBase, DocumentAltered or KnowledgeBaseDamaged for a source that isn't what was added.
    """
    parts = StoreFolder(path)
    if not path.exists():
        raise KnowledgeBaseMissing
    with parts.writing():
        versions = _valid(parts)
        held = {holding: parts.kept.passages(holding) for version in versions for holding in version.packs.values()}
        vectors = _vectors(embedder, held, progress)
        tables = parts.new_tables()
        try:
            _write(tables, versions, held, vectors)
        except BaseException:
            shutil.rmtree(tables, ignore_errors=True)
            raise
        parts.describe(Description(embedder=embedder.name, dimension=embedder.dimension, tables=tables.name))
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


def _write(
    tables: Path,
    versions: tuple[Version, ...],
    held: dict[Holding, tuple[Passage, ...]],
    vectors: dict[str, Vectors],
) -> None:
    before: dict[str, Holding] = {}
    for version in versions:
        changed = {name for name in before.keys() | version.packs.keys() if before.get(name) != version.packs.get(name)}
        batches = list(_rows((version.packs[name] for name in sorted(changed & version.packs.keys())), held, vectors))
        write_version(tables, version.tag, changed, pa.concat_tables(batches) if batches else None)
        before = version.packs


def _rows(
    holdings: Iterator[Holding], held: dict[Holding, tuple[Passage, ...]], vectors: dict[str, Vectors]
) -> Iterator[pa.Table]:
    for holding in holdings:
        passages = held[holding]
        yield passage_rows(holding.manifest, passages, np.stack([vectors[p.in_context] for p in passages]))
