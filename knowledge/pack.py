"""A pack: a folder of guideline documents and the manifest that says whose they are and how long they hold.

Reads, infers and seals manifests. It doesn't know what becomes of the documents.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Annotated, Self

import tomlkit
import tomlkit.exceptions
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from knowledge.document import Document
from knowledge.errors import DocumentUnsupported, PackInvalid
from knowledge.untrusted import neutralise

MANIFEST = "pack.toml"
UNDETERMINED = "und"  # BCP 47: the language isn't known
# What a manifest states of the pack as a whole and documents don't tell by themselves.
STATED = ("title", "publisher", "jurisdiction", "language", "edition", "effective", "expires", "licence")
_DATES = ("effective", "expires")
_OF_THE_PUBLISHER = ("publisher", "jurisdiction", "licence")
_SAMPLE = 4000
_TITLE = 300
_UNTITLED = "document"

Identify = Callable[[str], str | None]  # text -> BCP 47, or None where it can't tell
Complete = Callable[["Manifest"], "Manifest"]  # an inferred manifest -> what is to be taken for it


def _one_line(text: str) -> str:
    return " ".join(neutralise(text).text.split())


def _inside(file: str) -> str:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or "\\" in file or ":" in file or file in ("", "."):
        raise ValueError(f"the path {file!r} leaves the pack's folder")
    return path.as_posix()


Line = Annotated[str, AfterValidator(_one_line), StringConstraints(max_length=1000)]
RequiredLine = Annotated[Line, StringConstraints(min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^\w[\w.-]{0,79}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Jurisdiction = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}|INT)$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class DocumentEntry(BaseModel):
    """One document of a pack; `language` only where it isn't the pack's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Annotated[str, AfterValidator(_inside)]
    title: RequiredLine
    sources: tuple[Line, ...] = ()
    language: Language | None = None
    sha256: Digest | None = None


