"""The administrator's word: hashes of weights that the product's registry does not pin.

Kept as `allowed.toml` in the models folder, one table a model, one line a file. Knows nothing of the files themselves.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import tomlkit

from models.errors import MalformedRegistry
from models.files import write_small

_HEADER = "Weights that the administrator allowed, by SHA-256; written by `coreasoner models import FILE --allow`."


class AllowList:
    """Reads and extends `allowed.toml` in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "allowed.toml"

    def hashes(self, name: str) -> Mapping[str, str]:
        """Path in the models folder to SHA-256, for the model `name`. Raises MalformedRegistry."""
        return self._content().get(name, {})

    def add(self, name: str, hashes: Mapping[str, str]) -> None:
        """Allow these files of the model `name`, replacing what was allowed for it before."""
        content = self._content() | {name: dict(hashes)}
        document = tomlkit.document()
        document.add(tomlkit.comment(_HEADER))
        for model in sorted(content):
            document.add(tomlkit.key(model), tomlkit.item(dict(content[model])))
        write_small(self._path, tomlkit.dumps(document))

    def _content(self) -> dict[str, dict[str, str]]:
        if not self._path.exists():
            return {}
        try:
            content = tomllib.loads(self._path.read_text(encoding="utf-8"))
            return {name: {path: str(digest) for path, digest in files.items()} for name, files in content.items()}
        except (OSError, ValueError, AttributeError) as error:
            raise MalformedRegistry(f"{self._path.name} cannot be read ({error}); correct or remove it.") from error
