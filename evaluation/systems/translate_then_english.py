"""One model that renders the case into English, argues in English, and renders an answer in words back."""

from agents.conclusions import admitted
from agents.languages import language
from evaluation.asking import Speaker, concluded, noted_answer, prompt
from evaluation.english import english_question
from evaluation.system import Answered, Sitting, System


async def _answer(sitting: Sitting) -> Answered:
    speaker = Speaker(sitting, "Translator", "english")
    case = sitting.case
    back = 0 if admitted(case) or case.language == "en" else sitting.resources.settings.synthesis.answer_tokens
    said = await speaker.argued(await english_question(speaker, given=False), "en", reserved=back)
    answer = concluded(speaker, said, "en")
    if not back or not answer.text:
        return answer
    return await _rendered_back(speaker, answer)


async def _rendered_back(speaker: Speaker, answer: Answered) -> Answered:
    local = language(speaker.sitting.case.language)
    speaker.begin(prompt("render_back", language=local.name, instruction=local.instruction))
    limit = speaker.sitting.resources.settings.synthesis.answer_tokens
    text = (await speaker.say("rendering", answer.text, limit)).text.strip()
    back = noted_answer(speaker, text, "", (), local.code)
    return back.model_copy(update={"claims": answer.claims})


SYSTEMS = (
    System("translate-then-english", "One model renders the case into English, argues there, renders back.", _answer),
)
