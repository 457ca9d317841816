"""Small values for the page and the terminal to show, with the same text wherever somebody else may write one."""

from collections.abc import Sequence
from datetime import date

from agents.messages import (
    Alarm,
    Alignment,
    Answer,
    Argument,
    CitedPassage,
    Claim,
    Concept,
    ConceptChain,
    Contradiction,
    Disagreement,
    Evidence,
    FusedChain,
    FusedConcept,
    Missing,
    Reasoning,
    Rebuttal,
    RedFlag,
    RenderingFault,
    Usage,
)
from knowledge.passage import Passage

DIGEST = "0" * 64


def passage(text: str, language: str = "en", **changes: object) -> Passage:
    values: dict[str, object] = {
        "id": "psg_1",
        "document": DIGEST,
        "document_title": text,
        "pack": "ward",
        "publisher": text,
        "jurisdiction": text,
        "language": language,
        "edition": text,
        "effective": None,
        "expires": date(2020, 1, 1),
        "section": (text, text),
        "page": 3,
        "start": 0,
        "end": len(text),
        "text": text,
        "sha256": f"sha256:{DIGEST}",
        "demonstration": True,
    }
    return Passage.model_validate({**values, **changes})


def cited(number: int, found: Passage, *, relevant: bool = True) -> CitedPassage:
    return CitedPassage(number=number, passage=found, similarity=0.9, score=0.1, relevant=relevant, expired=True)


def alignment(text: str, passages: Sequence[CitedPassage] = ()) -> Alignment:
    concept = FusedConcept(name=text, local_name=text, origin="both", status="merged", similarity=0.95, anchor=text)
    aside = concept.model_copy(update={"status": "unconfirmed", "local_name": None})
    against = Contradiction(english=text, local=text, similarity=0.9)
    evidence = Evidence(
        status="found", query_mode="chain", queries=(), version="1", passages=tuple(passages), reason=text
    )
    return Alignment(
        fused=FusedChain(
            strategy="grounded", threshold=0.8, concepts=(concept,), aside=(aside,), contradictions=(against,)
        ),
        evidence=evidence,
        disagreement=None,
        spans=(),
    )


def argument(text: str, *, available: bool = True) -> Argument:
    return Argument(
        reasoning=Reasoning(
            side="local",
            language="en",
            status="argued" if available else "unavailable",
            question=text,
            text=text,
            conclusion=text,
            meaning=text,
            reason=text,
            rendering_faults=(RenderingFault(kind="number", change="lost", words=text),),
        ),
        chain=ConceptChain(side="local", language="en", status="listed", concepts=(Concept(name=text),)),
        usage=Usage(),
        spans=(),
    )


def rebuttal(text: str, **changes: object) -> Rebuttal:
    values: dict[str, object] = {
        "side": "local",
        "language": "en",
        "round": 1,
        "decision": "revise",
        "before": f"{text} before",
        "conclusion": text,
        "reason": text,
        "concepts": ConceptChain(side="local", language="en", status="listed", concepts=(text,)),
    }
    return Rebuttal.model_validate({**values, **changes})


def given(text: str, **changes: object) -> Answer:
    values: dict[str, object] = {
        "text": text,
        "language": "en",
        "mode": "synthesized",
        "conclusion": text,
        "meaning": text,
        "claims": (Claim(text=text, passages=(1,), supported=False, why=text),),
        "unsupported": (text,),
        "disagreement": Disagreement(
            english=text,
            local=text,
            contradictions=(Contradiction(english=text, local=text, similarity=0.9),),
            rebuttals=(rebuttal(text),),
            told=text,
        ),
        "missing": (Missing(part="embedder", text=text, reason=text),),
        "reason": text,
    }
    return Answer.model_validate({**values, **changes})


def alarm(text: str, language: str = "en") -> Alarm:
    flag = RedFlag(emergency="x", name=text, action=text, source=text, start=0, end=1, words=text)
    return Alarm(language=language, title=text, call=text, note=text, flags=(flag,))
