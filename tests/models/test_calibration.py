"""How many lanes a machine gets: measured once, kept, and measured again where the file is of no use."""

from pathlib import Path

from models.calibration import calibrated
from models.llama import Weights
from models.protocol import EngineSettings

TWO = EngineSettings(sequences=2)


def test_lanes_are_measured_for_two_texts_and_the_better_number_is_taken(weights: Weights) -> None:
    found = calibrated(weights, TWO, 2, None)
    assert found.measured_ms.keys() == {2}
    times = found.measured_ms[2]
    assert times.keys() == {1, 2}
    assert all(ms > 0 for ms in times.values())
    assert times[found.lanes] == min(times.values())


def test_what_was_measured_is_kept_and_used_again(weights: Weights, tmp_path: Path) -> None:
    first = calibrated(weights, TWO, 2, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    assert calibrated(weights, TWO, 2, tmp_path / "cache") == first
    assert [file] == list((tmp_path / "cache").iterdir())


def test_other_settings_are_measured_for_themselves(weights: Weights, tmp_path: Path) -> None:
    calibrated(weights, TWO, 2, tmp_path)
    calibrated(weights, TWO.model_copy(update={"cache_keys": "q8_0"}), 2, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_broken_file_is_measured_again(weights: Weights, tmp_path: Path) -> None:
    calibrated(weights, TWO, 2, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text('{"lanes": "many"}')
    again = calibrated(weights, TWO, 2, tmp_path)
    assert again.lanes in (1, 2)
    assert file.read_text() == again.model_dump_json()


def test_exact_means_a_lane_for_each_text_and_no_measuring(weights: Weights, tmp_path: Path) -> None:
    exact = EngineSettings(sequences=4, exact=True)
    assert (calibrated(weights, exact, 2, tmp_path).lanes, list(tmp_path.iterdir())) == (4, [])


def test_one_core_has_one_lane(weights: Weights, tmp_path: Path) -> None:
    assert calibrated(weights, EngineSettings(sequences=4), 1, tmp_path).lanes == 1


def test_more_texts_than_a_slice_has_tokens_are_measured_too(weights: Weights) -> None:
    found = calibrated(weights, EngineSettings(context_length=256, sequences=20, prefill_slice=16), 2, None)
    assert found.lanes in (1, 2)
