"""One model asked in the language of the case, and nothing else: what everything is compared with."""

from agents.reasoner import case_text
from evaluation.asking import Speaker, concluded
from evaluation.system import Answered, Sitting, System


async def _answer(sitting: Sitting) -> Answered:
    case, speaker = sitting.case, Speaker(sitting, "Direct", "local")
    said = await speaker.argued(case_text(case.text, case.options, case.hypothesis), case.language)
    return concluded(speaker, said, case.language)


SYSTEMS = (System("direct", "One model, asked in the local language, answers in it.", _answer),)
