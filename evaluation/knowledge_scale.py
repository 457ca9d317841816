"""How search behaves as the guidelines grow: time, misses, memory and disk; and what taking guidelines in costs.

`python -m evaluation.knowledge_scale --data FOLDER --models-folder FOLDER` takes the shared guidelines in through the
real store, multiplies their passages to each size and prints Markdown tables. Only the taken-in passages are embedded:
the others mix two passages of one language, in text and vector alike. Knows nothing of how well a question is answered.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize

import numpy as np
import psutil

from agents.settings import load_settings
from evaluation.collection import Source, four_languages, write_pack
from evaluation.latency_plot import Curve, plot
from evaluation.retrieval import open_embedder
from knowledge.chunk import TARGET
from knowledge.search import search
from knowledge.store import Embedder, KnowledgeStore
from knowledge.table import Vectors, only

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
BAR_MS = 60.0
BAR_RECALL = 0.97
_QUESTIONS = 25  # a language
_NEAREST = 10
_SECTIONS = 500  # a document of multiplied passages
_LEAFLETS = {
    "arabic": "ar",
    "chinese": "zh",
    "english": "en",
    "haitian_creole": "ht",
    "korean": "ko",
    "russian": "ru",
    "spanish": "es",
    "tagalog": "tl",
    "vietnamese": "vi",
}


class Said(NamedTuple):
    """A passage's language, and its text in one line."""

    language: str
    text: str


class Asked(NamedTuple):
    """A question with its vector [d] and the texts of the passages of its language that are really nearest."""

    language: str
    text: str
    vector: Vectors
    nearest: frozenset[str]


class Probed(NamedTuple):
    """Milliseconds of every search, first of all the first of a process; recall of every question; bytes of memory.

    `cpu_ms` is the processors' time of a search, of all threads: it holds on a busy machine too.
    """

    first_ms: float
    cpu_ms: float
    filtered_ms: tuple[float, ...]
    unfiltered_ms: tuple[float, ...]
    recall: tuple[float, ...]
    memory: int


class Row(NamedTuple):
    """One size."""

    size: int
    build_s: float
    disk: int
    probed: Probed


class KnownVectors:
    """An embedder of texts whose vectors are known: what embedding costs is measured elsewhere."""

    def __init__(self, vectors: dict[str, Vectors], dimension: int) -> None:
        self.name, self.dimension, self._vectors = "known-vectors", dimension, vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimension). Raises KeyError for a text that isn't known."""
        return np.stack([self._vectors[text] for text in texts])

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """The same for passages, which are known without their headings."""
        return self.embed_queries([text.partition("\n")[2] for text in texts])


def guideline_packs(data: Path, folder: Path, share: int) -> list[Path]:
    """Write every `share`-th document of the shared guidelines below `folder`, a pack a source and language."""
    packs = []
    for name, tag in _LEAFLETS.items():
        packs.append(_pack(folder, f"leaflets-{tag}", tag, data / "guidelines/vis_9lang" / name, share))
    for path in sorted((data / "guidelines/tico19_docs").iterdir()):
        if path.is_dir():
            packs.append(_pack(folder, f"tico19-{path.name}", path.name, path, share))
    books = data / "guidelines/openstax_nursing_en/openstax_pharmacology_nutrition.jsonl"
    rows = [json.loads(line) for line in books.read_text("utf-8").splitlines()][::share]
    modules = {f"module-{number}.txt": Source(row["text"], row["title"]) for number, row in enumerate(rows)}
    return [*packs, write_pack(folder, "openstax-en", "en", modules)]


def _pack(folder: Path, name: str, language: str, documents: Path, share: int) -> Path:
    files = sorted(documents.glob("*.txt"))[::share]
    sources = {path.name: Source(path.read_text("utf-8"), path.stem.replace("_", " ")) for path in files}
    return write_pack(folder, name, language, sources)


def taken_in(store: KnowledgeStore, packs: Sequence[Path]) -> str:
    """Add the packs and tell what it cost, as a Markdown list."""
    start = time.perf_counter()
    summaries = [store.add(pack) for pack in packs]
    seconds = time.perf_counter() - start
    added = [summary for summary in summaries if not summary.unchanged]
    documents, passages = sum(s.documents for s in added), sum(s.passages for s in added)
    if not added:
        return "- all guidelines were there already"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # kilobytes on Linux
    return "\n".join(
        (
            f"- {len(added)} packs, {documents} documents, {passages} passages in {seconds:.0f} s",
            f"- {passages / seconds:.1f} passages a second",
            f"- {_bytes(store.folder) / _passages(store):.0f} bytes on disk a passage",
            f"- {peak / 1e6:.0f} MB peak memory of the process, embedder included",
        )
    )


