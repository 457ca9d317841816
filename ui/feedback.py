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
        self._answered: dict[str, str] = {}
        with gr.Group(visible=False, elem_id="feedback") as self._group:
            choices: list[tuple[Any, str]] = [(say(rating), rating) for rating in RATINGS]
            self._rating = gr.Radio(choices, label=say("feedback"))
            self._note = gr.Textbox(label=say("note"), lines=1, max_lines=6, max_length=MAX_NOTE)
            self._send = gr.Button(say("send"), elem_id="send-feedback")
        self._said = gr.HTML(elem_id="feedback-said")
        self._send.click(
            self._record,
            [self._rating, self._note],
            [self._group, self._said],
            api_visibility="private",
            show_progress="hidden",
        )

    @property
    def blocks(self) -> tuple[gr.blocks.Block, ...]:
        """What the functions here change."""
        return self._group, self._rating, self._note, self._said

    def hidden(self) -> Update:
        """There is no answer yet."""
        return {self._group: gr.Group(visible=False), self._said: ""}

    def asked_about(self, consultation: str, request: gr.Request) -> Update:
        """An answer is there to be judged."""
        self._answered[request.session_hash or ""] = consultation
        return {self._group: gr.Group(visible=True), self._rating: None, self._note: "", self._said: ""}

    def forget(self, request: gr.Request) -> None:
        """The browser has gone."""
        self._answered.pop(request.session_hash or "", None)

    def _record(self, rating: str | None, note: str, request: gr.Request) -> Update:
        words, consultation = page_words(request), self._answered.get(request.session_hash or "")
        if consultation is None or rating not in RATINGS:
            return {self._said: cards.status(words["choose_rating"], "fault")}
        body = {"by": "chat", "rating": rating, "note": (note or "")[:MAX_NOTE].strip()}
        try:
            event = self._workspace.transcripts_of(request.username).annotate(consultation, EventKind.FEEDBACK, body)
        except TranscriptError as error:
            return {self._said: cards.status(str(error), "fault")}
        said = f"{words['feedback_recorded']} {consultation} · {event.seq}"
        return {self._group: gr.Group(visible=False), self._said: cards.status(said)}
