"""What a bucket costs against a folder: the same guidelines added, opened and searched in both, side by side.

The embedder counts letters: it is the place that is measured. `python -m evaluation.storage_bench --endpoint
http://127.0.0.1:9000 --location s3://BUCKET/PREFIX` prints Markdown; every run leaves its store under the prefix.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from evaluation.ingest_kills import LetterEmbedder
from knowledge.local import LocalFolder
from knowledge.place import Place
from knowledge.search import search
from knowledge.shipped import starter_packs
from knowledge.storage import KnowledgeSettings, place_of
from knowledge.store import KnowledgeStore

_PACK = "en"
_QUESTIONS = ("amoxicillin for a child with pneumonia", "signs of dehydration", "blood pressure in pregnancy")


class Figures(BaseModel):
    """Seconds that each step took in one run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    add: float
    open: float
    first_search: float
    search: float
    refresh: float


def measured(place: Place) -> Figures:
    """Add a pack to an empty place, then open, search and refresh it as another program would."""
    pack = next(pack for pack in starter_packs() if pack.name == _PACK)
    add = _seconds(lambda: KnowledgeStore(place, LetterEmbedder()).add(pack))
    opening = _seconds(lambda: KnowledgeStore(place, LetterEmbedder()))
    store = KnowledgeStore(place, LetterEmbedder())
    asked = (_QUESTIONS[0], *_QUESTIONS)
    first, *following = (_seconds(partial(_search, store, question)) for question in asked)
    return Figures(add=add, open=opening, first_search=first, search=median(following), refresh=_seconds(store.refresh))


def _search(store: KnowledgeStore, question: str) -> None:
    search(store, [question], languages=None, today=date.today(), relevance=0)


def _seconds(step: Callable[[], object]) -> float:
    started = time.monotonic()
    step()
    return time.monotonic() - started


def table(folder: list[Figures], bucket: list[Figures]) -> Iterator[str]:
    """The lines of a Markdown table: the median of every step in both places, in milliseconds."""
    yield f"| median of {len(folder)}, ms | folder | bucket |"
    yield "|---|---:|---:|"
    for step in Figures.model_fields:
        here, there = (median(getattr(run, step) for run in runs) * 1000 for runs in (folder, bucket))
        yield f"| {step.replace('_', ' ')} | {here:.0f} | {there:.0f} |"


def main() -> None:
    """Measure both in turn, run by run."""
    given = _arguments()
    folder, bucket = [], []
    with tempfile.TemporaryDirectory() as root:
        measured(LocalFolder(Path(root) / "warm"))
        for run in range(given.runs):
            folder.append(measured(LocalFolder(Path(root) / str(run))))
            location = f"{given.location.rstrip('/')}/{uuid4().hex}"
            chosen = KnowledgeSettings.model_validate({"location": location, "endpoint": given.endpoint})
            bucket.append(measured(place_of(chosen, Path(root))))
    print("\n".join(table(folder, bucket)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A knowledge base in a folder and in a bucket, side by side.")
    parser.add_argument("--location", required=True, help="s3://BUCKET/PREFIX; the bucket must be there")
    parser.add_argument("--endpoint", required=True, help="the address of the storage")
    parser.add_argument("--runs", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
