"""The board: what the page shows of one case, panel by panel, while it is argued or played again.

The same values make the same bytes, so a replay shows what was shown. Knows nothing of Gradio, nor where values come
from.
"""

from agents.consultation import Chunk, Outcome, Progress
from agents.messages import Alarm, Alignment, Answer, Argument, Evidence, Rebuttal, Side
from agents.reasoner import listing
from agents.retold import Ended
from ui import cards
from ui.cards import DocumentText
from ui.refusal import queued
from ui.translation import Translation
from ui.waiting_room import Wait

PANELS = ("alarm", "status", "english", "local", "answer", "chain", "evidence")

_SIDES: dict[str, Side] = {"EnglishReasoner": "english", "LocalClinician": "local"}
_TITLES: dict[Side, str] = {"english": "english_reasoner", "local": "local_clinician"}


class Board:
    """The panels of one case in `language`; `document_text` opens the document of a passage."""

    def __init__(self, words: Translation, language: str | None, document_text: DocumentText) -> None:
        self.words = words
        self._document_text = document_text
        self._languages: dict[Side, str | None] = {"english": "en", "local": language}
        self._text: dict[Side, str] = {"english": "", "local": ""}
        self._phase: dict[Side, str] = {"english": "waiting", "local": "waiting"}
        self._extra: dict[Side, str] = {"english": "", "local": ""}
        self._answering: dict[Side, str] = {"english": "", "local": ""}
        self._evidence: Evidence | None = None
        self._status = words["waiting"]
        self._fault = ""
        self._made = dict.fromkeys(PANELS, "")
        self._seen: dict[str, str] = {}

    def take(self, progress: Progress | Ended) -> None:
        """Keep what it changes."""
        match progress:
            case Alarm():
                self._made["alarm"] = cards.alarm(progress)
            case Chunk():
                self._chunk(progress)
            case Argument():
                self._argument(progress)
            case Alignment():
                self._alignment(progress)
            case Rebuttal():
                self._rebuttal(progress)
            case Answer():
                self._made["answer"] = cards.answer(self.words, progress, self._evidence)
            case Outcome():
                self._outcome(progress)
            case Ended():
                self.stop(progress.reason)

    def line_up(self, wait: Wait) -> None:
        """The case waits for others, or for nothing any more."""
        self._status = queued(self.words, wait) if wait.cases else self.words["waiting"]

    def stop(self, reason: str = "") -> None:
        """Nothing is waited for any more: somebody stopped it, or `reason` is what went wrong."""
        self._phase = {
            side: phase if phase in ("done", "unavailable") else "waiting" for side, phase in self._phase.items()
        }
        self._status, self._fault = reason or self.words["stopped"], "fault" if reason else ""

    def panels(self) -> dict[str, str]:
        """The HTML of all panels."""
        return {
            **self._made,
            "status": cards.status(self._status, self._fault),
            "english": self.lane("english"),
            "local": self.lane("local"),
        }

    def changes(self) -> dict[str, str]:
        """The HTML of those panels that are not as they were at the last call."""
        panels = self.panels()
        changed = {name: html for name, html in panels.items() if self._seen.get(name) != html}
        self._seen = panels
        return changed

    def drawn_as(self, other: "Board") -> None:
        """What was drawn of another board is what stands on the page."""
        self._seen = other._seen

    def lane(self, side: Side) -> str:
        """One side's panel."""
        extra, language = self._extra[side], self._languages[side]
        if self._answering[side]:
            reason = str(listing(self._answering[side], cut=True).get("reason", ""))
            extra += cards.answering(self.words, reason, language)
        return cards.lane(self.words, _TITLES[side], self._phase[side], self._text[side], language, extra)

    def _chunk(self, chunk: Chunk) -> None:
        if side := _SIDES.get(chunk.agent):
            self._phase[side] = chunk.phase
            self._status = self.words["rebuttal" if chunk.phase == "rebuttal" else "reasoning"]
            if chunk.phase == "reasoning":
                self._text[side] += chunk.text
            elif chunk.phase == "rebuttal":
                self._answering[side] += chunk.text

    def _argument(self, argument: Argument) -> None:
        side = argument.reasoning.side
        self._phase[side] = "done" if argument.reasoning.status == "argued" else "unavailable"
        # Without what was asked for anew; what was said until a model failed stays.
        self._text[side] = argument.reasoning.text or self._text[side]
        self._extra[side] = cards.argument_details(self.words, argument)
        self._wait()

    def _rebuttal(self, rebuttal: Rebuttal) -> None:
        self._phase[rebuttal.side], self._answering[rebuttal.side] = "done", ""
        self._extra[rebuttal.side] += cards.rebuttal(self.words, rebuttal)
        self._wait()

    def _wait(self) -> None:
        if all(phase in ("done", "unavailable") for phase in self._phase.values()):
            self._status = self.words["aligning"]

    def _alignment(self, alignment: Alignment) -> None:
        self._status = self.words["answering"]
        self._evidence = alignment.evidence
        self._made["chain"] = cards.fused_chain(self.words, alignment)
        self._made["evidence"] = cards.evidence(self.words, alignment, self._document_text)

    def _outcome(self, outcome: Outcome) -> None:
        self._status = f"{self.words['done']} · {outcome.seconds:.0f} s"
        again = cards.alarm(outcome.red_flags)
        shown = cards.answer(self.words, outcome.answer, self._evidence, outcome.transcript_id)
        self._made["answer"] = f"{again}{shown}"
