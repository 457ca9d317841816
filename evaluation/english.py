"""A case as a model reads it in English: as the benchmark has it, or as the model itself renders it.

The same that the team's English side reads. Knows nothing of what is made of it.
"""

from agents.conclusions import lettered, unlettered
from agents.reasoner import case_text
from agents.rendering import Rendering, noted
from evaluation.asking import Speaker


async def english_question(speaker: Speaker, *, given: bool) -> str:
    """The case in English with its options or statement, and a note of what may be wrong in it. Raises ModelError.

    What the benchmark has in English is taken where `given`; the rest is rendered, options all at once.
    """
    case = speaker.sitting.case
    if case.language == "en":
        return case_text(case.text, case.options, case.hypothesis)
    text = await _rendered(speaker, case.text, case.english if given else None)
    faults, statement, options = text.faults, case.hypothesis, case.options
    if case.hypothesis:
        told = await _rendered(speaker, case.hypothesis, case.english_hypothesis if given else None)
        faults, statement = faults + told.faults, told.english
    if given and case.english_options:
        options = case.english_options
    elif case.options:
        listed = await speaker.in_english(lettered(case.options), prose=False)
        # A list that lost a letter would mislead, and the options of the case do not.
        if in_english := unlettered(listed.english, len(case.options)):
            faults, options = faults + listed.faults, in_english
    return case_text(noted(Rendering(english=text.english, faults=faults)), options, statement)


async def _rendered(speaker: Speaker, text: str, known: str | None) -> Rendering:
    return Rendering(english=known) if known else await speaker.in_english(text)
