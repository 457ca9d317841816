"""What a case had to do without, told in the clinician's language. Knows nothing of why a part was not there."""

from collections.abc import Iterator, Mapping

from agents.languages import phrase
from agents.messages import Argument, Case, Evidence, Missing, Part, Side
from agents.red_flags import table

_PHRASES: dict[Part, str] = {
    "english": "missing_english",
    "local": "missing_local",
    "synthesizer": "missing_synthesizer",
    "embedder": "missing_embedder",
    "reranker": "missing_reranker",
    "guidelines": "missing_guidelines",
    "red_flags": "missing_red_flags",
    "evidence": "no_relevant_passage",
}


def missing(part: Part, language: str, reason: str = "") -> Missing:
    """One part that is not there, in a language; `reason` says why, in English, for whoever can change it."""
    return Missing(part=part, text=phrase(_PHRASES[part], language), reason=reason)


def untabled(language: str) -> str:
    """What to tell a person whose language has no table of emergencies; nothing where it has one."""
    return "" if table(language) else phrase("missing_red_flags", language)


def missed(
    case: Case, arguments: Mapping[Side, Argument], evidence: Evidence, without: Mapping[Part, str]
) -> tuple[Missing, ...]:
    """Everything that a case had to do without; `without` is what was known before it began, or failed on the way."""
    unwatched: dict[Part, str] = {"red_flags": ""} if untabled(case.language) else {}
    reasons: dict[Part, str] = {**dict(_silent(arguments)), **without, **unwatched, **dict(_unfounded(evidence))}
    return tuple(missing(part, case.language, reasons[part]) for part in _PHRASES if part in reasons)


def _silent(arguments: Mapping[Side, Argument]) -> Iterator[tuple[Part, str]]:
    for side, argument in arguments.items():
        if argument.reasoning.status == "unavailable":
            yield side, argument.reasoning.reason


def _unfounded(evidence: Evidence) -> Iterator[tuple[Part, str]]:
    if evidence.status == "missing":
        yield "guidelines", evidence.reason
    elif not evidence.relevant:
        yield "evidence", ""
