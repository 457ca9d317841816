"""Whose turn it is: each user's requests in their order, and the users one after the other.

Knows nothing of lanes.
"""

from collections import OrderedDict, deque

from models.generation import Asked


class TurnQueue:
    """Those who wait: users take turns, each user's requests in the order in which they came."""

    def __init__(self) -> None:
        self._users: OrderedDict[str, deque[Asked]] = OrderedDict()

    def put(self, asked: Asked) -> None:
        """At the end of the user's own requests."""
        self._users.setdefault(asked.request.user, deque()).append(asked)

    def next(self) -> Asked | None:
        """Whose turn it is; that user's next turn comes after everyone else's."""
        if not self._users:
            return None
        user, waiting = self._users.popitem(last=False)
        asked = waiting.popleft()
        if waiting:
            self._users[user] = waiting
        return asked

    def remove(self, id: int) -> bool:
        """Forget a request; whether it was here."""
        for user, waiting in self._users.items():
            for asked in waiting:
                if asked.request.id == id:
                    waiting.remove(asked)
                    if not waiting:
                        del self._users[user]
                    return True
        return False
