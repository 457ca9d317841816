"""The product's local clinician alone: argues in the language of the case, reads no English and no guidelines."""

from autogen_agentchat.messages import StructuredMessage

from agents.conclusions import admitted
from agents.messages import Argument, Case
from agents.reasoner import LocalClinician
from evaluation.asking import Speaker, noted_answer
from evaluation.system import Answered, Sitting, System


async def _answer(sitting: Sitting) -> Answered:
    speaker = Speaker(sitting, "LocalClinician", "local")
    settings = sitting.resources.settings.reasoner
    longer = settings.model_copy(update={"reasoning_tokens": sitting.budget - settings.concept_tokens})
    asked = StructuredMessage[Case](content=sitting.case, source="clinician")
    response = await LocalClinician(speaker.voice, longer).on_messages([asked], sitting.token)
    assert isinstance(response.chat_message, StructuredMessage)
    argument = response.chat_message.content
    assert isinstance(argument, Argument)
    return _read(speaker, argument)


def _read(speaker: Speaker, argument: Argument) -> Answered:
    """The argument's conclusion, or the argument itself where the case is free text."""
    speaker.sitting.spent.append(argument.usage)
    reasoning, case = argument.reasoning, speaker.sitting.case
    text = reasoning.conclusion if admitted(case) else reasoning.text
    answer = noted_answer(speaker, text, reasoning.conclusion, (), case.language)
    if reasoning.reason:
        return answer.model_copy(update={"status": "failed", "reason": reasoning.reason})
    return answer


SYSTEMS = (System("local-only", "The product's local clinician alone, without English and guidelines.", _answer),)
