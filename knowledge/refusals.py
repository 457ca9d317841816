"""What object storage answers when it doesn't do what it was asked, as one sentence each.

The storage's own words are never passed on: they may hold the key's id.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from knowledge.errors import StorageError, StorageMissing, StorageRefused, StorageUnreachable
from knowledge.storage import KnowledgeSettings

_STATUS = re.compile(r"status code: ([0-9]{3})")


@contextmanager
def typed(settings: KnowledgeSettings) -> Iterator[None]:
    """Turn obstore's errors into StorageError and FileNotFoundError; a condition that doesn't hold stays as it is."""
    try:
        yield
    except (AlreadyExistsError, PreconditionError):
        raise
    except FileNotFoundError as error:
        raise _missing(settings, str(error)) or FileNotFoundError("no such object") from None
    except BaseError as error:
        raise _missing(settings, str(error)) or _refusal(settings, error) from None


def _missing(settings: KnowledgeSettings, said: str) -> StorageMissing | None:
    return StorageMissing(settings.bucket, settings.host) if "NoSuchBucket" in said else None


def _refusal(settings: KnowledgeSettings, error: BaseError) -> StorageError:
    found = _STATUS.search(str(error))
    status = int(found[1]) if found else None
    if isinstance(error, (UnauthenticatedError, PermissionDeniedError)) or status in (401, 403):
        return StorageRefused(
            f"{settings.host} doesn't let this key into the bucket {settings.bucket}; correct the variables "
            f"{settings.access_key_variable} and {settings.secret_key_variable}, or what the key may do."
        )
    if status is not None and status < 500 and status not in (408, 429):
        return StorageRefused(
            f"{settings.host} refuses the request (HTTP {status}); correct [knowledge] in the settings."
        )
    return StorageUnreachable(settings.host)
