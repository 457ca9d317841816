"""Whether every citation that is shown can be opened and proved: `python -m evaluation.citations --data FOLDER`.

The guidelines that ship and a folder of PDFs are added to a store, the questions on them are asked as the product
asks, and each passage that comes back is followed to its document: span, hash, page and section. Knows no models but
the embedder.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from agents.guidelines import Guidelines, RetrievalSettings
from agents.messages import Case, CitedPassage, FusedChain
from agents.settings import load_settings
from evaluation.collection import starter_guidelines
from evaluation.retrieval import STARTER, open_embedder
from knowledge.document import Section
from knowledge.errors import KnowledgeError
from knowledge.folder import StoreFolder
from knowledge.passage import Passage, passage_id, text_hash
from knowledge.search import CANDIDATES
from knowledge.store import KnowledgeStore

_KEPT = 5
_NO_CONCEPTS = FusedChain(strategy="grounded", threshold=0.0, concepts=())
_BEGINNING = 80  # characters of a passage that are asked for


class Asked(NamedTuple):
    """A question in a language."""

    language: str
    text: str


class Followed(NamedTuple):
    """A citation that was shown, and what was wrong with it; nothing where it resolves."""

    pack: str
    paged: bool
    problems: tuple[str, ...]


def follow(store: KnowledgeStore, cited: CitedPassage) -> Followed:
    """Follow a citation as whoever opens it does, from its id to its place in the stored document."""
    passage = cited.passage
    try:
        problems = tuple(_problems(store, passage))
    except KnowledgeError as error:
        problems = (str(error),)
    return Followed(passage.pack, passage.page is not None, problems)


def _problems(store: KnowledgeStore, passage: Passage) -> Iterator[str]:
    document = StoreFolder(store.folder).kept.document(passage.document)
    text = store.document_text(passage.document)
    entries = {entry.sha256: entry for entry in store.pack(passage.pack).manifest.documents}
    if passage.document not in entries:
        yield "the pack's manifest doesn't list its document"
    if text[passage.start : passage.end] != passage.text:
        yield "the document has another text in its span"
    if text_hash(passage.text) != passage.sha256:
        yield "its text doesn't have its hash"
    if passage_id(passage.document, passage.start, passage.end) != passage.id:
        yield "its id isn't that of its place"
    if document is None or document.page_of(passage.start) != passage.page:
        yield "it doesn't start on its page"
    titles = (entries[passage.document].title,) if passage.document in entries else ()
    if document is None or passage.section not in _paths(document.sections, passage.start, titles):
        yield "it doesn't stand under its headings"


def _paths(sections: Iterable[Section], start: int, titles: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The headings over a place, with the document's own title and without it."""
    for section in sections:
        if section.start <= start < section.end:
            yield section.path
            if section.path[:1] == titles:
                yield section.path[1:]


def followed(store: KnowledgeStore, questions: Iterable[Asked], relevance: float, typical: float) -> Iterator[Followed]:
    """Ask each question as a case without concepts, and follow all that would be shown."""
    settings = RetrievalSettings(
        query_mode="question", candidates=CANDIDATES, kept=_KEPT, relevance=relevance, typical=typical
    )
    guidelines = Guidelines(store, settings, date.today())
    for asked in questions:
        case = Case(text=asked.text, language=asked.language, language_found="given")
        for cited in guidelines.evidence(case, asked.text, _NO_CONCEPTS).passages:
            yield follow(store, cited)


def starter_questions() -> Iterator[Asked]:
    """The questions on the guidelines that ship, in each of their languages."""
    for question in starter_guidelines(STARTER).questions:
        yield from (Asked(language, text) for language, text in question.texts.items())


def beginnings(store: KnowledgeStore, pack: str) -> Iterator[Asked]:
    """The first words of each passage of a pack, as a question: each is cited at least once."""
    yield from (Asked(p.language, p.text[:_BEGINNING]) for p in store.passages(pack) if any(map(str.isalnum, p.text)))


def table(found: Sequence[Followed]) -> Iterator[str]:
    """Markdown: citations shown and resolved, by pack, then each problem with its number."""
    yield "| pack | citations shown | with a page | resolved |\n|---|---|---|---|"
    for name in (*dict.fromkeys(one.pack for one in found), "all"):
        own = [one for one in found if name in (one.pack, "all")]
        resolved = sum(not one.problems for one in own)
        share = f"{resolved} ({resolved / len(own):.1%})" if own else "0"
        yield f"| {name} | {len(own)} | {sum(one.paged for one in own)} | {share} |"
    problems = [problem for one in found for problem in one.problems]
    yield from (f"\n{problem}: {problems.count(problem)}" for problem in dict.fromkeys(problems))


def main(given: Sequence[str] | None = None) -> None:
    """Add, ask, follow, print."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.citations", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of shared data")
    parser.add_argument("--models-folder", type=Path, default=load_settings().models_folder)
    arguments = parser.parse_args(given)
    embedder = open_embedder(arguments.models_folder)
    with tempfile.TemporaryDirectory(prefix="coreasoner-citations-") as temporary:
        store = KnowledgeStore(Path(temporary) / "store", embedder)
        for pack in sorted(path.parent for path in STARTER.glob("*/pack.toml")):
            store.add(pack)
        papers = shutil.copytree(arguments.data / "documents" / "pdf", Path(temporary) / "papers")
        store.add(Path(papers), identify=lambda text: "en")
        questions = [*starter_questions(), *beginnings(store, "papers")]
        limits = embedder.thresholds
        for line in table(list(followed(store, questions, limits.relevance, limits.typical))):
            print(line)


if __name__ == "__main__":
    main()
