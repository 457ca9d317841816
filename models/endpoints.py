"""Endpoints: the servers behind a remote model. The least busy one that is well is asked next; one that failed rests.

Knows nothing of HTTP or of messages.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import JsonValue
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential_jitter,
)

from models.endpoint import Endpoint, RemoteSettings
from models.errors import RemoteUnavailable

_REPEATS = 2  # starts beyond one at each endpoint
_BACKOFF = wait_exponential_jitter(multiplier=0.25, max=4.0, jitter=0.25)


class Endpoints:
    """The servers of one remote model, for every role and every case that uses it. Raises RemoteRefused."""

    def __init__(self, settings: RemoteSettings) -> None:
        self.settings = settings
        key = settings.key()
        self.all = tuple(Endpoint(url, settings, key) for url in settings.urls)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names and ports."""
        return tuple(endpoint.host for endpoint in self.all)

    @property
    def description(self) -> dict[str, JsonValue]:
        """For the record; without the key."""
        return {"model": self.settings.model, "hosts": list(self.hosts), "context_length": self.settings.context_length}

    async def require_one(self) -> None:
        """Ask all for their health. Raises RemoteUnavailable where none answers, RemoteRefused."""
        for endpoint in self.all:
            endpoint.well = await self._answers(endpoint)
        if not any(endpoint.well for endpoint in self.all):
            raise self._none()

    @asynccontextmanager
    async def least_busy(self) -> AsyncIterator[Endpoint]:
        """The endpoint to ask next; it rests if what is done with it ends in RemoteUnavailable.

        Raises RemoteUnavailable where none is well, RemoteRefused.
        """
        endpoint = await self._chosen()
        endpoint.running += 1
        try:
            yield endpoint
        except RemoteUnavailable:
            endpoint.rest()
            raise
        finally:
            endpoint.running -= 1

    def starts(self) -> AsyncRetrying:
        """Attempts at the start of a stream: at once where another endpoint is well, otherwise after a pause."""
        count = len(self.all)
        return AsyncRetrying(
            retry=retry_if_exception_type(RemoteUnavailable),
            stop=stop_after_attempt(count + _REPEATS) | stop_after_delay(count * self.settings.timeout_s),
            wait=self._pause,
            reraise=True,
        )

    def _pause(self, state: RetryCallState) -> float:
        return 0.0 if any(endpoint.well for endpoint in self.all) else _BACKOFF(state)

    async def _chosen(self) -> Endpoint:
        candidates = [e for e in self.all if e.well or e.rested] or self.all
        for endpoint in sorted(candidates, key=lambda e: (e.running, not e.well)):
            if endpoint.well or await self._answers(endpoint):
                endpoint.well = True
                return endpoint
        raise self._none()

    async def _answers(self, endpoint: Endpoint) -> bool:
        endpoint.rest()  # nobody else shall wait for the same answer
        try:
            await endpoint.models()
        except RemoteUnavailable:
            return False
        return True

    def _none(self) -> RemoteUnavailable:
        hosts = " nor ".join(self.hosts)
        return RemoteUnavailable(f"No server of {self.settings.model} answers (not {hosts}); check that one runs.")
