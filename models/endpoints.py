"""Endpoints: the servers behind a remote model. The least busy one that is well is asked next.

One that failed or refused rests. Knows nothing of HTTP or of messages.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import JsonValue
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential_jitter,
)

from models.endpoint import Endpoint, RemoteSettings
from models.errors import RemoteRefused, RemoteUnavailable

_REPEATS = 2  # starts beyond one at each endpoint
Refusals = dict[Endpoint, RemoteRefused]

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
        """Ask all for their health. Raises RemoteRefused where all refuse, RemoteUnavailable where none is well."""
        refusals: Refusals = {}
        for endpoint in self.all:
            endpoint.well = await self._answers(endpoint, refusals)
        if not any(endpoint.well for endpoint in self.all):
            raise self._none(refusals)

    @asynccontextmanager
    async def least_busy(self, refusals: Refusals) -> AsyncIterator[Endpoint]:
        """The endpoint to ask next, none of those in `refusals`; it rests if what is done with it ends in
        RemoteUnavailable or RemoteRefused, which is added to them.

        Raises RemoteRefused where all refuse, RemoteUnavailable where none of the others is well.
        """
        endpoint = await self._chosen(refusals)
        endpoint.running += 1
        try:
            yield endpoint
        except RemoteUnavailable:
            endpoint.rest()
            raise
        except RemoteRefused as refusal:
            endpoint.rest()
            refusals[endpoint] = refusal
            raise
        finally:
            endpoint.running -= 1

    def starts(self, refusals: Refusals) -> AsyncRetrying:
        """Attempts at the start of a stream: at once where another endpoint is well, otherwise after a pause.

        Those in `refusals` are not asked again.
        """
        count = len(self.all)

        def others_may_take_it(error: BaseException) -> bool:
            return isinstance(error, RemoteUnavailable | RemoteRefused) and len(refusals) < count

        return AsyncRetrying(
            retry=retry_if_exception(others_may_take_it),
            stop=stop_after_attempt(count + _REPEATS) | stop_after_delay(count * self.settings.timeout_s),
            wait=self._pause,
            reraise=True,
        )

    def _pause(self, state: RetryCallState) -> float:
        return 0.0 if any(endpoint.well for endpoint in self.all) else _BACKOFF(state)

    async def _chosen(self, refusals: Refusals) -> Endpoint:
        willing = [e for e in self.all if e not in refusals]
        candidates = [e for e in willing if e.well or e.rested] or willing
        for endpoint in sorted(candidates, key=lambda e: (e.running, not e.well)):
            if endpoint.well or await self._answers(endpoint, refusals):
                endpoint.well = True
                return endpoint
        raise self._none(refusals)

    async def _answers(self, endpoint: Endpoint, refusals: Refusals) -> bool:
        endpoint.rest()  # nobody else shall wait for the same answer
        try:
            await endpoint.models()
        except RemoteRefused as refusal:
            refusals[endpoint] = refusal
            return False
        except RemoteUnavailable:
            return False
        return True

    def _none(self, refusals: Refusals) -> RemoteUnavailable | RemoteRefused:
        silent = [endpoint.host for endpoint in self.all if endpoint not in refusals]
        if not silent:
            return next(reversed(refusals.values()))
        reasons = [f"No server of {self.settings.model} answers (not {' nor '.join(silent)}); check that one runs."]
        return RemoteUnavailable(" ".join([*reasons, *map(str, refusals.values())]))
