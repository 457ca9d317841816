"""The product's whole team as a system: its consultation, read as the answer to an item.

Knows nothing of which parts of the team were changed or left out.
"""

from agents.conclusions import admitted
from agents.consultation import Outcome, consult
from agents.messages import Answer, Part
from evaluation.system import Answered, Sitting

_VOICES: tuple[Part, ...] = ("english", "local", "synthesizer")


async def consulted(sitting: Sitting) -> Answered:
    """What the team answers. Raises TranscriptError."""
    async for progress in consult(sitting.case, sitting.resources, sitting.recorder, sitting.token):
        last = progress
    assert isinstance(last, Outcome)
    return answered(last, frozenset(sitting.resources.without))


def answered(outcome: Outcome, without: frozenset[Part]) -> Answered:
    """The outcome as an answer. One in which a voice was silent that nobody left out (`without`) has failed.

    An answer without the conclusion that was asked for abstains, and so does one that shows passages instead of the
    model's words where words were asked for.
    """
    answer, case = outcome.answer, outcome.case
    silent = [missing for missing in answer.missing if missing.part in _VOICES and missing.part not in without]
    written = bool(answer.conclusion) if admitted(case) else answer.mode == "synthesized"
    claims = answer.claims if answer.mode == "synthesized" else ()
    return Answered(
        status="failed" if silent else "answered" if written else "abstained",
        reason=silent[0].reason or silent[0].text if silent else "" if written else _why(answer),
        conclusion=answer.conclusion,
        leaning="" if answer.conclusion or not admitted(case) else leaning(outcome),
        text=answer.text,
        confidence=agreement(outcome) if admitted(case) else None,
        claims=len(claims),
        cited=sum(bool(claim.passages) for claim in claims),
        supported=sum(claim.supported for claim in claims),
        usage=outcome.usage,
    )


def leaning(outcome: Outcome) -> str:
    """What the sides conclude where the answer does not: the same, or what only one says, or else the English side's,
    on whose scaffold the answer would have stood."""
    return outcome.english.reasoning.conclusion or outcome.local.reasoning.conclusion


def agreement(outcome: Outcome) -> float | None:
    """The share of the voices that concluded anything which concluded as the answer does; None without a conclusion.

    No calibrated probability: with three voices it is 1, 2/3 or 1/3. How well it is calibrated is measured.
    """
    sides = [outcome.english.reasoning.conclusion, outcome.local.reasoning.conclusion, outcome.answer.conclusion]
    said = [conclusion for conclusion in sides if conclusion]
    return said.count(outcome.answer.conclusion) / len(said) if outcome.answer.conclusion else None


def _why(answer: Answer) -> str:
    return answer.reason or "the answer has no conclusion that the case admits"
