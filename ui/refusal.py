"""Why a case cannot be argued as it is, in the language of the page. Knows nothing of what made it so."""

from collections.abc import Mapping
from string import Template

from agents.errors import BadOptions, CaseError, CaseTooLong, EmptyCase, LanguageUnclear, TwoTasks, UnknownLanguage
from agents.messages import MAX_CASE_CHARACTERS, MAX_OPTIONS
from ui.translation import Translation

_KEYS: Mapping[type[CaseError], str] = {
    EmptyCase: "empty_case",
    CaseTooLong: "case_too_long",
    UnknownLanguage: "language_unknown",
    LanguageUnclear: "language_unclear",
    BadOptions: "bad_options",
    TwoTasks: "two_tasks",
}


def refusal(words: Translation, error: CaseError) -> str:
    """What to change before it can be argued."""
    return Template(words[_KEYS[type(error)]]).substitute(characters=MAX_CASE_CHARACTERS, options=MAX_OPTIONS)
