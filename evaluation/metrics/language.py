"""Whether an answer is in the language in which it was asked.

As the product identifies the language of a case, among all that it knows. An answer without words ("B") has no value.
"""

import re
from collections.abc import Iterator, Sequence

from agents.errors import LanguageUnclear
from agents.identification import identification
from agents.languages import languages
from agents.telling import telling
from evaluation.metric import Measured, Metric, Value, measured, value
from evaluation.scoring import Answered

_WORD = re.compile(r"[^\W\d_]{2}")


def measure(pairs: Sequence[Answered]) -> Measured:
    """1 for an answer in the item's language, 0 for one in another or none that can be told."""
    return measured(_values(pairs))


def _values(pairs: Sequence[Answered]) -> Iterator[Value]:
    for item, told in pairs:
        if told.status == "answered" and _WORD.search(telling(told.text)) and item.language in languages():
            yield value(item, float(language_of(told.text) == item.language))


def language_of(text: str) -> str:
    """The language that a text is in; empty where none can be told."""
    try:
        return identification(text, tuple(languages())).language
    except LanguageUnclear:
        return ""


METRICS = (Metric("language-consistency", "In the asked language", "higher", "share", measure),)
