"""The LanceDB table of passages: its columns, its full-text indexes, its versions and the three ways of reading it.

A version counts from the moment that it is tagged; whatever a killed write left behind is never read and is undone
by the next write. It knows neither documents nor embedders: vectors come and go as arrays.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial, reduce
from operator import and_
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.expr import Expr, col
from lancedb.index import FTS, Bitmap, BTree
from lancedb.query import MatchQuery

from knowledge.errors import KnowledgeBaseDamaged, StoreUnwritable
from knowledge.passage import Passage
from knowledge.place import Place, Tables
from knowledge.vectors import HeldFilters, HeldVectors
from knowledge.vectors import Vectors as Vectors  # for those who hand vectors in

_TABLE = "passages"
_WORDS = "text"
_KOREAN = "text_ko"
_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")
# Words of many languages share the column, so there is neither stemming nor a stop list; accents are folded because
# Yoruba and Vietnamese are often typed without them. Korean particles cling to their noun: n-grams find it inside.
_PLAIN = {"stem": False, "remove_stop_words": False, "lower_case": True, "ascii_folding": True}
_INDEXES = {
    _WORDS: FTS(base_tokenizer="icu", **_PLAIN),
    _KOREAN: FTS(base_tokenizer="ngram", ngram_min_length=2, ngram_max_length=3, **_PLAIN),
    # Without these every search reads the whole column: half of its time at 100,000 passages.
    "id": BTree(),
    "primary_language": Bitmap(),
}

Filter = Any  # lancedb.expr.Expr, or None for everything


def primary_subtag(language: str) -> str:
    """The language of a BCP 47 tag, without script and region: `pt-BR` and `pt` read each other's guidelines."""
    return language.split("-")[0].lower()


def only(
    languages: Collection[str] | None = None,
    jurisdictions: Collection[str] | None = None,
    packs: Collection[str] | None = None,
) -> Filter:
    """A filter on primary language, jurisdiction and pack; None for any means all."""
    admitted = {
        "primary_language": None if languages is None else {primary_subtag(tag) for tag in languages},
        "jurisdiction": None if jurisdictions is None else {code.upper() for code in jurisdictions},
        "pack": packs,
    }
    conditions = [col(name).isin(sorted(values)) for name, values in admitted.items() if values is not None]
    return reduce(and_, conditions) if conditions else None


