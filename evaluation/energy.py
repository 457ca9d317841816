"""The energy that the processors have used, where Linux tells: its powercap counters, which AMD's processors have too.

Whole packages, whatever ran on them. Since kernel 5.10 only root may read the counters, and most virtual machines have
none; graphics cards are not counted. Source: Documentation/power/powercap/powercap.rst of the Linux kernel.
"""

from pathlib import Path

_POWERCAP = Path("/sys/class/powercap")
_MICRO = 1e-6


class Energy:
    """Counts from when it is made. A counter that began again since it was last read is counted on."""

    def __init__(self, folder: Path = _POWERCAP) -> None:
        # A package is called intel-rapl:0; its parts, intel-rapl:0:0, are within it.
        found = {zone: _read(zone / "energy_uj") for zone in sorted(folder.glob("intel-rapl:*")) if _is_package(zone)}
        self._last = {zone: count for zone, count in found.items() if count is not None}
        self._used = 0

    def joules(self) -> float | None:
        """Used until now; None where nothing tells."""
        for zone, before in self._last.items():
            now = _read(zone / "energy_uj")
            if now is None:
                continue
            begun_again = now < before
            self._used += now - before + ((_read(zone / "max_energy_range_uj") or 0) if begun_again else 0)
            self._last[zone] = now
        return self._used * _MICRO if self._last else None


def _is_package(zone: Path) -> bool:
    return zone.name.count(":") == 1


def _read(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
