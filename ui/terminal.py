"""What a terminal shows while a case is argued: both arguments side by side, then chain, evidence and answer.

Everything printed comes from models, guidelines or people, so it is shown as plain text, never as markup.
"""

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agents.conclusions import named
from agents.consultation import Chunk, Outcome, Progress
from agents.languages import phrase
from agents.messages import Alarm, Alignment, Answer, Argument, CitedPassage, FusedConcept, Rebuttal
from agents.polarity import Polarity
from ui.translation import Translation

_LANES = {"EnglishReasoner": "english_reasoner", "LocalClinician": "local_clinician"}
_SHOWN_LINES = 14
_CONTROL = dict.fromkeys([*(code for code in range(32) if code not in (9, 10)), *range(127, 160), 0x202D, 0x202E])


def plain(text: str) -> str:
    """Text without control characters and overrides of the direction, which could drive or deceive the terminal."""
    return text.translate(_CONTROL)


def show_alarm(console: Console, alarm: Alarm) -> None:
    """Print the red flags of a case: what it may be, the words that say so, what to do, and whom to call."""
    lines = [Text(plain(alarm.call), style="bold")]
    for flag in alarm.flags:
        lines.append(Text(f"\n{plain(flag.name)}: «{plain(flag.words)}»", style="bold red"))
        lines.append(Text(plain(flag.action)))
        lines.append(Text(plain(flag.source), style="dim"))
    lines.append(Text(f"\n{plain(alarm.note)}", style="dim"))
    console.print(Panel(Group(*lines), title=escape(plain(alarm.title)), border_style="bold red"))


