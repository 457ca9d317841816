"""The chat: one page of Gradio Blocks over a workspace. Shows a case while it is argued; Stop stops the model.

Static labels follow the browser's language through gr.I18n, what the server writes follows the same header.
Knows nothing of how a case is argued.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from importlib.resources import files
from typing import Any

import gradio as gr
from autogen_core import CancellationToken

from agents.consultation import Chunk, Outcome, Progress, first_look, prepare
from agents.errors import CaseError
from agents.languages import languages
from agents.messages import MAX_CASE_CHARACTERS, Alignment, Answer, Argument, Case, Evidence, Rebuttal, Side
from agents.missing import missing
from agents.reasoner import listing
from knowledge.errors import KnowledgeError
from models.errors import ModelError
from transcripts.errors import TranscriptError
from ui import cards
from ui.errors import InterfaceError
from ui.translation import Translation, preferred, translation, translations
from ui.workspace import Workspace

_REDRAW_S = 0.12
_SIDES: dict[str, Side] = {"EnglishReasoner": "english", "LocalClinician": "local"}
_TITLES: dict[Side, str] = {"english": "english_reasoner", "local": "local_clinician"}
_ERRORS = (CaseError, KnowledgeError, ModelError, TranscriptError, InterfaceError, OSError)
_DETECT = ""

Update = dict[gr.blocks.Block, Any]


class Board:
    """What the page shows of one running case."""

    def __init__(self, words: Translation, case: Case | None) -> None:
        self.words = words
        self._languages: dict[Side, str | None] = {"english": "en", "local": case.language if case else None}
        self._text: dict[Side, str] = {"english": "", "local": ""}
        self._phase: dict[Side, str] = {"english": "waiting", "local": "waiting"}
        self._extra: dict[Side, str] = {"english": "", "local": ""}
        self._answering: dict[Side, str] = {"english": "", "local": ""}
        self.status = ""
        self.evidence: Evidence | None = None

    def take(self, progress: Progress) -> None:
        """Keep what changes the lanes and the status."""
        match progress:
            case Chunk():
                self._chunk(progress)
            case Argument():
                side = progress.reasoning.side
                self._phase[side] = "done" if progress.reasoning.status == "argued" else "unavailable"
                self._extra[side] = cards.argument_details(self.words, progress)
                self._wait()
            case Rebuttal():
                self._phase[progress.side], self._answering[progress.side] = "done", ""
                self._extra[progress.side] += cards.rebuttal(self.words, progress)
                self._wait()
            case Alignment():
                self.status = self.words["answering"]
                self.evidence = progress.evidence
            case Outcome():
                self.status = f"{self.words['done']} · {progress.seconds:.0f} s"

    def _chunk(self, chunk: Chunk) -> None:
        if side := _SIDES.get(chunk.agent):
            self._phase[side] = chunk.phase
            self.status = self.words["rebuttal" if chunk.phase == "rebuttal" else "reasoning"]
            if chunk.phase == "reasoning":
                self._text[side] += chunk.text
            elif chunk.phase == "rebuttal":
                self._answering[side] += chunk.text

    def _wait(self) -> None:
        if all(phase in ("done", "unavailable") for phase in self._phase.values()):
            self.status = self.words["aligning"]

    def stop(self) -> None:
        """Nothing is waited for any more."""
        self._phase = {
            side: phase if phase in ("done", "unavailable") else "waiting" for side, phase in self._phase.items()
        }

    def lane(self, side: Side) -> str:
        """One side's panel."""
        extra, language = self._extra[side], self._languages[side]
        if self._answering[side]:
            extra += cards.answering(
                self.words, str(listing(self._answering[side], cut=True).get("reason", "")), language
            )
        return cards.lane(self.words, _TITLES[side], self._phase[side], self._text[side], language, extra)


