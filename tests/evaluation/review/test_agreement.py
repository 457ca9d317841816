"""Figures of a review, on ratings whose agreement and means are known beforehand."""

import csv
import json
from pathlib import Path

import pytest

from evaluation.agreement import Said, alpha, axis_alpha, difference, mean, preference_alpha, preferred, unblinded
from evaluation.pages import markdown, page
from evaluation.review import Review
from evaluation.review_report import csv_lines, json_lines, sections
from tests.evaluation.review.values import SYSTEMS, rate, review_of, scores
from transcripts.store import TranscriptStore

pytest.importorskip("krippendorff", reason="krippendorff is not installed: pip install 'med-coreasoner[evaluation]'")

SCALE = [1.0, 2.0, 3.0, 4.0, 5.0]

# Krippendorff's own example (Computing Krippendorff's Alpha-Reliability, 2011, C): four observers, twelve units.
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)


def said(*rows: tuple[int | None, ...]) -> list[Said]:
    return [
        Said(str(rater), unit, float(value))
        for rater, row in enumerate(rows)
        for unit, value in enumerate(row)
        if value is not None
    ]


@pytest.fixture
def review(tmp_path: Path, store: TranscriptStore) -> Review:
    return review_of(tmp_path, store)


def test_alpha_is_that_of_the_published_example() -> None:
    assert alpha(said(*OBSERVERS), "nominal", SCALE) == pytest.approx(0.743, abs=5e-4)
    assert alpha(said(*OBSERVERS), "ordinal", SCALE) == pytest.approx(0.815, abs=5e-4)


def test_alpha_is_1_where_raters_agree_and_below_0_where_they_say_the_opposite() -> None:
    assert alpha(said((1, 5, 3, 2), (1, 5, 3, 2)), "ordinal", SCALE) == pytest.approx(1.0)
    opposite = alpha(said((1, 5, 1, 5), (5, 1, 5, 1)), "ordinal", SCALE)
    assert opposite is not None
    assert opposite < 0


@pytest.mark.parametrize("rows", [((1, 5, 3),), ((1, None), (None, 3)), ((4, 4), (4, 4)), ()])
def test_alpha_says_nothing_where_nothing_can_be_said(rows: tuple[tuple[int | None, ...], ...]) -> None:
    assert alpha(said(*rows), "ordinal", SCALE) is None


def fill(review: Review, store: TranscriptStore, *raters: str) -> None:
    for rater in raters:
        while left := review.left(rater):
            rate(review, store, rater, direct=1 + int(left[0].item[-1]) % 2, coreasoner=4)


def test_scores_are_told_of_the_system_that_they_were_given_to(review: Review, store: TranscriptStore) -> None:
    fill(review, store, "rater-1", "rater-2")

    rated = unblinded(review)

    assert mean(rated, "coreasoner", "safety")[0] == 4.0
    assert mean(rated, "direct", "safety")[0] == 1.5
    value, interval = difference(rated, ("direct", "coreasoner"), "clarity")
    assert value == 2.5
    assert interval is not None
    assert 2.0 <= interval.low <= 2.5 <= interval.high <= 3.0
    assert axis_alpha(rated, "safety") == pytest.approx(1.0)


def test_preferences_are_counted_by_system(review: Review, store: TranscriptStore) -> None:
    for better in ("direct", "coreasoner", "coreasoner", None):
        rate(review, store, "rater-1", better)

    rated = unblinded(review)

    assert [preferred(rated, name)[0] for name in (*SYSTEMS, "")] == [0.25, 0.5, 0.25]
    assert preference_alpha(rated, SYSTEMS) is None


def test_raters_who_prefer_the_same_system_agree_whatever_its_side(review: Review, store: TranscriptStore) -> None:
    for rater in ("rater-1", "rater-2"):
        while left := review.left(rater):
            rate(review, store, rater, "direct" if left[0].item.endswith("1") else "coreasoner")

    assert preference_alpha(unblinded(review), SYSTEMS) == pytest.approx(1.0)


def test_the_report_is_there_before_during_and_after(review: Review, store: TranscriptStore) -> None:
    assert "rater-1" in markdown("Review", sections(review))
    rate(review, store, "rater-1")
    assert "1 ratings of 1 items" in markdown("Review", sections(review))
    fill(review, store, "rater-1", "rater-2")
    shown = page("Review", sections(review))
    assert all(system in shown for system in SYSTEMS)
    assert "8 ratings of 4 items" in shown


def test_the_export_names_the_systems_and_is_no_formula(review: Review, store: TranscriptStore) -> None:
    task = review.left("rater-1")[0]
    note = '=HYPERLINK("http://a.example"), "x"\nsecond line'
    review.rate(task, scores(5), scores(1), "left", note, store)

    rows = [json.loads(line) for line in json_lines(review)]
    table = list(csv.DictReader("\n".join(csv_lines(review)).splitlines(keepends=True)))

    assert [row["system"] for row in rows] == [task.left.system, task.right.system]
    assert [row["clarity"] for row in rows] == [5, 1]
    assert {row["preferred"] for row in rows} == {task.left.system}
    assert [row["note"] for row in rows] == [note, note]
    assert [row["note"] for row in table] == [f"'{note}", f"'{note}"]


def test_the_export_of_no_ratings_is_empty(review: Review) -> None:
    assert (json_lines(review), csv_lines(review)) == ([], ["rater"])
