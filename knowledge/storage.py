"""Where the knowledge base lies, as an administrator says it: a folder, or a bucket of S3-compatible object storage.

The settings name the variables that hold the keys; the keys themselves are in no file and in no sentence. It knows
nothing of how a bucket is spoken to.
"""

import os
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, field_validator

from knowledge.errors import StorageRefused
from knowledge.local import LocalFolder
from knowledge.place import Place

_BUCKET = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<prefix>(/[A-Za-z0-9_=-][A-Za-z0-9._=-]*)*)/?"
)


class KnowledgeSettings(BaseModel):
    """Where guidelines are kept: `location` is a folder (default: `knowledge` in the home folder) or `s3://BUCKET/PREFIX`.

    The rest is for a bucket only. `endpoint` is the address of the storage (default: Amazon's in `region`);
    `access_key_variable` and the like name the environment variables that hold the keys. A request may take `timeout_s`
    seconds. Who writes says so every `lease_s` / 4 seconds; after `lease_s` seconds of silence another may take over.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    location: str = ""
    endpoint: HttpUrl | None = None
    region: str = Field("us-east-1", min_length=1)
    access_key_variable: str = "AWS_ACCESS_KEY_ID"
    secret_key_variable: str = "AWS_SECRET_ACCESS_KEY"
    session_token_variable: str = ""
    timeout_s: float = Field(30.0, ge=1.0)
    lease_s: float = Field(20.0, ge=1.0)

    @field_validator("location")
    @classmethod
    def _possible(cls, location: str) -> str:
        if "://" in location and not _BUCKET.fullmatch(location):
            raise ValueError(
                "a folder, or s3://BUCKET/PREFIX in letters, digits and . _ = - with the bucket in small ones"
            )
        return location

    @field_validator("endpoint")
    @classmethod
    def _bare(cls, url: HttpUrl | None) -> HttpUrl | None:
        if url and (url.username or url.password or url.query or url.fragment or (url.path or "/") != "/"):
            raise ValueError("an address is a scheme, a host and a port; keys are named by their variables")
        return url

    @property
    def in_bucket(self) -> bool:
        """Whether it is object storage."""
        return self.location.startswith("s3://")

    @property
    def bucket(self) -> str:
        """The bucket of an `s3://` location."""
        return self._part("bucket")

    @property
    def prefix(self) -> str:
        """What the keys of all objects begin with, without slashes at its ends; may be empty."""
        return self._part("prefix").strip("/")

    def _part(self, name: str) -> str:
        found = _BUCKET.fullmatch(self.location)
        assert found, f"{self.location} is no bucket"
        return found[name]

    @property
    def host(self) -> str:
        """Who is spoken to, for sentences."""
        return f"{self.endpoint.host}:{self.endpoint.port}" if self.endpoint else f"Amazon S3 in {self.region}"

    @property
    def private(self) -> bool:
        """Whether nobody on the way can read what is sent."""
        return self.endpoint is None or self.endpoint.scheme == "https"

    def credentials(self) -> dict[str, str]:
        """The keys, by the names under which LanceDB and obstore take them. Raises StorageRefused without one."""
        named = {"access_key_id": self.access_key_variable, "secret_access_key": self.secret_key_variable}
        named |= {"session_token": self.session_token_variable} if self.session_token_variable else {}
        return {name: self._key(variable) for name, variable in named.items()}

    def _key(self, variable: str) -> str:
        value = os.environ.get(variable, "").strip()
        if not value or not value.isascii() or not value.isprintable():
            raise StorageRefused(f"There is no key of {self.location} in the variable {variable}; set it.")
        return value


def place_of(settings: KnowledgeSettings, default: Path) -> Place:
    """The place that the settings name, else the folder `default`. Raises StorageRefused where a key isn't set."""
    if not settings.in_bucket:
        return LocalFolder(Path(settings.location).expanduser() if settings.location else default)
    # Its library is only loaded where somebody has object storage.
    from knowledge.bucket import Bucket

    return Bucket(settings)
