"""HTML of a review: the case, and one of two answers with its trace folded away. No system is named anywhere.

Built from a record, with the cards of the chat; everything that people, guidelines and models wrote is escaped. What
would tell a system all the same (how long it took, the record's id, why a part was missing) is left out. Knows nothing
of Gradio.
"""

from collections.abc import Sequence
from html import escape

from agents.consultation import Chunk, Outcome
from agents.messages import Alignment, Answer, Argument, Case, Evidence, FusedChain
from agents.retold import case_of, told
from transcripts.event import Event, EventKind
from ui import cards
from ui.board import Board
from ui.cards import DocumentText
from ui.translation import Translation

_LANES = {"EnglishReasoner": "english", "LocalClinician": "local"}
_NO_CHAIN = FusedChain(strategy="none", threshold=1.0, concepts=())


def case(words: Translation, asked: Case) -> str:
    """The case as it was asked, with its options or the statement to be judged."""
    listed = "".join(f'<li dir="auto">{escape(option)}</li>' for option in asked.options)
    options = f'<ol type="A" class="options">{listed}</ol>' if listed else ""
    hypothesis = (
        f"<h3>{escape(words['hypothesis'])}</h3>{cards.text_block(asked.hypothesis, asked.language)}"
        if asked.hypothesis
        else ""
    )
    text = cards.text_block(asked.text, asked.language)
    return f'<section class="lane asked"><h2>{escape(words["case"])}</h2>{text}{options}{hypothesis}</section>'


def side(words: Translation, title: str, events: Sequence[Event], document_text: DocumentText) -> str:
    """An answer under its title (a key of the translation), and how it came about."""
    asked = case_of(events)
    board = Board(words, asked.language if asked else None, document_text)
    spoken: dict[str, str] = {}
    evidence: Evidence | None = _evidence(events)
    answer: Answer | None = None
    for shown in told(events):
        match shown.progress:
            case Outcome():
                pass  # it names the record and how long it took
            case Chunk() as chunk:
                board.take(chunk)
                if chunk.phase == "reasoning":
                    spoken[chunk.agent] = spoken.get(chunk.agent, "") + chunk.text
            case Answer() as answer:
                pass
            case Argument() as argued:
                unexplained = argued.reasoning.model_copy(update={"reason": ""})
                board.take(argued.model_copy(update={"reasoning": unexplained}))
            case Alignment() as alignment:
                board.take(alignment.model_copy(update={"evidence": _unexplained(alignment.evidence)}))
            case progress if progress is not None:
                board.take(progress)
    given = cards.answer(words, _alike(answer), evidence) if answer else cards.status(words["no_answer"], "fault")
    trace = _trace(words, board, spoken, evidence, document_text, _apart(words, answer) if answer else "")
    return f'<div class="reviewed"><h2 class="side">{escape(words[title])}</h2>{given}{trace}</div>'


def _alike(answer: Answer) -> Answer:
    """An answer as any system may have given it: only a team disagrees, or does without one of its parts."""
    return answer.model_copy(update={"disagreement": None, "against": "", "missing": ()})


def _apart(words: Translation, answer: Answer) -> str:
    """The rest of it, without reasons: they may say that a part was left out for this very evaluation."""
    parts = [part.model_copy(update={"reason": ""}) for part in answer.missing]
    return f"{cards.disagreement(answer)}{cards.missing(words, parts)}"


def _unexplained(evidence: Evidence) -> Evidence:
    return evidence.model_copy(update={"reason": ""})


def _trace(
    words: Translation,
    board: Board,
    spoken: dict[str, str],
    evidence: Evidence | None,
    document_text: DocumentText,
    apart: str,
) -> str:
    """What was said, the concepts and the passages, folded."""
    panels = board.panels()
    lanes = [
        f'<div class="{_LANES[agent]}-lane">{panels[_LANES[agent]]}</div>'
        if agent in _LANES
        else cards.lane(words, "model", "done", text, None)
        for agent, text in spoken.items()
    ]
    found = panels["evidence"]
    if not found and evidence:
        alone = Alignment(fused=_NO_CHAIN, evidence=evidence, disagreement=None, spans=())
        found = cards.evidence(words, alone, document_text)
    return (
        f'<details class="trace"><summary>{escape(words["trace_of_answer"])}</summary>'
        f"{''.join(lanes)}{apart}{panels['chain']}{found}</details>"
    )


def _evidence(events: Sequence[Event]) -> Evidence | None:
    """The passages that were found last; also by a system that fuses nothing."""
    found = [event for event in events if event.kind is EventKind.RETRIEVAL]
    return _unexplained(Evidence.model_validate(found[-1].body)) if found else None