class Manifest(BaseModel):
    """What a pack says of itself; an empty publisher, edition or licence is one that isn't stated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    title: RequiredLine
    publisher: Line
    jurisdiction: Jurisdiction
    language: Language
    edition: Line
    effective: date | None = None
    expires: date | None = None
    licence: Line
    demonstration: bool = False
    documents: tuple[DocumentEntry, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        files = [entry.file for entry in self.documents]
        if not files:
            raise ValueError("it lists no documents")
        if len(set(files)) < len(files):
            raise ValueError("it lists a document twice")
        if self.effective and self.expires and self.expires < self.effective:
            raise ValueError("it expires before it takes effect")
        return self


def read_pack(folder: Path) -> Manifest:
    """Read `pack.toml`; raises PackInvalid where it, or a document that it lists, is missing or wrong."""
    try:
        content = tomllib.loads((folder / MANIFEST).read_text("utf-8-sig"))
    except FileNotFoundError as error:
        raise PackInvalid(folder.name, f"it has no {MANIFEST}") from error
    except (OSError, ValueError) as error:
        raise PackInvalid(folder.name, f"{MANIFEST} is not readable as TOML ({error})") from error
    if set(content) != {"pack", "documents"} or not isinstance(content["pack"], dict):
        raise PackInvalid(folder.name, f"{MANIFEST} needs one [pack] and at least one [[documents]], and nothing else")
    try:
        manifest = Manifest.model_validate({**content["pack"], "documents": content["documents"]})
    except ValidationError as error:
        raise PackInvalid(folder.name, _first_problem(error)) from error
    for entry in manifest.documents:
        document_path(folder, entry.file)
    return manifest


def document_path(folder: Path, file: str) -> Path:
    """Where the document lies; raises PackInvalid where it is missing or a link that leads out of the folder."""
    path = folder / file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PackInvalid(folder.name, f"{file} leads out of the pack's folder")
    if not path.is_file():
        raise PackInvalid(folder.name, f"{file} is listed but missing")
    return path


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"in {MANIFEST}, {place}: {problem['msg']}" if place else f"in {MANIFEST}, {problem['msg']}"


def seal_pack(folder: Path) -> Manifest:
    """Write the SHA-256 of every document into `pack.toml`, which otherwise stays as its author wrote it."""
    manifest = read_pack(folder)
    target = folder / MANIFEST
    content = tomlkit.parse(target.read_text("utf-8-sig"))
    for table, entry in zip(content["documents"], manifest.documents, strict=True):  # type: ignore[arg-type]  # tomlkit types items as a union
        table["sha256"] = sha256(document_path(folder, entry.file).read_bytes()).hexdigest()
    unfinished = folder / f".{MANIFEST}.new"
    unfinished.write_text(tomlkit.dumps(content), "utf-8", newline="\n")
    os.replace(unfinished, target)
    return read_pack(folder)


def infer_pack(
    path: Path, documents: Mapping[str, Document], *, language: str | None = None, identify: Identify | None = None
) -> Manifest:
    """A manifest for a folder without one, or for a single file: jurisdiction INT, edition and publisher not stated.

    `documents` are those that could be read, by their paths in the folder. Each one's title is its own or its file's
    name; its language is `language`, or what `identify` makes of it. Raises PackInvalid.
    """
    entries = [_infer_entry(file, document, language, identify) for file, document in documents.items()]
    languages = [entry.language for entry in entries if entry.language]
    try:
        return Manifest(
            name=re.sub(r"[^\w.-]+", "-", path.stem if path.is_file() else path.name).strip("-.")[:80] or "pack",
            title=entries[0].title if path.is_file() else path.name,
            publisher="",
            jurisdiction="INT",
            language=language or max(languages, key=languages.count, default=UNDETERMINED),
            edition="",
            licence="",
            documents=tuple(entries),
        )
    except ValidationError as error:
        raise PackInvalid(path.name, _first_problem(error)) from error


def restated(manifest: Manifest, values: Mapping[str, str]) -> Manifest:
    """The manifest with some of what it states replaced [field: text], where an empty date is none.

    Documents follow in what they have of the pack: a single one its title, and those in its language the language.
    Raises PackInvalid.
    """
    changed: dict[str, object] = {f: (text or None) if f in _DATES else text for f, text in values.items()}
    if "jurisdiction" in values:
        changed["jurisdiction"] = values["jurisdiction"].upper()
    try:
        stated = Manifest.model_validate({**manifest.model_dump(), **changed})
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise PackInvalid(manifest.name, ": ".join((*map(str, problem["loc"]), problem["msg"]))) from error
    entries = tuple(_following(entry, manifest, stated) for entry in manifest.documents)
    return stated.model_copy(update={"documents": entries})


def _following(entry: DocumentEntry, before: Manifest, after: Manifest) -> DocumentEntry:
    alone = len(before.documents) == 1 and entry.title == before.title
    return entry.model_copy(
        update={
            "title": after.title if alone else entry.title,
            "language": after.language if entry.language == before.language else entry.language,
        }
    )


def remembered(inferred: Manifest, former: Manifest | None) -> Manifest:
    """An inferred manifest with what is known from the pack of that name that is there already.

    Of the same documents that is all; of others it is the publisher, the country and the licence, since edition and
    dates are those of the former text.
    """
    if former is None:
        return inferred
    if same_documents(inferred, former):
        return former
    return restated(inferred, {field: getattr(former, field) for field in _OF_THE_PUBLISHER})


def same_documents(one: Manifest, other: Manifest) -> bool:
    """Whether two manifests list the same files with the same hashes."""
    files = ({(entry.file, entry.sha256) for entry in manifest.documents} for manifest in (one, other))
    return next(files) == next(files)


def documents_below(path: Path) -> list[str]:
    """The files of a folder without a manifest, by their paths in it, but hidden ones; or the file itself."""
    if path.is_file():
        return [path.name]
    found = (p for p in path.rglob("*") if p.is_file() and p.resolve().is_relative_to(path.resolve()))
    relative = (p.relative_to(path) for p in found)
    return sorted(r.as_posix() for r in relative if not any(part.startswith(".") for part in r.parts))


def check_name(file: str) -> None:
    """Raise DocumentUnsupported unless a manifest can list the file: its name must work on every system."""
    try:
        file.encode()
        _inside(file)
    except ValueError as error:
        reason = "its name has a colon, a backslash or bytes that are not UTF-8, so rename it"
        raise DocumentUnsupported(file.encode("utf-8", "replace").decode(), reason) from error


def _infer_entry(file: str, document: Document, language: str | None, identify: Identify | None) -> DocumentEntry:
    identified = identify(document.text[:_SAMPLE]) if identify and not language else None
    named = (_one_line(name)[:_TITLE] for name in (document.title or "", PurePosixPath(file).stem))
    return DocumentEntry(file=file, title=next(filter(None, named), _UNTITLED), language=language or identified)
