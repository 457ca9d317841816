"""A few of the kills that `python -m evaluation.endurance --ingest-kills 50` does."""

from pathlib import Path

from evaluation.ingest_kills import ingest_kills


def test_whatever_is_killed_nothing_is_half_visible_and_running_it_again_completes(tmp_path: Path) -> None:
    summary = ingest_kills(tmp_path, 4)

    assert (summary.half_visible, summary.unfinished) == ((), ())
    died = sum(summary.killed.values())
    # Kills that come too late are tried again, four times as often as asked at most.
    assert died == 4 or died + summary.too_late == 16
