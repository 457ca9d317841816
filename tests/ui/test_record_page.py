"""The second tab without a browser: what its events answer over a real record.

All tests are coroutines, since Gradio makes an event loop, and leaves it open, where none runs.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import fastapi
import gradio as gr
import pytest

from agents.settings import load_settings
from agents.workspace import Workspace
from tests.ui.recorded import record
from transcripts.event import EventKind
from ui.page import spoken
from ui.panels import Update
from ui.record_page import RecordPage
from ui.translation import translation

WORDS = translation("en")


@pytest.fixture
def workspace(no_settings: Path) -> Iterator[Workspace]:
    with Workspace(load_settings()) as opened:
        yield opened


class Auditor:
    """Somebody at the page, perhaps logged in; answers are by element id."""

    def __init__(self, workspace: Workspace, name: str | None = None) -> None:
        with gr.Blocks(analytics_enabled=False), gr.Tab() as tab:
            self.page = RecordPage(workspace, spoken(), tab)
        browser = fastapi.Request({"type": "http", "headers": [(b"accept-language", b"en")]})
        self.request = gr.Request(browser, username=name, session_hash="one")

    def opens(self, consultation: str) -> dict[str, object]:
        return by_id(self.page._begin(consultation, self.request))

    def lists(self) -> dict[str, object]:
        return by_id(self.page._list_newest(self.request))


def alter(workspace: Workspace, sql: str) -> None:
    """Run SQL as someone would who holds the record and has dropped every trigger."""
    with closing(sqlite3.connect(workspace.settings.transcripts_file)) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.executescript(sql)


def by_id(update: Update) -> dict[str, object]:
    return {str(block.elem_id): value for block, value in update.items()}


async def test_what_played_stops_when_another_is_opened(workspace: Workspace) -> None:
    auditor = Auditor(workspace)
    first, second = (record(workspace.transcripts, language)[0] for language in ("en", "ja"))
    auditor.opens(first)
    playing = auditor.page._run(1.0, auditor.request)
    await anext(playing)

    auditor.opens(second)

    assert [update async for update in playing] == []


async def test_what_played_stops_when_the_browser_goes(workspace: Workspace) -> None:
    auditor = Auditor(workspace)
    auditor.opens(record(workspace.transcripts)[0])
    playing = auditor.page._run(1.0, auditor.request)
    await anext(playing)

    auditor.page.forget(auditor.request)

    assert [update async for update in playing] == []


async def test_whoever_opens_a_consultation_is_on_its_record(workspace: Workspace) -> None:
    consultation = record(workspace.transcripts)[0]

    proof = str(Auditor(workspace).opens(consultation)["proof"])

    assert 'data-state="whole"' in proof
    assert WORDS["trace_viewed"] in proof
    assert [event.kind for event in workspace.transcripts.events(consultation)].count(EventKind.VIEWED) == 1


async def test_what_was_altered_is_called_so_and_left_as_it_is(workspace: Workspace) -> None:
    consultation = record(workspace.transcripts)[0]
    count = len(list(workspace.transcripts.events(consultation)))
    alter(workspace, "UPDATE events SET body = '{}' WHERE kind = 'answer'")

    assert WORDS["altered"] in str(Auditor(workspace).opens(consultation)["proof"])
    assert len(list(workspace.transcripts.events(consultation))) == count


async def test_whoever_may_not_read_is_told_so_and_is_not_said_to_have_read(workspace: Workspace) -> None:
    consultation = record(workspace.transcripts)[0]

    shown = Auditor(workspace, "mallory").opens(consultation)

    assert 'data-state="unproved"' in str(shown["proof"])
    assert "may not read" in str(shown["proof"])
    assert WORDS["altered"] not in str(shown["proof"])
    assert EventKind.VIEWED not in {event.kind for event in workspace.transcripts.events(consultation)}


async def test_an_erased_consultation_is_listed_and_says_when_it_was_erased_and_why(workspace: Workspace) -> None:
    consultation = record(workspace.transcripts)[0]
    workspace.transcripts.erase(consultation, reason="kept for 10 years")
    auditor = Auditor(workspace)

    ((line, _),) = auditor.lists()["consultations"].choices  # type: ignore[attr-defined]  # Gradio's update
    proof = str(auditor.opens(consultation)["proof"])

    assert WORDS["status_erased"] in line
    assert "was erased under retention" in proof
    assert "kept for 10 years" in proof


async def test_a_list_that_cannot_be_read_says_why(workspace: Workspace) -> None:
    record(workspace.transcripts)
    alter(workspace, "UPDATE consultations SET started = 'never'")

    assert "was altered" in str(Auditor(workspace).lists()["unlisted"])


async def test_whoever_may_not_list_is_told_so(workspace: Workspace) -> None:
    assert "may not list" in str(Auditor(workspace, "mallory").lists()["unlisted"])
