"""The page of a review: a clinician opens it with a code, reads two answers to a case, and rates both.

Which system wrote which answer never reaches the browser. Knows nothing of how tasks are drawn or ratings kept.
"""

from collections.abc import Callable, Sequence
from html import escape
from string import Template
from typing import Any

import gradio as gr
from pydantic import ValidationError

from agents.retold import case_of
from agents.workspace import Workspace
from evaluation.assignment import Task
from evaluation.errors import EvaluationError, RatingRefused
from evaluation.review import AXES, MAX_NOTE, SCALE, Review, Scores
from knowledge.errors import KnowledgeError
from transcripts.errors import TranscriptError
from transcripts.event import Event, EventKind
from ui import cards, review_cards
from ui.documents import documents_of
from ui.page import blank, launch, spoken
from ui.panels import Update, page_words
from ui.translation import Translation

_SIDES = ("left", "right")
_TITLES = {"left": "first_answer", "right": "second_answer"}
_CODE = "code"  # in the address that a rater is given


class ReviewPage:
    """The page over one review, for any number of raters at once."""

    def __init__(self, workspace: Workspace, review: Review) -> None:
        self._workspace, self._review = workspace, review
        self.blocks, self.i18n = blank(), spoken()
        with self.blocks:
            self._lay_out()
            self._connect()

    def _lay_out(self) -> None:
        say = self.i18n
        # Unlike what is forgotten when a browser goes, these outlast the sleep of a phone.
        self._rater, self._task = gr.State(), gr.State()
        self._header = gr.HTML(elem_id="header")
        with gr.Row(elem_id="door") as self._door:
            self._code = gr.Textbox(label=say("review_code"), elem_id="code", scale=3, max_length=80)
            self._enter = gr.Button(say("review_begin"), variant="primary", elem_id="enter", min_width=120)
        self._said = gr.HTML(elem_id="review-said")
        with gr.Column(visible=False, elem_id="review") as self._pair:
            self._case = gr.HTML(elem_id="asked")
            with gr.Row(elem_id="answers", elem_classes="lanes"):
                self._answers: dict[str, gr.HTML] = {}
                self._scores: dict[str, list[gr.Radio]] = {}
                for side in _SIDES:
                    self._lay_out_side(side)
            with gr.Group(elem_id="verdict"):
                choices: list[tuple[Any, str]] = [(say(_TITLES[side]), side) for side in _SIDES]
                self._preferred = gr.Radio([*choices, (say("no_preference"), "neither")], label=say("preferred"))
                self._note = gr.Textbox(label=say("note"), lines=1, max_lines=6, max_length=MAX_NOTE)
                self._send = gr.Button(say("send"), variant="primary", elem_id="send-rating")
            self._fault = gr.HTML(elem_id="review-fault")

    def _lay_out_side(self, side: str) -> None:
        with gr.Column(min_width=320, elem_classes=["board", "rated"], elem_id=f"{side}-side"):
            self._answers[side] = gr.HTML(elem_id=f"{side}-answer")
            with gr.Group():
                self._scores[side] = [
                    gr.Radio(list(SCALE), label=self.i18n(axis), elem_id=f"{side}-{axis}", elem_classes="scale")
                    for axis in AXES
                ]

    def _connect(self) -> None:
        shown = [self._rater, self._task, self._door, self._said, *self._shown]

        def on(trigger: Any, then: Callable[..., Update], given: Sequence[gr.blocks.Block]) -> None:
            trigger(then, list(given), shown, api_visibility="private", show_progress="hidden", trigger_mode="once")

        loaded = self.blocks.load(self._greet, None, [self._header, self._code], api_visibility="private")
        on(loaded.then, self._begin, [self._code])
        on(self._enter.click, self._begin, [self._code])
        on(self._code.submit, self._begin, [self._code])
        given = [self._rater, self._task, *self._scores["left"], *self._scores["right"], self._preferred, self._note]
        on(self._send.click, self._send_rating, given)

    @property
    def _shown(self) -> list[gr.blocks.Block]:
        scores = [score for side in _SIDES for score in self._scores[side]]
        return [self._pair, self._case, *self._answers.values(), *scores, self._preferred, self._note, self._fault]

    def _greet(self, request: gr.Request) -> tuple[str, str]:
        words = page_words(request)
        head = f'<div class="masthead"><h1>{escape(words["review"])}</h1></div>'
        notice = f'<p class="notice" role="note">{escape(words["rating_scale"])}</p>'
        return f"{head}{notice}", str(dict(request.query_params).get(_CODE, ""))

    def _begin(self, code: str, request: gr.Request) -> Update:
        words = page_words(request)
        if not (code or "").strip():
            return {self._said: ""}
        try:
            rater = self._review.rater(code)
        except EvaluationError:
            return {self._said: cards.status(words["review_unknown"], "fault"), self._pair: gr.Column(visible=False)}
        return {self._rater: rater.name, **self._next(words, rater.name)}

    def _next(self, words: Translation, rater: str) -> Update:
        """The next pair of this rater, with nothing chosen yet; what can't be shown is passed over and told."""
        left, faults = self._review.left(rater), []
        total = len(self._review.assignments.of(rater))
        for task in left:
            try:
                shown = self._pair_of(task, words)
            except (TranscriptError, KnowledgeError, ValidationError) as error:
                faults.append(cards.status(str(error), "fault"))
                continue
            told = Template(words["review_progress"]).substitute(done=total - len(left), total=total)
            return {**shown, self._task: task, self._said: "".join([cards.status(told), *faults])}
        said = [cards.status(words["review_finished"])] if not left else faults
        closed: Update = {self._door: gr.Row(visible=False), self._pair: gr.Column(visible=False)}
        return {**closed, self._task: None, self._said: "".join(said)}

    def _pair_of(self, task: Task, words: Translation) -> Update:
        records = {
            side: self._events(voice.transcript) for side, voice in zip(_SIDES, (task.left, task.right), strict=True)
        }
        asked = case_of(records["left"])
        sides: Update = {
            self._answers[side]: review_cards.side(words, _TITLES[side], events, documents_of(self._workspace))
            for side, events in records.items()
        }
        empty: Update = {score: gr.Radio(value=None) for side in _SIDES for score in self._scores[side]}
        chosen: Update = {self._preferred: gr.Radio(value=None), self._note: "", self._fault: ""}
        case = review_cards.case(words, asked) if asked else ""
        door: Update = {self._door: gr.Row(visible=False), self._pair: gr.Column(visible=True), self._case: case}
        return {**door, **sides, **empty, **chosen}

    def _events(self, consultation: str) -> list[Event]:
        """A record, proved; that it is looked at is on it."""
        record = self._workspace.transcripts
        record.verify(consultation)
        record.annotate(consultation, EventKind.VIEWED, {"by": "review", "as": "blinded"})
        return list(record.events(consultation))

    def _send_rating(self, request: gr.Request, rater: str | None, task: Task | None, *given: Any) -> Update:
        words = page_words(request)
        *scores, preferred, note = given
        if rater is None or task is None:
            return {self._fault: cards.status(words["session_ended"], "fault")}
        if preferred is None or None in scores:
            return {self._fault: cards.status(words["rate_everything"], "fault")}
        try:
            left, right = (_scores(scores[start : start + len(AXES)]) for start in (0, len(AXES)))
            self._review.rate(
                task, left, right, preferred, (note or "")[:MAX_NOTE].strip(), self._workspace.transcripts
            )
        except RatingRefused:
            return self._next(words, rater)  # rated in another window
        except (TranscriptError, ValidationError) as error:
            return {self._fault: cards.status(str(error), "fault")}
        return self._next(words, rater)


def _scores(values: Sequence[int]) -> Scores:
    return Scores.model_validate(dict(zip(AXES, values, strict=True)))


def serve(workspace: Workspace, review: Review, host: str, port: int) -> None:
    """Serve the page until interrupted. Raises ReviewBusy."""
    page = ReviewPage(workspace, review)
    with review.writing():
        launch(page.blocks, page.i18n, host, port, more_css="review.css")