def contents(store: KnowledgeStore) -> tuple[list[Said], Vectors]:
    """All passages of a store and their vectors [n, d]."""
    table = store.table
    everything = table.nearest(np.ones(store.embedder.dimension, np.float32), None, _passages(store))
    rows = table.passages([item for item, _ in everything])
    said = [Said(passage.language, _one_line(passage.text)) for passage, _ in rows]
    return said, np.stack([vector for _, vector in rows])


def _passages(store: KnowledgeStore) -> int:
    return sum(pack.passages for pack in store.list_packs())


def _one_line(text: str) -> str:
    """The text as a paragraph of Markdown that is nothing but a paragraph, short enough to stay whole."""
    return " ".join(normalize("NFC", text).split()).lstrip("#>-+*=_~`|0123456789.) \t")[:TARGET].rstrip()


def multiplied(passages: Sequence[Said], vectors: Vectors, size: int) -> tuple[list[Said], Vectors]:
    """`size` passages: those given, then mixtures of one with 5 to 30 % of another of its language."""
    random = np.random.default_rng(size)
    order = random.permutation(len(passages))
    chosen = [passages[i] for i in order[:size]]
    mixed = [vectors[order[: len(chosen)]]]
    by_language: dict[str, list[int]] = {}
    for i, passage in enumerate(passages):
        by_language.setdefault(passage.language, []).append(i)
    for number in range(len(chosen), size):
        base = order[number % len(order)]
        other = random.choice(by_language[passages[base].language])
        share = random.uniform(0.7, 0.95)
        vector = share * vectors[base] + (1 - share) * vectors[other]
        mixed.append(vector[None] / np.linalg.norm(vector))
        chosen.append(_mixture(passages[base], passages[other], share))
    return chosen, np.concatenate(mixed).astype(np.float32)


def _mixture(base: Said, other: Said, share: float) -> Said:
    text = base.text[: int(share * len(base.text))] + other.text[int(share * len(other.text)) :]
    return Said(base.language, _one_line(text))


def asked_of(data: Path, embedder: Embedder, passages: Sequence[Said], vectors: Vectors) -> tuple[Asked, ...]:
    """Questions in four languages, with the exact answer among the passages of each one's own language."""
    asked = []
    for language in ("en", "es", "zh", "hi"):
        admitted = [i for i, passage in enumerate(passages) if passage.language == language]
        texts = [q.texts[language] for q in four_languages(data).questions if language in q.texts][:_QUESTIONS]
        queries = embedder.embed_queries(texts)
        cosines = queries @ vectors[admitted].T
        for text, vector, row in zip(texts, queries, cosines, strict=True):
            best = np.argsort(-row, kind="stable")[:_NEAREST]
            asked.append(Asked(language, text, vector, frozenset(passages[admitted[i]].text for i in best)))
    return tuple(asked)


def build(folder: Path, passages: Sequence[Said], vectors: Vectors) -> None:
    """Put the passages into a store, each as a section of a document, as `store.add` does with any pack."""
    by_language: dict[str, list[str]] = {}
    for passage in passages:
        by_language.setdefault(passage.language, []).append(passage.text)
    documents = {
        f"{tag}-{start}.md": Source(_sections(texts[start : start + _SECTIONS], start), language=tag)
        for tag, texts in by_language.items()
        for start in range(0, len(texts), _SECTIONS)
    }
    known = KnownVectors(dict(zip((p.text for p in passages), vectors, strict=True)), vectors.shape[1])
    with tempfile.TemporaryDirectory(prefix="coreasoner-pack-") as temporary:
        KnowledgeStore(folder, known).add(write_pack(Path(temporary), "multiplied", "und", documents))


def _sections(texts: Sequence[str], first: int) -> str:
    return "".join(f"# {number}\n\n{text}\n\n" for number, text in enumerate(texts, first))


