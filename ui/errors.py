"""What can go wrong at the edge, before any room is entered.

InstallationError (agents/errors.py)
├── PortInUse         somebody listens there already
└── HeaderUntrusted   others than a proxy on this machine could say who asks
"""

from agents.errors import InstallationError


class PortInUse(InstallationError):
    """Somebody listens on the chat's port already."""


class HeaderUntrusted(InstallationError):
    """Others than a proxy on this machine could say who asks."""
