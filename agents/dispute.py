"""The dispute: what the two sides say differently, how they stand after what they said to each other, what remains.

Works on values alone; decides nothing between the sides and asks no model.
"""

from collections.abc import Mapping, Sequence

from agents.languages import phrase
from agents.messages import Alignment, Argument, Contradiction, Disagreement, Rebuttal, Side
from agents.polarity import Polarity, judge


def standing(arguments: Mapping[Side, Argument], rebuttals: Sequence[Rebuttal]) -> dict[Side, Argument]:
    """Each side's argument after all rebuttals: with the conclusion and the chain that it came to, and what it cost."""
    stands = dict(arguments)
    for rebuttal in sorted(rebuttals, key=lambda r: r.round):
        stands[rebuttal.side] = _after(stands[rebuttal.side], rebuttal)
    return stands


def _after(argument: Argument, rebuttal: Rebuttal) -> Argument:
    concluded = {"conclusion": rebuttal.conclusion, "meaning": rebuttal.meaning}
    return argument.model_copy(
        update={
            "reasoning": argument.reasoning.model_copy(update=concluded),
            "chain": rebuttal.concepts or argument.chain,
            "usage": argument.usage + rebuttal.usage,
            "spans": (*argument.spans, *rebuttal.spans),
        }
    )


def latest(rebuttals: Sequence[Rebuttal]) -> tuple[Rebuttal, ...]:
    """The rebuttals of the last round, the English side's first."""
    last = max((r.round for r in rebuttals), default=0)
    return tuple(sorted((r for r in rebuttals if r.round == last), key=lambda r: r.side))


def goes_on(alignment: Alignment, rounds: int) -> bool:
    """Whether the sides are to answer each other (again): a dispute, a round left, and something new to answer."""
    moved = not alignment.rebuttals or any(r.decision == "revise" for r in latest(alignment.rebuttals))
    return alignment.disagreement is not None and alignment.rounds < rounds and moved


def remaining(disagreement: Disagreement | None, rebuttals: Sequence[Rebuttal], language: str) -> Disagreement | None:
    """The disagreement with the last word of each side, told in the language of the case; None where none is left."""
    if disagreement is None:
        return None
    left = disagreement.model_copy(update={"rebuttals": tuple(rebuttals)})
    return left.model_copy(update={"told": told(left, language)})


def told(disagreement: Disagreement, language: str) -> str:
    """The disagreement as lines to read, in the language of the case; what the sides said is in their own words."""
    lines = [f"{phrase('disagreement', language)} {phrase('weigh', language)}"]
    for side, conclusion in (("english", disagreement.english), ("local", disagreement.local)):
        words = " ".join(stance(r, language) for r in disagreement.rebuttals if r.side == side)
        lines.append(f"{phrase(f'{side}_side', language)}: {conclusion or '-'} {words}".strip())
    for found in disagreement.contradictions:
        lines.append(contradiction(found, language))
    return "\n".join(lines)


def contradiction(found: Contradiction, language: str) -> str:
    """A contradiction as a line to read, in the language of the case."""
    english, local = contradicting(found, language, language)
    return phrase("two_doses" if found.of_dose else "contradiction", language, english=english, local=local)


def contradicting(found: Contradiction, language: str, reader: str) -> tuple[str, str]:
    """What the English side and the local one, in its `language`, contradict each other in, for a `reader` of another.

    Both are language codes.
    """
    english = qualified(found.english, found.english_polarity, "en", reader)
    return english, qualified(found.local, found.local_polarity, language, reader)


def qualified(name: str, polarity: Polarity, language: str, reader: str) -> str:
    """A concept's name in its `language`; for a `reader` of another, that it is denied or forbidden stands behind it.

    Not where the name says so itself: "aspirin (contraindicated)" is what only an argument forbids, "no aspirin" stays.
    """
    says_so = polarity == "present" or judge(name, language).polarity == polarity
    return name if says_so else f"{name} ({phrase(polarity, reader)})"


def stance(rebuttal: Rebuttal, language: str) -> str:
    """Whether a side holds its conclusion or came to it anew, and why, in the language of the case."""
    key = "held" if rebuttal.decision == "hold" else "revised"
    return phrase(key, language, reason=rebuttal.reason or rebuttal.fault)
