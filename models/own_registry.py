"""The administrator's own registry file: an entry is added, and nothing in it is replaced.

Knows nothing of what is in weights, nor of what the product's own registry says.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import tomlkit
from pydantic import TypeAdapter, ValidationError
from tomlkit.exceptions import TOMLKitError

from models.errors import MalformedRegistry, UnknownModel
from models.files import write_small
from models.registry import ModelCard, Name, Registry

_NAME: TypeAdapter[str] = TypeAdapter(Name)


def require_free(registry: Registry, name: str) -> None:
    """That a new model may have this name. Raises UnknownModel."""
    try:
        _NAME.validate_python(name)
    except ValidationError:
        raise UnknownModel(f"{name!r} cannot name a model; use small letters, digits, dots and hyphens.") from None
    if any(card.name == name for card in registry.cards):
        raise UnknownModel(f"The registry has a model called {name} already; choose another name.")


def read_one(file: Path) -> tuple[ModelCard, Mapping[str, object]]:
    """The one model of a registry file that came along with its weights, and its fields as they stand there.

    Its weights lie beside the file. Raises MalformedRegistry.
    """
    try:
        ((name, fields),) = tomllib.loads(file.read_text("utf-8"))["models"].items()
        card = ModelCard.model_validate({"name": name, **fields})
    except (OSError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise MalformedRegistry(f"{file} describes no model that could be registered; write it again.") from error
    if not card.sha256 or "/" in card.file or card.companions:
        raise MalformedRegistry(f"{file} does not name one file beside it and its hash; write it again.")
    return card, fields


def add(file: Path, name: str, fields: Mapping[str, object]) -> None:
    """Add an entry, keeping all that stands in the file. Raises MalformedRegistry."""
    try:
        content = tomlkit.parse(file.read_text("utf-8") if file.exists() else "")
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise MalformedRegistry(f"{file.name} cannot be read ({error}); correct it.") from error
    content.setdefault("models", tomlkit.table(is_super_table=True))[name] = dict(fields)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_small(file, tomlkit.dumps(content))
