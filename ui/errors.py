"""What can go wrong at the edge, before any room is entered.

InstallationError (agents/errors.py)
└── PortInUse         somebody listens there already
"""

from agents.errors import InstallationError


class PortInUse(InstallationError):
    """Somebody listens on the chat's port already."""