class PassageTable:
    """One tagged, unchanging version of the table. While it is in use its tables aren't cleaned away."""

    def __init__(self, tables: Tables, tag: str) -> None:
        self.tag = tag
        self._place = tables.place
        with self._readable("table"):
            self._table = _database(tables).open_table(_TABLE)
            self._table.checkout(tag)
            tables.place.hold(self, tables.name)
        self._held = HeldFilters(len(self))

    def nearest(self, vector: Vectors, where: Filter, limit: int) -> list[tuple[str, float]]:
        """(id, cosine) of the passages nearest to the vector [d], by exhaustive comparison, best first."""
        return self._admitted(where).nearest(vector, limit)

    def matching(self, text: str, where: Filter, limit: int) -> list[tuple[str, float]]:
        """(id, BM25) of the passages that share a word with the text, best first."""
        words = MatchQuery(text, _WORDS)
        asked = words | MatchQuery(text, _KOREAN) if _HANGUL.search(text) else words
        query = _filtered(self._table.search(asked, query_type="fts"), where)
        rows = self._fetched(query.select(["id", "_score"]).limit(limit)).to_pylist()
        return _best_first([(row["id"], row["_score"]) for row in rows])

    def centre(self, where: Filter) -> tuple[Vectors, int]:
        """The mean vector [d] of the passages that a filter admits, and how many they are; (zeros, 0) of none."""
        held = self._admitted(where)
        return held.centre, len(held)

    def _admitted(self, where: Filter) -> HeldVectors:
        return self._held.get("" if where is None else where.to_sql(), partial(self._read, where))

    def _read(self, where: Filter) -> HeldVectors:
        query = _filtered(self._table.search(), where).select(["id", "vector"])
        rows = self._fetched(query.limit(max(len(self), 1)))
        vectors = rows["vector"].combine_chunks()
        matrix = vectors.flatten().to_numpy().reshape(len(vectors), vectors.type.list_size)
        return HeldVectors(rows["id"].to_pylist(), matrix)

    def passages(self, ids: Collection[str], where: Filter = None) -> list[tuple[Passage, Vectors]]:
        """The passages with these ids and their vectors [d]; a document in two packs gives one of each."""
        condition = col("id").isin(sorted(ids))
        query = self._table.search().where(condition if where is None else condition & where)
        rows = self._fetched(query.limit(max(len(self), 1))).to_pylist() if ids else []
        found = [(_passage(row), np.asarray(row["vector"], np.float32)) for row in rows]
        return sorted(found, key=lambda pair: (pair[0].id, pair[0].pack))

    def manifests(self) -> dict[str, tuple[str, int, int]]:
        """Of every pack by name: the digest of its manifest, and how many documents and passages it has here."""
        columns = ["pack", "manifest", "document"]
        rows = self._fetched(self._table.search().select(columns).limit(max(len(self), 1))).to_pylist()
        passages = Counter((row["pack"], row["manifest"]) for row in rows)
        documents = Counter(key[:2] for key in {(row["pack"], row["manifest"], row["document"]) for row in rows})
        return {pack: (digest, documents[pack, digest], n) for (pack, digest), n in sorted(passages.items())}

    def pack(self, name: str) -> list[Passage]:
        """All passages of a pack, by document and place; raises KnowledgeBaseDamaged."""
        query = self._table.search().where(only(packs=[name])).select(list(Passage.model_fields))
        rows = self._fetched(query.limit(max(len(self), 1))).to_pylist()
        with self._readable("table"):
            found = [_passage(row) for row in rows]
        return sorted(found, key=lambda passage: (passage.document, passage.start, passage.end))

    def rows(self, packs: Collection[str]) -> pa.Table:
        """All columns of some packs, as `write_version` takes them; raises KnowledgeBaseDamaged."""
        if not packs:
            return self._table.schema.empty_table()
        found = self._fetched(self._table.search().where(only(packs=packs)).limit(max(len(self), 1)))
        return found.select(self._table.schema.names).cast(self._table.schema)

    def _fetched(self, query: Any) -> pa.Table:
        """The rows of a query; raises KnowledgeBaseDamaged for files that LanceDB can't read."""
        with self._readable("table"):
            return query.to_arrow()

    def _readable(self, part: str) -> AbstractContextManager[None]:
        return _readable(f"the {part} of version {self.tag}", self._place)

    def __len__(self) -> int:
        """How many passages there are."""
        with self._readable("table"):
            return int(self._table.count_rows())

    def unindexed(self) -> dict[str, int]:
        """By column of the full-text indexes, how many rows its index lacks; all of them where there is none."""
        with self._readable("indexes"):
            names = {index.columns[0]: index.name for index in self._table.list_indices()}
            stats = {column: self._table.index_stats(names[column]) for column in _INDEXES if column in names}
        return {
            column: len(self) if stats.get(column) is None else stats[column].num_unindexed_rows for column in _INDEXES
        }


def newest(tags: dict[str, int]) -> str | None:
    """The tag of the newest version, or None where there is none."""
    return max(tags, key=tags.__getitem__) if tags else None


def all_tags(tables: Tables) -> dict[str, int]:
    """Every tag with the number of its version in the table; raises KnowledgeBaseDamaged."""
    if not _committed(tables):
        return {}
    with _readable("the list of versions", tables.place):
        return _tags(_database(tables).open_table(_TABLE))


def written(tables: Tables) -> dict[str, datetime]:
    """When each tagged version was written."""
    if not _committed(tables):
        return {}
    with _readable("the list of versions", tables.place):
        table = _database(tables).open_table(_TABLE)
        times = {entry["version"]: entry["timestamp"].astimezone(UTC) for entry in table.list_versions()}
        return {tag: times[version] for tag, version in _tags(table).items()}


