"""A case as a model reads it in English: as the benchmark has it, or as the model itself renders it.

Knows nothing of what is made of it.
"""

from agents.conclusions import lettered
from agents.reasoner import case_text
from agents.speaker import prompt
from evaluation.asking import Speaker


async def english_question(speaker: Speaker, *, given: bool) -> str:
    """The case in English with its options or statement. Raises ModelError.

    What the benchmark has in English is taken where `given`; the rest is rendered, options all at once.
    """
    sitting = speaker.sitting
    case = sitting.case
    if case.language == "en":
        return case_text(case.text, case.options, case.hypothesis)
    text = case.english if given and case.english else await speaker.in_english(case.text)
    if case.hypothesis:
        known = sitting.item.english_hypothesis if given else None
        return case_text(text, (), known or await speaker.in_english(case.hypothesis))
    if not case.options or (given and case.english_options):
        return case_text(text, case.english_options)
    return prompt("case", case=text, options=f"Options:\n{await speaker.in_english(lettered(case.options))}")