class TerminalView:
    """Shows a running consultation; its red flags have been shown before it began, and come again with the answer.

    `live` draws both lanes as they grow; otherwise parts are printed when done.
    """

    def __init__(self, console: Console, words: Translation, *, live: bool) -> None:
        self._console, self._words = console, words
        self._texts = dict.fromkeys(_LANES, "")
        self._phases = dict.fromkeys(_LANES, "waiting")
        self._live = Live(console=console, refresh_per_second=8, transient=True) if live else None
        if self._live:
            self._live.start()

    def take(self, progress: Progress) -> None:
        """Show one piece of progress."""
        match progress:
            case Chunk():
                self._chunk(progress)
            case Argument():
                self._argument(progress)
            case Alignment():
                self._alignment(progress)
            case Rebuttal():
                self._rebuttal(progress)
            case Answer():
                self._status("answer", progress.text and "done")
            case Outcome():
                self.close()
                self._answer(progress)

    def close(self) -> None:
        """Stop drawing."""
        if self._live:
            self._live.stop()
            self._live = None

    def _chunk(self, chunk: Chunk) -> None:
        if chunk.agent in self._texts:
            self._phases[chunk.agent] = chunk.phase
            if chunk.phase == "reasoning":
                self._texts[chunk.agent] += plain(chunk.text)
        if self._live:
            self._live.update(self._lanes() if chunk.agent in self._texts else Text(self._words["answering"]))

    def _lanes(self) -> RenderableType:
        width = max(20, (self._console.width - 4) // 2)
        panels = [
            Panel(
                Text("\n".join(self._texts[agent].splitlines()[-_SHOWN_LINES:])),
                title=f"{self._words[title]} · {self._words[self._phases[agent]]}",
                width=width,
            )
            for agent, title in _LANES.items()
        ]
        return Columns(panels, padding=(0, 1))

    def _status(self, title: str, key: str) -> None:
        if key and not self._live:
            self._console.print(Text(f"{self._words[title]}: {self._words[key]}"), style="dim")

    def _argument(self, argument: Argument) -> None:
        title = "english_reasoner" if argument.reasoning.side == "english" else "local_clinician"
        body = plain(argument.reasoning.text) or f"{self._words['unavailable']}: {plain(argument.reasoning.reason)}"
        reasoning = argument.reasoning
        said = [plain(self._said(concept.name, concept.polarity)) for concept in argument.chain.concepts]
        chain = " → ".join(said) or self._words["no_concepts"]
        parts = [Text(body), Text(f"\n{chain}", style="italic")]
        if reasoning.conclusion:
            parts.append(
                Text(f"\n{self._words['conclusion']}: {plain(named(reasoning.conclusion, reasoning.meaning))}")
            )
        if reasoning.fault:
            parts.append(Text(f"\n{plain(reasoning.fault)}", style="yellow"))
        if reasoning.rendering_faults:
            wrong = " · ".join(fault.words for fault in reasoning.rendering_faults)
            parts.append(Text(f"\n{self._words['rendering_faults']}: {plain(wrong)}", style="yellow"))
        self._print(Panel(Group(*parts), title=self._words[title]))

    def _rebuttal(self, rebuttal: Rebuttal) -> None:
        title = "english_reasoner" if rebuttal.side == "english" else "local_clinician"
        decision = self._words["held" if rebuttal.decision == "hold" else "revised"]
        lines = [Text(plain(rebuttal.reason or rebuttal.fault))]
        if rebuttal.decision == "revise":
            lines += [Text(f"{self._words['before']}: {plain(rebuttal.before)}", style="dim")]
            lines += [Text(f"{self._words['conclusion']}: {plain(rebuttal.conclusion)}")]
        self._print(Panel(Group(*lines), title=f"{self._words[title]} · {decision}"))

    def _alignment(self, alignment: Alignment) -> None:
        table = Table(title=self._words["fused_chain"], show_header=False, expand=True)
        for concept in (*alignment.fused.concepts, *alignment.fused.aside):
            name = self._said(_name(concept), concept.polarity)
            table.add_row(Text(plain(name)), Text(self._words[concept.status]), Text(_cosine(concept.similarity)))
        self._print(table)
        for found in alignment.fused.contradictions:
            sides = ((found.english, found.english_polarity), (found.local, found.local_polarity))
            body = " ≠ ".join(f"{plain(name)} ({self._words[polarity]})" for name, polarity in sides)
            self._print(Text(f"{self._words['contradictions']}: {body}", style="yellow"))

    def _said(self, name: str, polarity: Polarity) -> str:
        return name if polarity == "present" else f"{name} ({self._words[polarity]})"

    def _answer(self, outcome: Outcome) -> None:
        words, answer = self._words, outcome.answer
        if outcome.red_flags:
            show_alarm(self._console, outcome.red_flags)
        for passage in outcome.alignment.evidence.passages:
            if passage.relevant:
                self._console.print(self._passage(passage))
        if held := outcome.alignment.evidence.withheld:
            self._console.print(Text(f"{words['withheld']}: {len(held)}"), style="yellow")
        if answer.disagreement:
            title = phrase("disagreement", answer.language)
            self._console.print(Panel(Text(plain(answer.disagreement.told)), title=title, border_style="yellow"))
        if answer.against:
            self._console.print(Text(plain(answer.against), style="yellow"))
        for part in answer.missing:
            self._console.print(Text(f"{words['missing']}: {plain(part.text)} {plain(part.reason)}"), style="yellow")
        title = words["answer"] if answer.mode == "synthesized" else words[answer.mode]
        self._console.print(Panel(Text(plain(answer.text)), title=title, border_style="green"))
        if answer.conclusion:
            self._console.print(self._concluded(answer))
        for sentence in answer.unsupported:
            self._console.print(Text(f"{words['unsupported']}: {plain(sentence)}"), style="yellow")
        self._console.print(Text(words["decision_support"]), style="dim")
        self._console.print(
            Text(f"{words['transcript']} {outcome.transcript_id} · {outcome.seconds:.1f} s"), style="dim"
        )

    def _concluded(self, answer: Answer) -> Text:
        said = Text(f"{self._words['conclusion']}: {plain(named(answer.conclusion, answer.meaning))}", style="bold")
        if answer.conclusion in answer.unsupported:
            said.append(f" · {self._words['unsupported']}", style="yellow")
        return said

    def _passage(self, cited: CitedPassage) -> RenderableType:
        passage = cited.passage
        flags = [self._words["expired"]] if cited.expired else []
        flags += [self._words["demonstration_material"]] if passage.demonstration else []
        marks = [Text(" · ".join(flags), style="yellow")] if flags else []
        source = " / ".join((passage.document_title, *passage.section))
        title = f"[{cited.number}] {source} · {passage.publisher}, {passage.edition} ({passage.jurisdiction})"
        body = Group(*marks, Text(plain(passage.text)))
        return Panel(body, title=escape(plain(title)), title_align="left", border_style="blue")

    def _print(self, renderable: RenderableType) -> None:
        (self._live.console if self._live else self._console).print(renderable)


def _name(concept: FusedConcept) -> str:
    return f"{concept.name} = {concept.local_name}" if concept.local_name else concept.name


def _cosine(similarity: float | None) -> str:
    return "" if similarity is None else f"{similarity:.2f}"
