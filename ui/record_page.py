"""The record in the browser: an auditor opens a consultation and watches it again, on the panels that showed it.

Opening one proves it, and is put on its record. Knows nothing of how events are stored or told.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

import gradio as gr

from agents.retold import case_of
from agents.workspace import Workspace
from transcripts.consultation import Verified
from transcripts.errors import CheckpointAltered, TranscriptAltered, TranscriptError
from transcripts.event import Event, EventKind
from ui import record_cards
from ui.board import Board
from ui.documents import documents_of
from ui.panels import REDRAW_S, Update, lay_out_panels, page_language, page_words
from ui.playback import Playback
from ui.translation import Translation, translation

_PAGE = 20
_SPEEDS = (1.0, 4.0)
_AT_ONCE = 0.0


class RecordPage:
    """A list of consultations, one of them open for each browser, and the controls that play it."""

    def __init__(self, workspace: Workspace, say: gr.I18n, tab: gr.Tab) -> None:
        self._workspace = workspace
        self._open: dict[str, Playback] = {}
        self._oldest: dict[str, str] = {}
        self._lay_out(say)
        self._connect(tab)

    def _lay_out(self, say: gr.I18n) -> None:
        self._list = gr.Radio([], label=say("consultations"), elem_id="consultations")
        with gr.Row(elem_id="pages"):
            self._newest = gr.Button(say("newest"), size="sm", min_width=80)
            self._older = gr.Button(say("older"), size="sm", min_width=80)
        self._unlisted = gr.HTML(elem_id="unlisted")
        self._proof = gr.HTML(elem_id="proof")
        with gr.Column(visible=False, elem_id="replay", elem_classes="board") as self._replay:
            with gr.Row(elem_id="player"):
                speeds: list[tuple[Any, float]] = [(f"{speed:.0f}×", speed) for speed in _SPEEDS]
                choices = [*speeds, (say("at_once"), _AT_ONCE)]
                self._speed = gr.Radio(choices, value=_SPEEDS[0], label=say("speed"), elem_id="speed", min_width=220)
                self._play = gr.Button(say("play"), variant="primary", elem_id="play", min_width=90)
                self._pause = gr.Button(say("pause"), elem_id="pause", min_width=90)
                self._step = gr.Button(say("step"), elem_id="step", min_width=90)
            self._place = gr.Slider(0, 1, value=0, step=1, label=say("go_to_event"), elem_id="place")
            self._event = gr.HTML(elem_id="event")
            with gr.Accordion(say("bare_event"), open=False, elem_id="bare"):
                self._bare = gr.HTML()
            self._panels = lay_out_panels("replay-")

    def _connect(self, tab: gr.Tab) -> None:
        def on(trigger: Any, then: Callable[..., Any], given: Any, shown: list[gr.blocks.Block], **more: Any) -> None:
            trigger(then, given, shown, api_visibility="private", show_progress="hidden", **more)

        moved: list[gr.blocks.Block] = [self._place, self._event, self._bare, *self._panels.values()]
        listed: list[gr.blocks.Block] = [self._list, self._unlisted]
        on(tab.select, self._list_newest, None, listed)
        on(self._newest.click, self._list_newest, None, listed)
        on(self._older.click, self._list_older, None, listed)
        on(self._list.input, self._begin, [self._list], [self._proof, self._replay, *moved])
        on(self._play.click, self._run, [self._speed], moved, concurrency_limit=None)
        on(self._pause.click, self._halt, None, [], queue=False)
        on(self._step.click, self._go_on, None, moved)
        on(self._place.input, self._jump, [self._place], moved, trigger_mode="always_last")

    def forget(self, request: gr.Request) -> None:
        """The browser has gone."""
        self._close(request)
        self._oldest.pop(request.session_hash or "", None)

    def _close(self, request: gr.Request) -> None:
        # What still plays would go on drawing on the panels of the next one.
        if former := self._open.pop(request.session_hash or "", None):
            former.pause()

    def _list_newest(self, request: gr.Request) -> Update:
        return self._listed(None, request)

    def _list_older(self, request: gr.Request) -> Update:
        return self._listed(self._oldest.get(request.session_hash or ""), request)

    def _listed(self, before: str | None, request: gr.Request) -> Update:
        words = page_words(request)
        try:
            found = self._workspace.transcripts_of(request.username).consultations(_PAGE, before)
        except TranscriptError as error:
            return {self._unlisted: record_cards.fault(error)}
        if found:
            self._oldest[request.session_hash or ""] = found[-1].id
        choices = [(record_cards.line(words, summary), summary.id) for summary in found]
        return {self._list: gr.Radio(choices, value=None), self._unlisted: ""}

    def _begin(self, consultation: str, request: gr.Request) -> Update:
        self._close(request)
        words = page_words(request)
        events, found = self._proved(consultation, request)
        sound = record_cards.sound(events, found)
        playback = Playback(sound, lambda: self._board(sound, request))
        self._open[request.session_hash or ""] = playback
        place = gr.Slider(0, max(1, len(sound) - 1), value=0)
        return {
            self._proof: record_cards.proof(words, events, found),
            self._replay: gr.Column(visible=bool(sound)),
            **self._drawn(playback, words),
            self._place: place,
        }

    def _proved(self, consultation: str, request: gr.Request) -> tuple[list[Event], Verified | TranscriptError]:
        """The events of a consultation and whether they are as written; that they are looked at is on its record."""
        record = self._workspace.transcripts_of(request.username)
        try:
            record.verify(consultation)
            # Read once before it is said that they were read: whoever may not is stopped here.
            list(record.events(consultation))
            record.annotate(consultation, EventKind.VIEWED, {"by": "chat", "as": "replay"})
            return list(record.events(consultation)), record.verify(consultation)
        except (TranscriptAltered, CheckpointAltered) as error:
            # What was altered is left as it is.
            with suppress(TranscriptError):
                return list(record.events(consultation)), error
            return [], error
        except TranscriptError as error:
            return [], error

    def _board(self, events: Any, request: gr.Request) -> Board:
        """An empty board in the language of the page on which the case was shown, where that is known."""
        shown = next((str(event.body.get("shown") or "") for event in events if event.kind is EventKind.MODEL), "")
        case = case_of(events)
        return Board(
            translation(shown or page_language(request)), case.language if case else None, documents_of(self._workspace)
        )

    async def _run(self, speed: float, request: gr.Request) -> AsyncGenerator[Update, None]:
        if playback := self._playback(request):
            words = page_words(request)
            async for _ in playback.play(speed, REDRAW_S):
                yield self._drawn(playback, words)

    def _halt(self, request: gr.Request) -> None:
        if playback := self._playback(request):
            playback.pause()

    def _go_on(self, request: gr.Request) -> Update:
        if playback := self._playback(request):
            playback.step()
            return self._drawn(playback, page_words(request))
        return {self._place: gr.skip()}

    def _jump(self, seq: float, request: gr.Request) -> Update:
        if playback := self._playback(request):
            playback.jump(int(seq))
            return {**self._drawn(playback, page_words(request)), self._place: gr.skip()}
        return {self._place: gr.skip()}

    def _playback(self, request: gr.Request) -> Playback | None:
        return self._open.get(request.session_hash or "")

    def _drawn(self, playback: Playback, words: Translation) -> Update:
        event = playback.event
        panels: Update = {self._panels[name]: html for name, html in playback.board.changes().items()}
        return {
            **panels,
            self._event: record_cards.place(words, event, len(playback.events)),
            self._bare: record_cards.bare(event),
            self._place: gr.Slider(value=event.seq if event else 0),
        }