def write_version(tables: Tables, before: str | None, tag: str, packs: Collection[str], rows: pa.Table) -> None:
    """Make the rows all that the table holds of these packs, as a new version with that tag; no rows remove them.

    What the version `before` [None: nothing] holds of other packs stays. The rows change in one commit. Readers see it
    when indexes and tag are there too: killed before that, nothing happened. Only one process may do this at a time;
    raises StoreUnwritable where another did meanwhile, and OSError, RuntimeError or ValueError from LanceDB.
    """
    table = _last_complete(tables, before, rows.schema)
    replaced = col("pack").isin(sorted(packs))
    if len(rows):
        merge = table.merge_insert(["pack", "id"]).when_matched_update_all().when_not_matched_insert_all()
        with _alone(table, tables.place):
            merge.when_not_matched_by_source_delete(replaced).execute(rows)
    elif packs:
        with _alone(table, tables.place):
            table.delete(replaced)
    for column, config in _INDEXES.items():
        with _alone(table, tables.place):
            table.create_index(column, config=config, replace=True)
    table.tags.create(tag, table.version)


@contextmanager
def _alone(table: Any, place: Place) -> Iterator[None]:
    """LanceDB lays a change on top of what others wrote meanwhile: then it isn't the next version, and not ours."""
    before = table.version
    yield
    if table.version != before + 1:
        raise StoreUnwritable(str(place), "another program wrote its tables at the same time")


def _last_complete(tables: Tables, tag: str | None, schema: pa.Schema) -> Any:  # LanceDB's table isn't typed for us
    database = _database(tables)
    if tag is None:
        mode = "overwrite" if _committed(tables) else "create"
        return database.create_table(_TABLE, schema=schema, mode=mode)
    table = database.open_table(_TABLE)
    if _tags(table)[tag] != table.version:
        table.restore(tag)
    return table


@contextmanager
def _readable(part: str, place: Place) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        place.require_answer()
        raise KnowledgeBaseDamaged(part) from error


def _committed(tables: Tables) -> bool:
    """Whether any version was ever written: a first write that was killed leaves a folder that LanceDB won't open."""
    manifests = tables.place.shelf(f"{tables.name}/{_TABLE}.lance/_versions").names()
    return any(name.endswith(".manifest") for name in manifests)


def _database(tables: Tables) -> Any:
    address, options = tables.place.address(tables.name)
    return lancedb.connect(address, storage_options=options)


def _tags(table: Any) -> dict[str, int]:
    return {name: entry["version"] for name, entry in table.tags.list().items()}


def _schema(dimension: int) -> pa.Schema:
    text = ("id", "document", "document_title", "pack", "publisher", "jurisdiction", "language", "edition")
    fields = [pa.field(name, pa.string()) for name in (*text, "text", "sha256")]
    fields += [pa.field(name, pa.date32()) for name in ("effective", "expires")]
    fields += [pa.field(name, pa.int32()) for name in ("page", "start", "end")]
    fields += [pa.field("section", pa.list_(pa.string())), pa.field("demonstration", pa.bool_())]
    fields += [pa.field(name, pa.string()) for name in ("manifest", "primary_language", _KOREAN)]
    return pa.schema([*fields, pa.field("vector", pa.list_(pa.float32(), dimension))])


def passage_rows(manifest: str, passages: Sequence[Passage], vectors: Vectors) -> pa.Table:
    """The rows of a pack: its passages, their vectors [n, d], and the digest of its manifest."""
    rows = []
    for passage, vector in zip(passages, vectors, strict=True):
        language = primary_subtag(passage.language)
        derived = {"primary_language": language, _KOREAN: passage.text if language == "ko" else None}
        rows.append({**passage.model_dump(), **derived, "manifest": manifest, "vector": vector})
    return pa.Table.from_pylist(rows, schema=_schema(vectors.shape[1]))


def no_rows(dimension: int) -> pa.Table:
    """Rows of no pack, for vectors of that many dimensions."""
    return _schema(dimension).empty_table()


def _passage(row: dict[str, Any]) -> Passage:
    return Passage.model_validate({name: row[name] for name in Passage.model_fields})


def _filtered(query: Any, where: Expr | None) -> Any:
    return query if where is None else query.where(where)


def _best_first(scored: list[tuple[str, float]]) -> list[tuple[str, float]]:
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))
