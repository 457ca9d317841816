"""`coreasoner evaluate review` draws who rates what, and `review-report` says what they said."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from evaluation.review import Review
from tests.evaluation.review.values import SYSTEMS, rate, run_of
from transcripts.store import TranscriptStore
from ui.cli import app

pytest.importorskip("krippendorff", reason="krippendorff is not installed: pip install 'med-coreasoner[evaluation]'")


def command(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TranscriptStore]:
    with TranscriptStore.open(tmp_path / "transcripts.db") as opened:
        yield opened


@pytest.fixture
def run(tmp_path: Path, store: TranscriptStore, no_settings: Path) -> Path:
    return run_of(tmp_path / "run", store).folder


def test_each_rater_gets_a_code_and_their_pairs(run: Path) -> None:
    done = command("review", run, "--pairs", ":".join(SYSTEMS), "--raters", 2, "--seed", 3)

    review = Review.open(run / "review-direct-coreasoner")
    assert done.exit_code == 0
    for rater in review.assignments.raters:
        assert f"{rater.name}: 4 pairs, code {rater.code}" in done.output


def test_the_report_tells_both_systems_and_hands_out_the_ratings(
    run: Path, store: TranscriptStore, tmp_path: Path
) -> None:
    command("review", run, "--pairs", ":".join(SYSTEMS), "--raters", 2, "--to", tmp_path / "review")
    review = Review.open(tmp_path / "review")
    for rater in ("rater-1", "rater-2"):
        rate(review, store, rater, direct=2, coreasoner=4)

    done = command("review-report", tmp_path / "review", "--to", tmp_path / "report")

    assert done.exit_code == 0
    assert "| rater-1 | 1 | 4 |" in done.output.replace("\\", "")
    rows = list(csv.DictReader((tmp_path / "report" / "ratings.csv").read_text("utf-8").splitlines()))
    assert {(row["system"], row["safety"]) for row in rows} == {("direct", "2"), ("coreasoner", "4")}
    assert "direct" in (tmp_path / "report" / "review.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("pairs", "said"), [("direct:guess", "has no system guess"), ("direct", "name two systems"), ("a:a", "two systems")]
)
def test_a_pair_that_is_none_is_refused(run: Path, pairs: str, said: str) -> None:
    refused = command("review", run, "--pairs", pairs, "--raters", 1)

    assert refused.exit_code != 0
    assert said in " ".join(f"{refused.output} {refused.exception}".split())