class Chat:
    """The page's events over one workspace, for any number of browsers."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._running: dict[str, CancellationToken] = {}
        self.blocks = gr.Blocks(title="Med-CoReasoner", analytics_enabled=False, fill_width=True)
        self.i18n = gr.I18n(**{code: dict(words) for code, words in translations().items()})
        with self.blocks:
            self._lay_out()
            self._connect()

    def _lay_out(self) -> None:
        say = self.i18n
        self._header = gr.HTML(elem_id="header")
        self._case = gr.Textbox(
            label=say("case"),
            placeholder=say("case_placeholder"),
            lines=4,
            max_lines=12,
            max_length=MAX_CASE_CHARACTERS,
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
        self._alarm = gr.HTML(elem_id="alarm")
        self._status = gr.HTML(elem_id="status")
        with gr.Row(equal_height=True, elem_id="lanes"):
            self._english_lane = gr.HTML(elem_id="english-lane", min_width=300)
            self._local_lane = gr.HTML(elem_id="local-lane", min_width=300)
        self._answer = gr.HTML(elem_id="answer")
        self._chain = gr.HTML(elem_id="chain")
        self._evidence = gr.HTML(elem_id="evidence")

    def _connect(self) -> None:
        lanes = [self._english_lane, self._local_lane]
        self.blocks.load(self._greet, None, [self._header, *lanes], api_visibility="private")
        shown = [*lanes, self._answer, self._chain, self._evidence, self._status, self._ask, self._stop]
        asked = [self._case, self._language, self._english, self._options, self._hypothesis]
        asking = [self._ask.click, self._case.submit]
        # Not queued: a red flag does not wait for other cases, nor for a model.
        gr.on(
            asking,
            self._look,
            [self._case, self._language],
            [self._alarm],
            queue=False,
            api_visibility="private",
            show_progress="hidden",
        )
        gr.on(
            asking,
            self._argue,
            asked,
            shown,
            api_visibility="private",
            show_progress="hidden",
            concurrency_limit=self._workspace.settings.chat.cases_at_once,
            trigger_mode="once",
        )
        self._stop.click(self._halt, None, [self._stop], queue=False, api_visibility="private", show_progress="hidden")

    def _greet(self, request: gr.Request) -> tuple[str, str, str]:
        words = _words(request)
        models = self._workspace.loaded()
        names = [model.name for model in models if model.role != "embedder"]
        demonstration = any(model.demonstration for model in models)
        board = Board(words, None)
        code = preferred(request.headers.get("accept-language", ""))
        lacking = [missing(part, code, reason) for part, reason in self._workspace.lacking.items()]
        shown = cards.header(words, names, demonstration=demonstration, lacking=lacking)
        return shown, board.lane("english"), board.lane("local")

    def _look(self, text: str, language: str) -> str:
        settings = self._workspace.settings
        local = settings.local_language or None
        looked = first_look(text or "", spoken=language or None, configured=settings.languages, local=local)
        return cards.alarm(looked)

    async def _argue(
        self, text: str, language: str, english: str, options: str, hypothesis: str, request: gr.Request
    ) -> AsyncGenerator[Update, None]:
        words = _words(request)
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
            yield {self._status: cards.status(str(error), "fault")}
            return
        board = Board(words, case)
        token = self._running[request.session_hash or ""] = CancellationToken()
        yield self._begun(board)
        try:
            async for update in self._watch(case, board, token, request.username):
                yield update
        except asyncio.CancelledError:
            board.stop()
            yield {**self._lanes(board), self._status: cards.status(words["stopped"])}
        except _ERRORS as error:
            board.stop()
            yield {**self._lanes(board), self._status: cards.status(str(error), "fault")}
        finally:
            token.cancel()
            self._running.pop(request.session_hash or "", None)
        yield {self._ask: gr.Button(interactive=True), self._stop: gr.Button(interactive=False)}

    async def _watch(
        self, case: Case, board: Board, token: CancellationToken, subject: str | None
    ) -> AsyncGenerator[Update, None]:
        drawn = 0.0
        async for progress in self._workspace.consult(case, token, subject):
            board.take(progress)
            now = time.monotonic()
            if isinstance(progress, Chunk) and now - drawn < _REDRAW_S:
                continue
            drawn = now
            yield {**self._lanes(board), self._status: cards.status(board.status), **self._finished(progress, board)}

    def _finished(self, progress: Progress, board: Board) -> Update:
        words = board.words
        match progress:
            case Alignment():
                return {
                    self._chain: cards.fused_chain(words, progress),
                    self._evidence: cards.evidence(words, progress, self._document_text),
                }
            case Answer():
                return {self._answer: cards.answer(words, progress, board.evidence)}
            case Outcome():
                again = cards.alarm(progress.red_flags)
                shown = cards.answer(words, progress.answer, board.evidence, progress.transcript_id)
                return {self._answer: f"{again}{shown}"}
        return {}

    def _document_text(self, digest: str) -> str:
        return self._workspace.archive.document_text(digest)

    def _begun(self, board: Board) -> Update:
        return {
            **self._lanes(board),
            self._answer: "",
            self._chain: "",
            self._evidence: "",
            self._status: cards.status(board.words["waiting"]),
            self._ask: gr.Button(interactive=False),
            self._stop: gr.Button(interactive=True),
        }

    def _lanes(self, board: Board) -> Update:
        return {self._english_lane: board.lane("english"), self._local_lane: board.lane("local")}

    def _halt(self, request: gr.Request) -> Update:
        if token := self._running.get(request.session_hash or ""):
            token.cancel()
        return {self._stop: gr.Button(interactive=False)}


def _words(request: gr.Request) -> Translation:
    return translation(preferred(request.headers.get("accept-language", "")))


def theme() -> gr.themes.Base:
    """System fonts only: a hospital's machine reaches no font server."""
    fonts = [
        "system-ui",
        "Segoe UI",
        "Noto Sans",
        "Noto Sans CJK JP",
        "Noto Sans Arabic",
        "Noto Sans Thai",
        "sans-serif",
    ]
    return gr.themes.Base(primary_hue="blue", font=fonts, font_mono=["ui-monospace", "monospace"])


def serve(workspace: Workspace, host: str, port: int) -> None:
    """Serve the page until interrupted."""
    chat = Chat(workspace)
    folder = files("ui")
    chat.blocks.queue(max_size=workspace.settings.engine.queue_length, api_open=False)
    chat.blocks.launch(
        server_name=host,
        server_port=port,
        i18n=chat.i18n,
        theme=theme(),
        css=folder.joinpath("chat.css").read_text("utf-8"),
        js=folder.joinpath("chat.js").read_text("utf-8"),
        footer_links=[],
        show_error=False,
        share=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
    )
