"""Does a sentence stand in the passages that it cites? Decided without a model, and always the same way.

A sentence is supported where the embedding finds it near a cited passage and nothing speaks against it: its numbers,
units, medicines, their classes and doses are the passage's, it denies what the passage denies and nothing else, and,
in the same language, most of its words are the passage's. Knows nothing of how answers are written.
"""

import re
from collections.abc import Iterator, Sequence

from agents.drugs import drugs
from agents.messages import CitedPassage, Claim
from agents.nearness import Nearness
from agents.negation import denials
from agents.quantities import quantities
from agents.unfounded import Judged, strange_classes, strange_drugs, unfounded
from agents.wording import SAME_WORDS, alike, share, statements, stems
from knowledge.table import primary_subtag

_SHARED_WORDS = 0.5
_SAME_STATEMENT = 0.6
_CASE_WORDS = 0.75
_MEASURED = frozenset(("l", "dl", "ml"))
_MEDICINES = frozenset(("g", "mg", "μg", "ng", "IU"))
_CLAUSE = re.compile(r"[,:،、，：—]|\s[-–]\s|[()（）]")


def check(
    sentences: Sequence[tuple[str, tuple[int, ...]]],
    passages: Sequence[CitedPassage],
    nearness: Nearness | None,
    case: str,
    spoken: str,
    asked: Sequence[str] = (),
) -> tuple[Claim, ...]:
    """One claim a sentence, judged against the passages it cites; citations of unknown numbers are dropped.

    What the case itself says, such as the patient's breathing rate or weight, may be repeated beside what a passage
    says; its doses and medicines do not make a sentence stand. `asked` are its options, or the statement to judge.
    `spoken` is the language of the sentences. Without an embedder, `nearness` None, a sentence stands only where its
    own words, and a passage of its own language, say so.
    """
    known = {p.number: p for p in passages}
    cited = [tuple(n for n in dict.fromkeys(ns) if n in known) for _, ns in sentences]
    claims = []
    for (text, _), ns in zip(sentences, cited, strict=True):
        judged = Judged(text, primary_subtag(spoken), case, [known[n] for n in ns], asked)
        figures = unfounded(judged)
        why = next(_objections(judged, figures, nearness), "")
        claims.append(Claim(text=text, passages=ns, supported=not why, why=why, unfounded=bool(figures)))
    return tuple(claims)


def _objections(judged: Judged, figures: Sequence[str], nearness: Nearness | None) -> Iterator[str]:
    """What speaks against a sentence, one after the other. `figures` are those that are unfounded."""
    if not judged.cited:
        yield "cites no passage"
        return
    if strange := figures or strange_drugs(judged):
        yield f"{', '.join(strange)} is not in the cited passage"
    if repeated := _cases_doses(judged) or _cases_drugs(judged):
        yield f"{', '.join(repeated)} is in the case, but not in the cited passage"
    if any(_contradicts(statement, judged) for statement in statements(judged.text)):
        yield "denies what the cited passage says, or says what it denies"
    if _hardly_more_than_the_case(judged):
        yield "says only what the case says"
    if other := strange_classes(judged):
        yield f"{', '.join(other)} is not in the cited passage"
    if nearness and not _said_there(judged) and not nearness.near(judged.text, judged.spoken, judged.cited):
        yield "too far from the cited passage"
    if not nearness and len(judged.own) < len(judged.cited):
        yield "cites a passage in another language, and no embedding model is there to compare them"
    if _foreign_words(judged):
        yield "says what the cited passage does not"


def _said_there(judged: Judged) -> bool:
    """Whether a statement of a cited passage has nearly all words of the sentence: to a long passage as a whole its
    vector may be far all the same."""
    words = stems(judged.text)
    said = (statement for passage in judged.own for statement in statements(passage.passage.text))
    return bool(words) and any(share(words, stems(statement)) >= SAME_WORDS for statement in said)


def _hardly_more_than_the_case(judged: Judged) -> bool:
    """Whether nearly all words of a sentence are those of the case, its options or its statement, and no cited passage
    of its language has most of them.

    Of a passage in another language nobody can tell whether it has them.
    """
    words = stems(judged.text)
    if not words or share(words, stems("\n".join((judged.case, *judged.asked)))) < _CASE_WORDS:
        return False
    return share(words, stems(" ".join(p.passage.in_context for p in judged.own))) < _SHARED_WORDS


def _cases_doses(judged: Judged) -> list[str]:
    """Doses of medicines that the case has and no cited passage: that it was asked about is no reason to give it.

    What was measured, a concentration in blood or a weight, may be repeated.
    """
    named = drugs(judged.text)
    stated = (q for q in quantities(judged.text) if q.unit in _MEDICINES and not q.per & _MEASURED)
    given = [q for q in stated if named or q.unit != "g"]
    found = [q for p in judged.cited for q in quantities(p.passage.in_context)]
    return sorted(f"{q.number} {q.unit}" for q in given if not any(q.agrees(other, weighed=True) for other in found))


def _cases_drugs(judged: Judged) -> list[str]:
    """The medicines of a sentence, where the cited passages name none of them."""
    named = drugs(judged.text)
    return sorted(named) if named.isdisjoint(drugs(" ".join(p.passage.in_context for p in judged.cited))) else []


def _foreign_words(judged: Judged) -> bool:
    """Whether most words of a sentence, those of the case apart, are not in a cited passage of its language.

    Where a sentence has no others, the passage must have most of those.
    """
    own = judged.own
    words = stems(judged.text)
    if not own or len(own) < len(judged.cited) or not words:
        return False
    found = stems(" ".join(p.passage.in_context for p in own))
    return share((words - stems(judged.case)) or words, found) < _SHARED_WORDS


def _contradicts(statement: str, judged: Judged) -> bool:
    """Whether a statement denies where the passage's statement of the same words does not, or the other way round."""
    words, denied = stems(statement), denials(statement, judged.spoken)
    said = _same_statement(statement, judged)
    if denied is None or not said:
        return False
    clauses = [c for c in _CLAUSE.split(said) if share(stems(c), words) >= _SHARED_WORDS] or [said]
    denied_there = sum(denials(clause, judged.spoken) or 0 for clause in clauses)
    if alike(words, stems(" ".join(clauses))):
        return denied != denied_there
    return bool(denied) != bool(denied_there)


def _same_statement(statement: str, judged: Judged) -> str:
    """The statement of a passage that has most words of this one and its medicines; empty where none has enough."""
    words, named = stems(statement), drugs(statement)
    theirs = [s for p in judged.own for s in statements(p.passage.text) if not named or named & drugs(s)]
    best = max(theirs, key=lambda s: (share(words, stems(s)), share(stems(s), words)), default="")
    return best if words and share(words, stems(best)) >= _SAME_STATEMENT else ""
