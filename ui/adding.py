"""Taking guidelines in from the command line: progress, and questions where nothing says whose documents are.

Knows neither commands nor what is printed in the end.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from agents.languages import identify
from agents.workspace import Workspace
from knowledge.pack import Manifest, remembered, restated, same_documents
from knowledge.shipped import starter_packs
from knowledge.store import AddSummary, KnowledgeStore
from ui import pack_questions
from ui.terminal import plain


class Bar:
    """Shows how far something is, on a terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("reading", total=None)

    def __call__(self, label: str, done: int, total: int) -> None:
        self._progress.update(self._task, description=plain(label), completed=done, total=total)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to somebody else."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()


@contextmanager
def progress() -> Iterator[Bar]:
    """A bar while something goes on, that leaves nothing behind."""
    # Where nobody watches, rich would still write an empty line.
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
        yield Bar(shown)


def add_documents(workspace: Workspace, path: Path, given: Mapping[str, str], *, ask: bool = False) -> AddSummary:
    """Add a pack, a folder or a document; what is `given` of a manifest counts where there is none.

    `ask`: a person sits at the terminal, and is asked for the rest of what can't be inferred.
    """
    found = workspace.settings.languages
    with progress() as bar:

        def complete(inferred: Manifest) -> Manifest:
            former = _former(workspace.store, inferred.name)
            manifest = restated(remembered(inferred, former), given)
            if not ask or (former and same_documents(inferred, former)):
                return manifest
            with bar.paused():
                return pack_questions.asked(manifest, given)

        return workspace.store.add(
            path,
            language=given.get("language"),
            identify=lambda text: identify(text, found) or "en",
            complete=complete,
            progress=bar,
        )


def _former(store: KnowledgeStore, name: str) -> Manifest | None:
    """What the pack of that name states that is there already."""
    return next((pack.manifest for pack in store.list_packs() if pack.manifest.name == name), None)


def add_starter(workspace: Workspace) -> None:
    """Add the guidelines that ship with the product; those that are there already stay as they are."""
    for pack in starter_packs():
        add_documents(workspace, pack, {})
