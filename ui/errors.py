"""What can go wrong at the edge, before any room is entered.

InterfaceError
├── SettingsInvalid   a key or value that is not known
└── PortInUse         somebody listens there already
"""


class InterfaceError(Exception):
    """A sentence for the person at the terminal or the page."""


class SettingsInvalid(InterfaceError):
    """A key or value in the settings that is not known."""


class PortInUse(InterfaceError):
    """Somebody listens on the chat's port already."""
