"""Whether cases that are played again look as they did, text and page, byte for byte.

`python -m tests.ui.replays --cases 200` argues short cases with the small test model as the page does, and plays each
from its record. A measurement of many cases, beside `test_playback.py`, which has the rules.
"""

import argparse
import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from autogen_core import CancellationToken

from agents.consultation import Chunk, Outcome, Progress
from agents.messages import Case
from agents.retold import Ended, case_of, told
from agents.settings import load_settings
from agents.workspace import Workspace
from evaluation.short_cases import case, furnish, settings
from ui.board import Board
from ui.translation import translation


class Seen(NamedTuple):
    """A case as it was seen: its text by agent and phase, and the last state of the page."""

    said: dict[tuple[str, str], bytes]
    panels: dict[str, str]


def seen(asked: Case, shown: Iterable[Progress | Ended], workspace: Workspace) -> Seen:
    """What a page shows of all this."""
    board = Board(translation(asked.language), asked.language, workspace.archive.document_text)
    said: dict[tuple[str, str], bytes] = {}
    for progress in shown:
        board.take(progress)
        if isinstance(progress, Chunk):
            key = progress.agent, progress.phase
            said[key] = said.get(key, b"") + progress.text.encode()
    return Seen(said, board.panels())


async def is_replayed(workspace: Workspace, number: int) -> bool:
    """Argue a case, and compare what was shown with what its record shows."""
    asked = case(number)
    live = [p async for p in workspace.consult(asked, CancellationToken(), shown=asked.language)]
    assert isinstance(live[-1], Outcome)
    events = list(workspace.transcripts.events(live[-1].transcript_id))
    again = [shown.progress for shown in told(events) if shown.progress is not None]
    return case_of(events) == asked and seen(asked, live, workspace) == seen(asked, again, workspace)


async def measure(models: Path, cases: int, home: Path) -> int:
    """How many of so many cases look the same."""
    chosen = settings(models, home)
    furnish(chosen)
    with Workspace(chosen) as workspace:
        return sum([await is_replayed(workspace, number) for number in range(cases)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.ui.replays", description=str(__doc__).partition("\n\n")[0])
    parser.add_argument("--models-folder", type=Path, default=load_settings().models_folder)
    parser.add_argument("--cases", type=int, default=200)
    given = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="coreasoner-replays-") as home:
        same = asyncio.run(measure(given.models_folder, given.cases, Path(home)))
    print(f"{same} of {given.cases} transcripts replayed byte for byte, text and page")


if __name__ == "__main__":
    main()
