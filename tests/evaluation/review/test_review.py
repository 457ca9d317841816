"""Ratings are on the record before they count, are kept whatever happens, and count once."""

import os
import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from evaluation.errors import RatingRefused, ReviewBusy, ReviewMissing, UnknownRater
from evaluation.review import AXES, Review
from tests.evaluation.review.values import SYSTEMS, rate, review_of, scores
from transcripts.errors import TranscriptMissing
from transcripts.event import Event, EventKind
from transcripts.store import TranscriptStore


@pytest.fixture
def review(tmp_path: Path, store: TranscriptStore) -> Review:
    return review_of(tmp_path, store)


def feedback(store: TranscriptStore, transcript: str) -> list[Event]:
    return [event for event in store.events(transcript) if event.kind is EventKind.FEEDBACK]


def test_a_rating_is_an_event_on_both_records(review: Review, store: TranscriptStore) -> None:
    task = review.left("rater-1")[0]

    rating = review.rate(task, scores(5, 4, 3, 2), scores(1), "left", "Name the dose.", store)

    (left,), (right,) = (feedback(store, voice.transcript) for voice in (task.left, task.right))
    assert rating.events == (left.hash, right.hash)
    assert {axis: left.body[axis] for axis in AXES} == dict(zip(AXES, (5, 4, 3, 2), strict=True))
    assert (left.body["preferred"], right.body["preferred"]) == ("this", "other")
    assert (left.body["rater"], left.body["note"]) == ("rater-1", "Name the dose.")
    store.verify(task.left.transcript)


def test_no_event_names_a_system(review: Review, store: TranscriptStore) -> None:
    task = review.left("rater-1")[0]
    rate(review, store, "rater-1")

    said = [str(feedback(store, voice.transcript)[0].body) for voice in (task.left, task.right)]

    assert not any(system in body for system in SYSTEMS for body in said)


def test_what_is_rated_is_not_asked_again_also_by_another_process(review: Review, store: TranscriptStore) -> None:
    before = review.left("rater-1")

    rate(review, store, "rater-1")

    assert Review.open(review.folder).left("rater-1") == before[1:]
    assert len(Review.open(review.folder).left("rater-2")) == len(before)


def test_a_pair_is_rated_once(review: Review, store: TranscriptStore) -> None:
    task = review.left("rater-1")[0]
    rate(review, store, "rater-1")

    with pytest.raises(RatingRefused, match="rated already"):
        review.rate(task, scores(1), scores(1), "neither", "", store)

    assert len(feedback(store, task.left.transcript)) == 1


def test_what_cannot_be_recorded_does_not_count(review: Review, store: TranscriptStore, tmp_path: Path) -> None:
    with TranscriptStore.open(tmp_path / "other.db") as other, pytest.raises(TranscriptMissing):
        rate(review, other, "rater-1")

    assert review.ratings == ()


def test_a_line_that_was_cut_off_is_asked_again(review: Review, store: TranscriptStore) -> None:
    rate(review, store, "rater-1")
    file = review.folder / "ratings.jsonl"
    os.truncate(file, file.stat().st_size - 5)

    opened = Review.open(review.folder)
    with opened.writing():
        rate(opened, store, "rater-1")

    assert len(opened.ratings) == 1


@pytest.mark.parametrize("value", [0, 6])
def test_a_score_off_the_scale_is_none(value: int) -> None:
    with pytest.raises(ValidationError):
        scores(value)


def test_a_code_opens_the_tasks_of_its_rater_only(review: Review) -> None:
    for rater in review.assignments.raters:
        assert review.rater(f" {rater.code}\n") == rater
    with pytest.raises(UnknownRater):
        review.rater("rater-1")
    with pytest.raises(UnknownRater):
        review.rater("é")


def test_only_its_owner_may_read_who_is_given_what(review: Review) -> None:
    assert stat.S_IMODE((review.folder / "assignments.json").stat().st_mode) == 0o600


def test_two_pages_cannot_take_ratings_at_once(review: Review) -> None:
    with review.writing(), pytest.raises(ReviewBusy, match="Another page"), Review.open(review.folder).writing():
        pass


def test_a_folder_without_a_review_says_how_to_begin_one(tmp_path: Path) -> None:
    with pytest.raises(ReviewMissing, match="coreasoner evaluate review RUN"):
        Review.open(tmp_path)


def test_a_review_is_not_begun_over_another(review: Review) -> None:
    with pytest.raises(FileExistsError):
        Review.begin(review.folder, review.assignments)
