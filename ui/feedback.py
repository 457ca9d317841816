"""What a clinician thinks of an answer, put on its record.

Shown once there is an answer. Knows nothing of how it came about.
"""

from typing import Any

import gradio as gr

from agents.workspace import Workspace
from transcripts.errors import TranscriptError
from transcripts.event import EventKind
from ui import cards
from ui.panels import Update, page_words

RATINGS = ("helpful", "wrong", "dangerous")
MAX_NOTE = 2000  # characters


class Feedback:
    """A rating and a note on the last answer of each browser."""

    def __init__(self, workspace: Workspace, say: gr.I18n) -> None:
        self._workspace = workspace
        # Unlike what is forgotten when a browser goes, this outlasts the sleep of a phone.
        self._answered = gr.State()
        with gr.Group(visible=False, elem_id="feedback") as self._group:
            choices: list[tuple[Any, str]] = [(say(rating), rating) for rating in RATINGS]
            self._rating = gr.Radio(choices, label=say("feedback"))
            self._note = gr.Textbox(label=say("note"), lines=1, max_lines=6, max_length=MAX_NOTE)
            self._send = gr.Button(say("send"), elem_id="send-feedback")
        self._said = gr.HTML(elem_id="feedback-said")
        self._send.click(
            self._record,
            [self._rating, self._note, self._answered],
            [self._group, self._said],
            api_visibility="private",
            show_progress="hidden",
        )

    @property
    def blocks(self) -> tuple[gr.blocks.Block, ...]:
        """What the functions here change."""
        return self._group, self._rating, self._note, self._said, self._answered

    def hidden(self) -> Update:
        """There is no answer yet."""
        return {self._group: gr.Group(visible=False), self._said: "", self._answered: None}

    def asked_about(self, consultation: str) -> Update:
        """An answer is there to be judged."""
        empty: Update = {self._rating: None, self._note: "", self._said: ""}
        return {**empty, self._group: gr.Group(visible=True), self._answered: consultation}

    def _record(self, rating: str | None, note: str, consultation: str | None, request: gr.Request) -> Update:
        words = page_words(request)
        if consultation is None:
            return {self._said: cards.status(words["session_ended"], "fault")}
        if rating not in RATINGS:
            return {self._said: cards.status(words["choose_rating"], "fault")}
        body = {"by": "chat", "rating": rating, "note": (note or "")[:MAX_NOTE].strip()}
        try:
            event = self._workspace.transcripts_of(request.username).annotate(consultation, EventKind.FEEDBACK, body)
        except TranscriptError as error:
            return {self._said: cards.status(str(error), "fault")}
        said = f"{words['feedback_recorded']} {consultation} · {event.seq}"
        return {self._group: gr.Group(visible=False), self._said: cards.status(said)}
