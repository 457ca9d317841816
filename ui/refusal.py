"""Why a case cannot be argued as it is, or not yet, in the language of the page. Knows nothing of what made it so."""

from collections.abc import Mapping
from math import ceil
from string import Template

from agents.errors import BadOptions, CaseError, CaseTooLong, EmptyCase, LanguageUnclear, TwoTasks, UnknownLanguage
from agents.messages import MAX_CASE_CHARACTERS, MAX_OPTIONS
from ui.errors import RoomFull
from ui.translation import Translation
from ui.waiting_room import Wait

_MINUTE_S = 60

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


def full(words: Translation, error: RoomFull) -> str:
    """That there is no place to wait, and when to ask again."""
    return Template(words["room_full"]).substitute(cases=error.waiting, minutes=_minutes(error.wait_s))


def queued(words: Translation, wait: Wait) -> str:
    """How many cases come first, and how long that may take."""
    return Template(words["queued"]).substitute(cases=wait.cases, minutes=_minutes(wait.seconds))


def _minutes(seconds: float) -> int:
    return max(1, ceil(seconds / _MINUTE_S))
