"""What can go wrong at the edge, before any room is entered.

InterfaceError
├── SettingsInvalid   a key or value that is not known
├── PortInUse         somebody listens there already
└── NotRecomputable   what a consultation was argued with is no longer here
"""


class InterfaceError(Exception):
    """A sentence for the person at the terminal or the page."""


class SettingsInvalid(InterfaceError):
    """A key or value in the settings that is not known."""


class PortInUse(InterfaceError):
    """Somebody listens on the chat's port already."""


class NotRecomputable(InterfaceError):
    """What a consultation was argued with is no longer here, or is not on its record; `missing` says what."""

    def __init__(self, consultation: str, missing: str) -> None:
        super().__init__(f"{consultation} cannot be computed again: {missing}")
        self.missing = missing
