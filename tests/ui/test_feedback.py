"""What a clinician thinks of an answer: on its record, or a sentence that says why not.

All tests are coroutines, since Gradio makes an event loop, and leaves it open, where none runs.
"""

from collections.abc import Iterator
from pathlib import Path

import fastapi
import gradio as gr
import pytest

from agents.settings import load_settings
from agents.workspace import Workspace
from tests.ui.recorded import record
from transcripts.event import EventKind
from ui.feedback import Feedback
from ui.page import spoken
from ui.translation import translation

WORDS = translation("en")
REQUEST = gr.Request(fastapi.Request({"type": "http", "headers": [(b"accept-language", b"en")]}), session_hash="one")


@pytest.fixture
def workspace(no_settings: Path) -> Iterator[Workspace]:
    with Workspace(load_settings()) as opened:
        yield opened


def said(workspace: Workspace, rating: str | None, consultation: str | None) -> str:
    with gr.Blocks(analytics_enabled=False):
        feedback = Feedback(workspace, spoken())
    update = feedback._record(rating, "", consultation, REQUEST)
    return "".join(value for value in update.values() if isinstance(value, str))


async def test_a_rating_is_put_on_the_record(workspace: Workspace) -> None:
    consultation = record(workspace.transcripts)[0]

    assert WORDS["feedback_recorded"] in said(workspace, "helpful", consultation)
    assert list(workspace.transcripts.events(consultation))[-1].kind is EventKind.FEEDBACK


async def test_without_a_choice_one_is_asked_for(workspace: Workspace) -> None:
    assert WORDS["choose_rating"] in said(workspace, None, record(workspace.transcripts)[0])


async def test_a_page_that_was_forgotten_says_so_and_not_that_nothing_was_chosen(workspace: Workspace) -> None:
    assert WORDS["session_ended"] in said(workspace, "helpful", None)
