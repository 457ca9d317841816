"""What can go wrong with a case before or while it is argued, or with the installation that argues it.

CaseError
├── EmptyCase          there is nothing to argue
├── CaseTooLong        more characters than a case may have
├── UnknownLanguage    not in the table of languages
├── LanguageUnclear    no language could be identified
├── BadOptions         fewer than two or too many answer options, an empty one, or the same twice
└── TwoTasks           answer options and a statement to judge at once

InstallationError
├── SettingsInvalid    a key or value that is not known
└── NotRecomputable    what a consultation was argued with is no longer here

What fails inside an agent is a value (an unavailable reasoning, missing evidence), never an error.
"""


class CaseError(Exception):
    """The case cannot be argued as it is; the message says what to change."""


class EmptyCase(CaseError):
    """There is nothing to argue."""


class CaseTooLong(CaseError):
    """More characters than a case may have."""


class UnknownLanguage(CaseError):
    """The language is not in the table."""


class LanguageUnclear(CaseError):
    """No language could be identified."""


class BadOptions(CaseError):
    """Fewer than two, or too many, answer options, an empty one, or the same twice."""


class TwoTasks(CaseError):
    """Answer options and a statement to judge, of which a case can have one."""


class InstallationError(Exception):
    """What is set up here does not fit; a sentence for the person at the terminal or the page."""


class SettingsInvalid(InstallationError):
    """A key or value in the settings that is not known."""


class NotRecomputable(InstallationError):
    """What a consultation was argued with is no longer here, or is not on its record; `missing` says what."""

    def __init__(self, consultation: str, missing: str) -> None:
        super().__init__(f"{consultation} cannot be computed again: {missing}")
        self.missing = missing
