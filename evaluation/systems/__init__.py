"""The systems that are compared: every module of this package has `SYSTEMS`, and a new one is found by being there.

Knows nothing of what they do.
"""

import pkgutil
from collections.abc import Sequence
from functools import cache
from importlib import import_module

from evaluation.errors import UnknownSystem
from evaluation.system import System


@cache
def systems() -> dict[str, System]:
    """All systems by name, in the order of their modules' names, `direct` first: the others are compared with it."""
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    listed: list[System] = [system for module in modules for system in module.SYSTEMS]
    return {system.name: system for system in sorted(listed, key=lambda system: system.name != "direct")}


def chosen(names: Sequence[str]) -> tuple[System, ...]:
    """The systems of these names; all where none is named. Raises UnknownSystem."""
    known = systems()
    for name in names:
        if name not in known:
            raise UnknownSystem(f"There is no system called {name}; choose among {', '.join(known)}.")
    return tuple(known[name] for name in dict.fromkeys(names)) if names else tuple(known.values())
