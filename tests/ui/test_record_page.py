"""The second tab without a browser: what its events answer over a real record."""

from collections.abc import Iterator
from pathlib import Path

import fastapi
import gradio as gr
import pytest

from agents.settings import load_settings
from agents.workspace import Workspace
from tests.ui.recorded import record
from ui.page import spoken
from ui.panels import Update
from ui.record_page import RecordPage


@pytest.fixture
def workspace(no_settings: Path) -> Iterator[Workspace]:
    with Workspace(load_settings()) as opened:
        yield opened


class Auditor:
    """Somebody at the page; answers are by element id."""

    def __init__(self, workspace: Workspace) -> None:
        with gr.Blocks(analytics_enabled=False), gr.Tab() as tab:
            self.page = RecordPage(workspace, spoken(), tab)
        browser = fastapi.Request({"type": "http", "headers": [(b"accept-language", b"en")]})
        self.request = gr.Request(browser, session_hash="one")

    def opens(self, consultation: str) -> dict[str, object]:
        return by_id(self.page._begin(consultation, self.request))


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
