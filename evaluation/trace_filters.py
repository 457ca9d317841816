"""Which traces a student may learn from: small rules, each of which says why it keeps a trace out, or nothing.

Knows nothing of records, nor of how a trace is written down.
"""

from collections.abc import Callable

from evaluation.metrics.language import language_of
from evaluation.scoring import is_right
from evaluation.trace import Trace

Filter = Callable[[Trace], str]


def right(trace: Trace) -> str:
    """The conclusion is the right one. An open question has no right answer, and its trace passes."""
    return "" if trace.item.task == "open" or is_right(trace.pair) else "wrong answer"


def supported(least: float) -> Filter:
    """At least this share of the answer's sentences is supported by the passages that they cite."""

    def enough(trace: Trace) -> str:
        claims = trace.prediction.claims
        if not claims:
            return "no sentences"
        return "" if trace.prediction.supported >= least * claims else "unsupported sentences"

    return enough


def in_language(trace: Trace) -> str:
    """The answer is in the language of the question."""
    return "" if language_of(trace.outcome.answer.text) == trace.item.language else "wrong language"


def first(filters: tuple[Filter, ...], trace: Trace) -> str:
    """The first reason to keep a trace out; empty where there is none."""
    return next(filter(None, (keeps(trace) for keeps in filters)), "")
