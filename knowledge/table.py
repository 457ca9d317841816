"""The LanceDB table of passages: its columns, its full-text indexes, its versions and the three ways of reading it.

A version counts from the moment that it is tagged; whatever a killed write left behind is never read and is undone
by the next write. It knows neither documents nor embedders: vectors come and go as arrays.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial, reduce
from operator import and_
from pathlib import Path
from typing import Any

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.expr import Expr, col
from lancedb.index import FTS, Bitmap, BTree
from lancedb.query import MatchQuery

from knowledge.passage import Passage
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


def only(languages: Collection[str] | None, jurisdictions: Collection[str] | None) -> Filter:
    """A filter on primary language and jurisdiction; None for either means all."""
    conditions = []
    if languages is not None:
        conditions.append(col("primary_language").isin(sorted({primary_subtag(tag) for tag in languages})))
    if jurisdictions is not None:
        conditions.append(col("jurisdiction").isin(sorted({code.upper() for code in jurisdictions})))
    return reduce(and_, conditions) if conditions else None


class PassageTable:
    """One tagged, unchanging version of the table."""

    def __init__(self, folder: Path, tag: str) -> None:
        self.tag = tag
        self._table = lancedb.connect(str(folder)).open_table(_TABLE)
        self._table.checkout(tag)
        self._held = HeldFilters(self._table.count_rows())

    def nearest(self, vector: Vectors, where: Filter, limit: int) -> list[tuple[str, float]]:
        """(id, cosine) of the passages nearest to the vector [d], by exhaustive comparison, best first."""
        return self._admitted(where).nearest(vector, limit)

    def matching(self, text: str, where: Filter, limit: int) -> list[tuple[str, float]]:
        """(id, BM25) of the passages that share a word with the text, best first."""
        words = MatchQuery(text, _WORDS)
        asked = words | MatchQuery(text, _KOREAN) if _HANGUL.search(text) else words
        query = _filtered(self._table.search(asked, query_type="fts"), where)
        rows = query.select(["id", "_score"]).limit(limit).to_list()
        return _best_first([(row["id"], row["_score"]) for row in rows])

    def centre(self, where: Filter) -> tuple[Vectors, int]:
        """The mean vector [d] of the passages that a filter admits, and how many they are; (zeros, 0) of none."""
        held = self._admitted(where)
        return held.centre, len(held)

    def _admitted(self, where: Filter) -> HeldVectors:
        return self._held.get("" if where is None else where.to_sql(), partial(self._read, where))

    def _read(self, where: Filter) -> HeldVectors:
        query = _filtered(self._table.search(), where).select(["id", "vector"])
        rows = query.limit(max(1, self._table.count_rows())).to_arrow()
        vectors = rows["vector"].combine_chunks()
        matrix = vectors.flatten().to_numpy().reshape(len(vectors), vectors.type.list_size)
        return HeldVectors(rows["id"].to_pylist(), matrix)

    def passages(self, ids: Collection[str], where: Filter = None) -> list[tuple[Passage, Vectors]]:
        """The passages with these ids and their vectors [d]; a document in two packs gives one of each."""
        condition = col("id").isin(sorted(ids))
        query = self._table.search().where(condition if where is None else condition & where)
        rows = query.limit(self._table.count_rows()).to_list() if ids else []
        found = [(_passage(row), np.asarray(row["vector"], np.float32)) for row in rows]
        return sorted(found, key=lambda pair: (pair[0].id, pair[0].pack))

    def manifests(self) -> dict[str, tuple[str, int, int]]:
        """Of every pack by name: the digest of its manifest, and how many documents and passages it has here."""
        columns = ["pack", "manifest", "document"]
        rows = self._table.search().select(columns).limit(max(self._table.count_rows(), 1)).to_list()
        passages = Counter((row["pack"], row["manifest"]) for row in rows)
        documents = Counter(key[:2] for key in {(row["pack"], row["manifest"], row["document"]) for row in rows})
        return {pack: (digest, documents[pack, digest], n) for (pack, digest), n in sorted(passages.items())}


def newest_tag(folder: Path) -> str | None:
    """The tag of the newest complete version, or None where there is none."""
    tags = all_tags(folder)
    return max(tags, key=tags.__getitem__) if tags else None


def all_tags(folder: Path) -> dict[str, int]:
    """Every tag with the number of its version."""
    if not _committed(folder):
        return {}
    return _tags(lancedb.connect(str(folder)).open_table(_TABLE))


def replace_pack(folder: Path, label: str, manifest: str, passages: Sequence[Passage], vectors: Vectors) -> str:
    """Make the passages, with vectors [n, d], all that the table holds of their pack, as a new version; return its tag.

    The rows change in one commit. Readers see it when indexes and tag are there too: killed before that, nothing
    happened. Only one process may do this at a time. Raises OSError or RuntimeError from LanceDB.
    """
    table = _last_complete(folder, vectors.shape[1])
    merge = table.merge_insert(["pack", "id"]).when_matched_update_all().when_not_matched_insert_all()
    merge = merge.when_not_matched_by_source_delete(col("pack") == passages[0].pack)
    merge.execute(_rows(manifest, passages, vectors))
    for column, config in _INDEXES.items():
        table.create_index(column, config=config, replace=True)
    tag = _tag_name(label, table.version)
    table.tags.create(tag, table.version)
    return tag


def _last_complete(folder: Path, dimension: int) -> Any:  # LanceDB's table class isn't typed for us
    database = lancedb.connect(str(folder))
    tag = newest_tag(folder)
    if tag is None:
        mode = "overwrite" if _committed(folder) else "create"
        return database.create_table(_TABLE, schema=_schema(dimension), mode=mode)
    table = database.open_table(_TABLE)
    if _tags(table)[tag] != table.version:
        table.restore(tag)
    return table


def _committed(folder: Path) -> bool:
    """Whether any version was ever written: a first write that was killed leaves a folder that LanceDB won't open."""
    return any((folder / f"{_TABLE}.lance" / "_versions").glob("*.manifest"))