def probe(folder: Path, questions: Sequence[Asked]) -> Probed:
    """Search the store as this process's first work."""
    vectors = {asked.text: asked.vector for asked in questions}
    before = psutil.Process().memory_info().rss
    store = KnowledgeStore(folder, KnownVectors(vectors, len(questions[0].vector)))
    first = _milliseconds(store, questions[0], [questions[0].language])
    for asked in questions:  # once unmeasured: what a filter reads first, it reads once a process
        _milliseconds(store, asked, [asked.language])
    worked = time.process_time()
    filtered = [_milliseconds(store, asked, [asked.language]) for asked in questions]
    cpu_ms = (time.process_time() - worked) * 1000 / len(questions)
    _milliseconds(store, questions[0], None)
    unfiltered = [_milliseconds(store, asked, None) for asked in questions]
    memory = psutil.Process().memory_info().rss - before
    recall = tuple(_recall(store, asked) for asked in questions)
    return Probed(first, cpu_ms, tuple(filtered), tuple(unfiltered), recall, memory)


def _recall(store: KnowledgeStore, asked: Asked) -> float:
    ranking = store.table.nearest(asked.vector, only([asked.language], None), _NEAREST)
    found = {passage.text for passage, _ in store.table.passages([item for item, _ in ranking])}
    return len(asked.nearest & found) / len(asked.nearest)


def _milliseconds(store: KnowledgeStore, asked: Asked, languages: Sequence[str] | None) -> float:
    start = time.perf_counter()
    search(store, [asked.text], languages=languages, today=date.today(), relevance=0.0)
    return (time.perf_counter() - start) * 1000


def measure(data: Path, embedder: Embedder, source: tuple[list[Said], Vectors], size: int) -> Row:
    """Build a store of `size` passages and search it in a process of its own."""
    passages, vectors = multiplied(*source, size)
    with tempfile.TemporaryDirectory(prefix="coreasoner-scale-") as temporary:
        folder = Path(temporary)
        start = time.perf_counter()
        build(folder, passages, vectors)
        build_s = time.perf_counter() - start
        asked = asked_of(data, embedder, passages, vectors)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            probed = process.submit(probe, folder, asked).result()
        return Row(size, build_s, _bytes(folder), probed)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Markdown, a row a size."""
    titles = ("passages", "p50 ms", "p95 ms", "CPU ms", "p95 ms, all languages", "first search ms", "recall@10")
    yield f"| {' | '.join((*titles, 'memory MB', 'disk MB', 'build s'))} |\n|{'---:|' * 10}"
    for row in rows:
        found = row.probed
        p50, p95 = np.percentile(found.filtered_ms, (50, 95))
        times = (p50, p95, found.cpu_ms, np.percentile(found.unfiltered_ms, 95), found.first_ms)
        cells = [f"{row.size:,}", *(f"{ms:.1f}" for ms in times), f"{np.mean(found.recall):.3f}"]
        cells += [f"{found.memory / 1e6:.0f}", f"{row.disk / 1e6:.0f}", f"{row.build_s:.1f}"]
        yield f"| {' | '.join(cells)} |"


def _curves(rows: Sequence[Row]) -> list[Curve]:
    def points(percentile: float) -> tuple[tuple[float, float], ...]:
        return tuple((row.size, float(np.percentile(row.probed.filtered_ms, percentile))) for row in rows)

    return [Curve("p95", points(95)), Curve("p50", points(50))]


def main(given: Sequence[str] | None = None) -> None:
    """Measure ingest, then every size; with --work what was embedded stays there and is found again."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.knowledge_scale", description=str(__doc__).partition("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder of shared benchmark files")
    parser.add_argument(
        "--models-folder", type=Path, default=load_settings().models_folder, help="where the weights are"
    )
    parser.add_argument("--work", type=Path, help="keep the guidelines' store in this folder")
    parser.add_argument("--share", type=int, default=1, help="take in every so many-th document only")
    parser.add_argument("--size", type=int, action="append", help="passages; may be repeated")
    parser.add_argument("--plot", type=Path, help="write an SVG there")
    arguments = parser.parse_args(given)
    embedder = open_embedder(arguments.models_folder)
    with tempfile.TemporaryDirectory(prefix="coreasoner-guidelines-") as temporary:
        work = arguments.work or Path(temporary)
        store = KnowledgeStore(work / "guidelines", embedder)
        print(f"{taken_in(store, guideline_packs(arguments.data, work, arguments.share))}\n", flush=True)
        source = contents(store)
    rows = [measure(arguments.data, embedder, source, size) for size in arguments.size or SIZES]
    print("\n".join(table(rows)))
    if arguments.plot:
        arguments.plot.write_text(plot("Hybrid search, embedding excluded", _curves(rows), BAR_MS), "utf-8")


if __name__ == "__main__":
    main()
