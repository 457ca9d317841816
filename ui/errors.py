"""What can go wrong at the edge, before any room is entered.

InstallationError (agents/errors.py)
├── PortInUse         somebody listens there already
└── HeaderUntrusted   others than a proxy on this machine could say who asks
RoomFull              as many cases wait already as may
"""

from agents.errors import InstallationError


class PortInUse(InstallationError):
    """Somebody listens on the chat's port already."""


class HeaderUntrusted(InstallationError):
    """Others than a proxy on this machine could say who asks."""


class RoomFull(Exception):
    """As many cases wait already as may: `waiting`. In about `wait_s` seconds there may be a place."""

    def __init__(self, waiting: int, wait_s: float) -> None:
        super().__init__(f"{waiting} cases are waiting already")
        self.waiting = waiting
        self.wait_s = wait_s
