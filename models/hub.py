"""Streams files from the Hugging Face hub by plain HTTPS, and goes on where an earlier attempt broke off.

Knows nothing of hashes: whoever asks must check what comes out.
"""

import os
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
from tenacity import Retrying

from models.errors import DownloadFailed
from models.files import Progress, require_space

_TIMEOUT = httpx.Timeout(30.0)
_PARTIAL, _RANGE_NOT_SATISFIABLE = 206, 416


def address(hub: str, repo: str, revision: str, file: str) -> str:
    """The URL of `file`. Raises DownloadFailed where `hub` is neither HTTPS nor this machine."""
    parts = urlsplit(hub)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost"):
        raise DownloadFailed(f"The model hub {hub} does not use https; correct the settings.")
    return f"{hub.rstrip('/')}/{quote(repo)}/resolve/{quote(revision, safe='')}/{quote(file)}"


def fetch(url: str, target: Path, retry: Retrying, label: str, progress: Progress) -> None:
    """Have the file behind `url` at `target`; an unfinished one there is continued. Raises DownloadFailed, DiskFull."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.unfinished")
    retry(_attempt, url, unfinished, label, progress)
    unfinished.replace(target)


def _attempt(url: str, unfinished: Path, label: str, progress: Progress) -> None:
    have = unfinished.stat().st_size if unfinished.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT) as response:
            if response.status_code == _RANGE_NOT_SATISFIABLE:
                if response.headers.get("Content-Range") == f"bytes */{have}":
                    return  # it had arrived whole when the earlier attempt ended
                unfinished.unlink()
            response.raise_for_status()
            _receive(response, unfinished, have if response.status_code == _PARTIAL else 0, label, progress)
    except httpx.HTTPStatusError as error:
        raise DownloadFailed(
            f"The hub answered {error.response.status_code} for {url}; accept the model's licence there if it has one, "
            "or take the file from another machine with `coreasoner models import FILE`."
        ) from error
    except httpx.HTTPError as error:
        raise DownloadFailed(
            f"The download of {label} broke off ({type(error).__name__}); pull again to go on where it stopped."
        ) from error


def _receive(response: httpx.Response, unfinished: Path, have: int, label: str, progress: Progress) -> None:
    if have and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        raise DownloadFailed(f"The hub sent another part of {label} than the one asked for; pull again.")
    length = response.headers.get("Content-Length")
    total = have + int(length) if length else None
    require_space(unfinished.parent, int(length or 0))
    with unfinished.open("r+b" if have else "wb") as file:
        file.seek(have)
        for chunk in response.iter_bytes():  # as they come: what is buffered would be lost when the line breaks
            file.write(chunk)
            progress(label, file.tell(), total)
        file.flush()
        os.fsync(file.fileno())
