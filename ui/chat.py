"""The chat: one page of Gradio Blocks over a workspace. Shows a case while it is argued; Stop stops the model.

Static labels follow the browser's language through gr.I18n, what the server writes follows the same header.
Knows nothing of how a case is argued.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

import gradio as gr
from autogen_core import CancellationToken

from agents.consultation import Chunk, Outcome, first_look, prepare, unwatched
from agents.errors import CaseError, InstallationError
from agents.languages import languages
from agents.messages import Alignment, Case
from agents.missing import missing
from agents.workspace import Workspace
from knowledge.errors import KnowledgeError
from models.errors import ModelError
from transcripts.errors import TranscriptError
from ui import cards
from ui.board import Board
from ui.documents import documents_of
from ui.errors import RoomFull
from ui.feedback import Feedback
from ui.page import blank, launch, spoken
from ui.panels import REDRAW_S, Update, lay_out_panels, page_language, page_words
from ui.record_page import RecordPage
from ui.refusal import full, refusal
from ui.translation import Translation
from ui.waiting_room import Turn, WaitingRoom

_ERRORS = (CaseError, KnowledgeError, ModelError, TranscriptError, InstallationError, OSError)
_DETECT = ""


class Chat:
    """The page's events over one workspace, for any number of browsers."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._running: dict[str, CancellationToken] = {}
        settings = workspace.settings
        self._room = WaitingRoom(settings.chat.cases_at_once, settings.engine.queue_length)
        self.blocks, self.i18n = blank(), spoken()
        with self.blocks:
            self._lay_out()
            self._connect()

    def _lay_out(self) -> None:
        say = self.i18n
        self._header = gr.HTML(elem_id="header")
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(say("case"), elem_id="case-tab"), gr.Column(elem_classes="board"):
                self._lay_out_case()
            with gr.Tab(say("record"), elem_id="record-tab") as tab:
                self._record = RecordPage(self._workspace, say, tab)

    def _lay_out_case(self) -> None:
        say = self.i18n
        self._case = gr.Textbox(
            label=say("case"),
            placeholder=say("case_placeholder"),
            lines=4,
            max_lines=12,
            autofocus=True,
            elem_id="case",
        )
        choices: list[tuple[Any, str]] = [(say("language_auto"), _DETECT)]
        choices += [(entry.native, code) for code, entry in languages().items()]
        with gr.Row(elem_id="actions"):
            self._language = gr.Dropdown(
                choices, value=_DETECT, label=say("language"), elem_id="language", scale=3, min_width=200
            )
            self._ask = gr.Button(say("ask"), variant="primary", elem_id="ask", scale=2, min_width=120)
            self._stop = gr.Button(say("stop"), variant="stop", elem_id="stop", interactive=False, min_width=100)
        with gr.Accordion(say("more"), open=False):
            self._english = gr.Textbox(label=say("english_rendering"), lines=2, elem_id="english")
            self._options = gr.Textbox(label=say("options"), lines=2, elem_id="options")
            self._hypothesis = gr.Textbox(label=say("hypothesis"), lines=2, elem_id="hypothesis")
        self._panels = lay_out_panels()
        self._feedback = Feedback(self._workspace, say)

    def _connect(self) -> None:
        lanes = [self._panels["english"], self._panels["local"]]
        self.blocks.load(self._greet, None, [self._header, *lanes], api_visibility="private")
        cleared = [*self._panels.values(), *self._feedback.blocks]
        more = [self._english, self._options, self._hypothesis]
        # Not queued: a red flag does not wait for other cases, nor for a model.
        looked = gr.on(
            [self._ask.click, self._case.submit],
            self._look,
            [self._case, self._language],
            cleared,
            queue=False,
            api_visibility="private",
            show_progress="hidden",
        )
        looked.then(
            self._argue,
            [self._case, self._language, *more],
            [*cleared, *more, self._ask, self._stop],
            api_visibility="private",
            show_progress="hidden",
            concurrency_limit=None,  # who waits is told so, in the waiting room
            trigger_mode="once",
        )
        self.blocks.unload(self._record.forget)
        self._stop.click(self._halt, None, [self._stop], queue=False, api_visibility="private", show_progress="hidden")

    def _greet(self, request: gr.Request) -> tuple[str, str, str]:
        words = page_words(request)
        models = self._workspace.loaded()
        names = [model.name for model in models if model.role != "embedder"]
        demonstration = any(model.demonstration for model in models)
        board = self._board(words, None)
        lacking = [missing(part, page_language(request), why) for part, why in self._workspace.lacking.items()]
        shown = cards.header(words, names, demonstration=demonstration, lacking=lacking)
        return shown, board.lane("english"), board.lane("local")

    def _board(self, words: Translation, language: str | None) -> Board:
        return Board(words, language, documents_of(self._workspace))

    def _look(self, text: str, language: str, request: gr.Request) -> Update:
        """The red flags of what was typed, and nothing any more of the case before; a running case stays as it is."""
        if (request.session_hash or "") in self._running:
            return {self._panels["alarm"]: gr.skip()}
        empty = self._board(page_words(request), None).panels()
        panels: Update = {self._panels[name]: html for name, html in empty.items()}
        return {**panels, **self._feedback.hidden(), self._panels["alarm"]: self._red_flags(text, language)}

    def _red_flags(self, text: str, language: str) -> str:
        settings = self._workspace.settings
        local = settings.local_language or None
        looked = first_look(text or "", spoken=language or None, configured=settings.languages, local=local)
        told = unwatched(text or "", spoken=language or None, configured=settings.languages, local=local)
        return cards.alarm(looked) + cards.note(told)

    async def _argue(
        self, text: str, language: str, english: str, options: str, hypothesis: str, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        words = page_words(request)
        listed = [line.strip() for line in (options or "").splitlines() if line.strip()]
        settings = self._workspace.settings
        try:
            case = prepare(
                text or "",
                spoken=language or None,
                english=english,
                options=listed,
                hypothesis=hypothesis,
                configured=settings.languages,
                local=settings.local_language or None,
            )
        except CaseError as error:
            yield {self._panels["status"]: cards.status(refusal(words, error), "fault")}
            return
        try:
            turn = self._room.line_up()
        except RoomFull as error:
            yield {self._panels["status"]: cards.status(full(words, error), "fault")}
            return
        with turn:
            async for update in self._take_turn(turn, case, text, language, request):
                yield update

    async def _take_turn(
        self, turn: Turn, case: Case, text: str, language: str, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        """The case, when it is its turn."""
        words = page_words(request)
        board = self._board(words, case.language)
        token = self._running[request.session_hash or ""] = CancellationToken()
        yield {**self._drawn(board), **self._taken(text, language), **self._buttons(running=True)}
        try:
            async for wait in turn.wait(token):
                board.line_up(wait)
                if update := self._drawn(board):  # Gradio takes no empty one
                    yield update
            async for update in self._watch(case, board, token, request):
                yield update
        except asyncio.CancelledError:
            board.stop()
            yield {**self._drawn(board), **self._buttons(running=False)}
        except _ERRORS as error:
            board.stop(str(error))
            yield {**self._drawn(board), **self._buttons(running=False)}
        finally:
            token.cancel()
            self._running.pop(request.session_hash or "", None)
        yield self._buttons(running=False)

    async def _watch(
        self, case: Case, board: Board, token: CancellationToken, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        drawn = 0.0
        async for progress in self._workspace.consult(
            case, token, subject=request.username, shown=page_language(request)
        ):
            if isinstance(progress, Alignment):
                await asyncio.to_thread(board.take, progress)  # it opens documents, which may lie on a server
            else:
                board.take(progress)
            now = time.monotonic()
            if isinstance(progress, Chunk) and now - drawn < REDRAW_S:
                continue
            drawn = now
            if update := self._drawn(board):
                yield update
            if isinstance(progress, Outcome):
                yield self._feedback.asked_about(progress.transcript_id)

    def _taken(self, text: str, language: str) -> Update:
        """What was given beside a case is not left lying there for the next patient's."""
        # Somebody may have typed and asked again while this case waited for its turn.
        flags: Update = {self._panels["alarm"]: self._red_flags(text, language), **self._feedback.hidden()}
        return {**flags, self._english: "", self._options: "", self._hypothesis: ""}

    def _drawn(self, board: Board) -> Update:
        # The red flags have their own way to the page, which waits for nothing.
        return {self._panels[name]: html for name, html in board.changes().items() if name != "alarm"}

    def _buttons(self, *, running: bool) -> Update:
        return {self._ask: gr.Button(interactive=not running), self._stop: gr.Button(interactive=running)}

    def _halt(self, request: gr.Request) -> Update:
        if token := self._running.get(request.session_hash or ""):
            token.cancel()
        return {self._stop: gr.Button(interactive=False)}


def serve(workspace: Workspace, host: str, port: int) -> None:
    """Serve the page until interrupted."""
    chat = Chat(workspace)
    launch(chat.blocks, chat.i18n, host, port, user_header=workspace.settings.chat.user_header)
