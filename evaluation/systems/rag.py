"""One model asked in the language of the case that reads the guideline passages found for the question."""

import asyncio
from datetime import date

from agents.messages import Evidence, FusedChain
from agents.quotation import fitting, quoted
from agents.reasoner import case_text
from agents.team import guidelines
from evaluation.asking import Speaker, concluded, prompt
from evaluation.system import Answered, Sitting, System
from transcripts.event import EventKind

_NO_CONCEPTS = FusedChain(strategy="none", threshold=1.0, concepts=())


async def _answer(sitting: Sitting) -> Answered:
    case, speaker = sitting.case, Speaker(sitting, "Rag", "local")
    found = (await asyncio.to_thread(_searched, sitting)).relevant
    room = sitting.resources.settings.synthesis.evidence_tokens
    shown = await fitting(found, room, speaker.voice.tokens)
    question = case_text(case.text, case.options, case.hypothesis)
    if shown:
        quotation, mark = quoted(shown)
        question = prompt("passages", passages=quotation, mark=mark, question=question)
    said = await speaker.argued(question, case.language, shown)
    return concluded(speaker, said, case.language, shown)


def _searched(sitting: Sitting) -> Evidence:
    """The passages for the question as it stands, and for its English text where the benchmark has one."""
    resources, case = sitting.resources, sitting.case
    searched = guidelines(resources, resources.today or date.today())
    evidence = searched.evidence(case, case.english or case.text, _NO_CONCEPTS)
    sitting.recorder.record(EventKind.RETRIEVAL, evidence.model_dump(mode="json"))
    return evidence


SYSTEMS = (System("rag", "One model, asked in the local language, with the passages found for the question.", _answer),)
