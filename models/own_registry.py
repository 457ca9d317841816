"""The administrator's own registry file: an entry is added, and nothing in it is replaced.

Knows nothing of weights, nor of what the product's own registry says.
"""

from collections.abc import Mapping
from pathlib import Path

import tomlkit
from pydantic import TypeAdapter, ValidationError
from tomlkit.exceptions import TOMLKitError

from models.errors import MalformedRegistry, UnknownModel
from models.files import write_small
from models.registry import Name, Registry

_NAME: TypeAdapter[str] = TypeAdapter(Name)


def require_free(registry: Registry, name: str) -> None:
    """That a new model may have this name. Raises UnknownModel."""
    try:
        _NAME.validate_python(name)
    except ValidationError:
        raise UnknownModel(f"{name!r} cannot name a model; use small letters, digits, dots and hyphens.") from None
    if any(card.name == name for card in registry.cards):
        raise UnknownModel(f"The registry has a model called {name} already; choose another name.")


def add(file: Path, name: str, fields: Mapping[str, object]) -> None:
    """Add an entry, keeping all that stands in the file. Raises MalformedRegistry."""
    try:
        content = tomlkit.parse(file.read_text("utf-8") if file.exists() else "")
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise MalformedRegistry(f"{file.name} cannot be read ({error}); correct it.") from error
    content.setdefault("models", tomlkit.table(is_super_table=True))[name] = dict(fields)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_small(file, tomlkit.dumps(content))
