"""An endpoint: one server of a remote model, spoken to by HTTP; everything that goes wrong becomes one sentence.

Speaks to the address in the settings and to nobody else: no proxy, no redirection. Knows nothing of messages.
"""

import os
import ssl
import time
from asyncio import timeout
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from functools import cache
from typing import Annotated, Literal

import httpx
from httpx_sse import EventSource, SSEError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, JsonValue, SecretStr, ValidationError

from models.errors import ContextOverflow, RemoteRefused, RemoteUnavailable

_CONNECT_S = 5.0
_SHOWN = 200  # characters of a server's own words in a sentence of ours
_THIS_MACHINE = ("127.0.0.1", "[::1]", "localhost")
_TOO_LONG = ("context_length_exceeded", "maximum context length", "exceed_context_size", "context size")
_OVERLOADED = (408, 425, 429)
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_UNKNOWN_KEY = (401, 403)


def _bare(url: HttpUrl) -> HttpUrl:
    if url.username or url.password or url.query or url.fragment:
        raise ValueError(
            "an address is a scheme, a host, a port and a path; name the key's variable in api_key_variable"
        )
    return url


class RemoteSettings(BaseModel):
    """A model that other machines run, behind an OpenAI-compatible interface.

    `urls` all serve `model`. `api_key_variable` names the environment variable that holds the key. `context_length` is
    in tokens, as the servers were started. A server may be silent for `timeout_s` seconds, before the first token or
    between two; one that failed rests for `rest_s` seconds. `schema_style` is how a server is told of a form:
    llama-cpp-python's understands `json_object` only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    urls: tuple[Annotated[HttpUrl, AfterValidator(_bare)], ...] = Field(min_length=1)
    model: str = Field(min_length=1)
    api_key_variable: str = ""
    context_length: int = Field(8192, ge=256)
    timeout_s: float = Field(60.0, gt=0.0)
    rest_s: float = Field(10.0, ge=0.0)
    schema_style: Literal["json_schema", "json_object"] = "json_schema"

    def key(self) -> SecretStr:
        """The key; empty where none is needed. Raises RemoteRefused where its variable holds none."""
        if not self.api_key_variable:
            return SecretStr("")
        value = os.environ.get(self.api_key_variable, "").strip()
        if not value or not value.isascii() or not value.isprintable():
            raise RemoteRefused(f"There is no key of {self.model} in the variable {self.api_key_variable}; set it.")
        return SecretStr(value)


class _Model(BaseModel):
    id: str


class _Listing(BaseModel):
    data: tuple[_Model, ...]


@cache
def _certificates() -> ssl.SSLContext:
    # The system's, so that a hospital's own authority counts; httpx would bring a list of its own.
    return ssl.create_default_context()


class Endpoint:
    """One server: how many answers it is giving to this program, and whether it failed lately.

    `private` says that nobody on the way can read what is sent.
    """

    def __init__(self, url: HttpUrl, settings: RemoteSettings, key: SecretStr) -> None:
        self._base = str(url).rstrip("/").removesuffix("/v1")
        self._settings, self._key = settings, key
        self.host = f"{url.host}:{url.port}"
        self.private = url.scheme == "https" or url.host in _THIS_MACHINE
        self.running = 0
        self.well = True
        self._rested_at = 0.0

    @property
    def rested(self) -> bool:
        """Whether it may be asked for its health again."""
        return time.monotonic() >= self._rested_at

    def rest(self) -> None:
        """Leave it alone for some seconds: it failed."""
        self.well, self._rested_at = False, time.monotonic() + self._settings.rest_s

    async def models(self) -> tuple[str, ...]:
        """The names of the models that it serves, which is how its health is asked.

        Raises RemoteUnavailable, RemoteRefused.
        """
        with self._typed():
            async with timeout(min(_CONNECT_S, self._settings.timeout_s)), self._client() as client:
                response = await client.get("/v1/models")
                if response.status_code == httpx.codes.NOT_FOUND:
                    raise RemoteRefused(
                        f"{self.host} has no list of models at {response.url.path}; correct its address."
                    )
                if not response.is_success:
                    raise self._refusal(response.status_code, response.text)
        try:
            listing = _Listing.model_validate_json(response.content)
        except ValidationError:
            raise self.unintelligible() from None
        return tuple(_shown(model.id) for model in listing.data)

    async def post(self, path: str, body: Mapping[str, JsonValue]) -> AsyncGenerator[str, None]:
        """The data of the events with which it answers. Closing the iterator hangs up.

        Raises RemoteUnavailable, RemoteRefused, ContextOverflow.
        """
        patience = self._settings.timeout_s
        with self._typed():
            async with self._client() as client:
                request = client.build_request("POST", path, json=body, headers={"Accept": "text/event-stream"})
                async with timeout(patience):
                    response = await client.send(request, stream=True)
                async with aclosing(response):
                    await self._require_success(response)
                    response.encoding = "utf-8"
                    async with aclosing(EventSource(response).aiter_sse()) as events:
                        while True:
                            async with timeout(patience):
                                event = await anext(events, None)
                            if event is None:
                                break
                            yield event.data

    def _client(self) -> httpx.AsyncClient:
        # One each: streams hang up by closing it, and it belongs to the event loop that opened it.
        key = self._key.get_secret_value()
        return httpx.AsyncClient(
            base_url=self._base,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(self._settings.timeout_s, connect=min(_CONNECT_S, self._settings.timeout_s)),
            verify=_certificates(),
            trust_env=False,
        )

    async def _require_success(self, response: httpx.Response) -> None:
        if response.is_success:
            return
        async with timeout(_CONNECT_S):
            await response.aread()
        raise self._refusal(response.status_code, response.text)

    def _refusal(self, status: int, said: str) -> RemoteUnavailable | RemoteRefused | ContextOverflow:
        settings = self._settings
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in _OVERLOADED:
            return RemoteUnavailable(f"{self.host} cannot serve {settings.model} now (HTTP {status}); try again later.")
        if status in _UNKNOWN_KEY:
            name = settings.api_key_variable
            advice = f"correct the variable {name}" if name else "name the key's variable in api_key_variable"
            return RemoteRefused(f"{self.host} does not accept the key of {settings.model}; {advice}.")
        if _too_long(said):
            return self._overflow()
        if status == httpx.codes.NOT_FOUND:
            return RemoteRefused(f"{self.host} knows no model {settings.model}; `coreasoner doctor` says which it has.")
        words = _shown(said.replace(self._key.get_secret_value() or "\0", "…"))
        return RemoteRefused(f"{self.host} refuses the request (HTTP {status}: {words}); correct the settings of it.")

    def broken_off(self, said: str = "") -> RemoteUnavailable | ContextOverflow:
        """An answer that did not come to its end; `said` is what the server gave as its reason."""
        if _too_long(said):
            return self._overflow()
        return RemoteUnavailable(
            f"{self.host} broke off before its answer was complete; ask again, and read its log if that repeats."
        )

    def _overflow(self) -> ContextOverflow:
        return ContextOverflow(f"The text is too long for {self._settings.model} at {self.host}; shorten the case.")

    def unintelligible(self) -> RemoteUnavailable:
        """An answer that cannot be read."""
        return RemoteUnavailable(f"{self.host} sends what cannot be read; check that it speaks the OpenAI protocol.")

    @contextmanager
    def _typed(self) -> Iterator[None]:
        try:
            yield
        except SSEError:
            raise self.unintelligible() from None
        except (TimeoutError, httpx.TimeoutException) as error:
            raise RemoteUnavailable(
                f"{self.host} does not answer in time; check that it runs and is not busy."
            ) from error
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError) as error:
            raise self.broken_off() from error
        except httpx.RequestError as error:
            if _UNTRUSTED in str(error):
                raise RemoteRefused(
                    f"{self.host} shows a certificate that this machine does not trust; install its authority here."
                ) from error
            raise RemoteUnavailable(f"{self.host} cannot be reached; check that the server runs.") from error


def _too_long(said: str) -> bool:
    return any(words in said for words in _TOO_LONG)


def _shown(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text[: _SHOWN * 10])
    return " ".join(printable.split())[:_SHOWN]