def _tags(table: Any) -> dict[str, int]:
    return {name: entry["version"] for name, entry in table.tags.list().items()}


def _tag_name(label: str, version: int) -> str:
    """ASCII without runs of dots: LanceDB takes other letters in a tag, and then can't list the tags any more."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", lambda m: "." if m[0] == "." else "-", label)[:60].strip(".-")
    return f"{safe or 'pack'}-{version}"


def _schema(dimension: int) -> pa.Schema:
    text = ("id", "document", "document_title", "pack", "publisher", "jurisdiction", "language", "edition")
    fields = [pa.field(name, pa.string()) for name in (*text, "text", "sha256")]
    fields += [pa.field(name, pa.date32()) for name in ("effective", "expires")]
    fields += [pa.field(name, pa.int32()) for name in ("page", "start", "end")]
    fields += [pa.field("section", pa.list_(pa.string())), pa.field("demonstration", pa.bool_())]
    fields += [pa.field(name, pa.string()) for name in ("manifest", "primary_language", _KOREAN)]
    return pa.schema([*fields, pa.field("vector", pa.list_(pa.float32(), dimension))])


def _rows(manifest: str, passages: Sequence[Passage], vectors: Vectors) -> pa.Table:
    rows = []
    for passage, vector in zip(passages, vectors, strict=True):
        language = primary_subtag(passage.language)
        derived = {"primary_language": language, _KOREAN: passage.text if language == "ko" else None}
        rows.append({**passage.model_dump(), **derived, "manifest": manifest, "vector": vector})
    return pa.Table.from_pylist(rows, schema=_schema(vectors.shape[1]))


def _passage(row: dict[str, Any]) -> Passage:
    return Passage.model_validate({name: row[name] for name in Passage.model_fields})


def _filtered(query: Any, where: Expr | None) -> Any:
    return query if where is None else query.where(where)


def _best_first(scored: list[tuple[str, float]]) -> list[tuple[str, float]]:
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))
