"""The energy counters of Linux, laid out as the kernel lays them out."""

from pathlib import Path

import pytest

from evaluation.energy import Energy


def counter(folder: Path, zone: str, count: int, most: int = 1_000_000_000) -> None:
    (folder / zone).mkdir(exist_ok=True)
    (folder / zone / "energy_uj").write_text(f"{count}\n")
    (folder / zone / "max_energy_range_uj").write_text(f"{most}\n")


def test_packages_are_added_up_and_their_parts_are_not(tmp_path: Path) -> None:
    for zone in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        counter(tmp_path, zone, 5_000_000)
    energy = Energy(tmp_path)

    for zone in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        counter(tmp_path, zone, 7_500_000)

    assert energy.joules() == pytest.approx(5.0)


def test_a_counter_that_began_again_is_counted_on(tmp_path: Path) -> None:
    counter(tmp_path, "intel-rapl:0", 90_000_000, most=100_000_000)
    energy = Energy(tmp_path)
    counter(tmp_path, "intel-rapl:0", 5_000_000, most=100_000_000)
    first = energy.joules()
    counter(tmp_path, "intel-rapl:0", 6_000_000, most=100_000_000)

    assert [first, energy.joules()] == pytest.approx([15.0, 16.0])


@pytest.mark.parametrize("content", [None, "", "much"])
def test_where_nothing_tells_there_is_no_figure(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "intel-rapl:0").mkdir()
        (tmp_path / "intel-rapl:0" / "energy_uj").write_text(content)

    assert Energy(tmp_path).joules() is None
