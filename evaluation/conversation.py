"""A co-reasoned answer as one conversation: the case as one model is asked it, answered with what the team made of it.

The question has the form in which the systems `direct` and `rag` ask, so that a student meets again what it learnt.
Knows nothing of which traces are worth it.
"""

import hashlib
from importlib.resources import files
from string import Template

from agents import marks
from agents.conclusions import admitted, stating
from agents.languages import language
from agents.messages import CitedPassage
from agents.quotation import quoted
from agents.reasoner import case_text, to_argue
from evaluation.asking import prompt
from evaluation.metrics.language import language_of
from evaluation.trace import Trace
from models.chat_template import ChatMessage


def conversation(trace: Trace, passages: int) -> list[ChatMessage]:
    """The case as one model is asked it, with the passages that the answer cites, and what the team made of it."""
    case = trace.outcome.case
    question, shown = case_text(case.text, case.options, case.hypothesis), _shown(trace, passages)
    if shown:
        # A mark of its own for each, so that a student learns what it is and not how it looks; the same every time.
        with marks.given(hashlib.sha256(trace.prediction.transcript_id.encode()).hexdigest()[:16]):
            quotation, mark = quoted(shown)
        question = prompt("passages", passages=quotation, mark=mark, question=question)
    asked = prompt("direct", instruction=language(case.language).instruction)
    return [
        ChatMessage(role="system", content=asked),
        ChatMessage(role="user", content=to_argue(question, case, case.language)),
        ChatMessage(role="assistant", content=_answer(trace)),
    ]


def _shown(trace: Trace, room: int) -> tuple[CitedPassage, ...]:
    """All passages that are cited, and of the others the best, as far as there is room; by number."""
    relevant = trace.outcome.alignment.evidence.relevant
    cited = {number for claim in trace.outcome.answer.claims for number in claim.passages}
    best = sorted(relevant, key=lambda passage: (passage.number not in cited, passage.number))
    return tuple(sorted(best[: max(room, len(cited))], key=lambda passage: passage.number))


def _answer(trace: Trace) -> str:
    answer, fused = trace.outcome.answer, trace.outcome.alignment.fused
    parts = {
        "reasoning": _reasoning(trace),
        "chain": " → ".join(concept.local_name or concept.name for concept in fused.concepts),
        "answer": answer.text,
        "conclusion": stating(answer.conclusion) if admitted(trace.outcome.case) else answer.conclusion,
    }
    form = Template(files("evaluation").joinpath("templates/trace.txt").read_text("utf-8"))
    return "\n\n".join(filter(None, form.substitute(parts).strip().split("\n\n")))


def _reasoning(trace: Trace) -> str:
    """The local argument, where it is in its language and came to what the answer says."""
    outcome, local = trace.outcome, trace.outcome.local.reasoning
    agreed = (
        local.conclusion == outcome.answer.conclusion if admitted(outcome.case) else not outcome.answer.disagreement
    )
    return local.text.strip() if agreed and language_of(local.text) == trace.item.language else ""
