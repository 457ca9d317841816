"""One model asked in English, which answers in English: the benchmark's own English where there is any."""

from evaluation.asking import Speaker, concluded
from evaluation.english import english_question
from evaluation.system import Answered, Sitting, System


async def _answer(sitting: Sitting) -> Answered:
    speaker = Speaker(sitting, "DirectEnglish", "english")
    said = await speaker.argued(await english_question(speaker, given=True), "en")
    return concluded(speaker, said, "en")


SYSTEMS = (System("direct-english", "One model, asked in English (the benchmark's, else its own rendering).", _answer),)
