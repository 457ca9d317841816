"""Pairs are dealt by a seed: everyone their share, both sides equally often, and no name where a rater could see it."""

from collections import Counter
from pathlib import Path

import pytest

from evaluation.assignment import Assignments, assigned
from evaluation.errors import NothingToReview
from tests.evaluation.review.values import SYSTEMS, run_of
from transcripts.store import TranscriptStore


def drawn(tmp_path: Path, store: TranscriptStore, raters: int, seed: int = 7, **how: int) -> Assignments:
    items = how.pop("items", 6)
    return assigned(run_of(tmp_path / f"run-{items}", store, items), SYSTEMS, raters, seed, **how)


def test_every_rater_is_given_every_pair_once(tmp_path: Path, store: TranscriptStore) -> None:
    given = drawn(tmp_path, store, 3)

    assert {rater.name: len({task.item for task in given.of(rater.name)}) for rater in given.raters} == {
        f"rater-{n}": 6 for n in (1, 2, 3)
    }


def test_both_answers_of_a_pair_are_of_its_item(tmp_path: Path, store: TranscriptStore) -> None:
    run = run_of(tmp_path / "run", store)
    own = {one.transcript_id: (one.system, one.id) for one in run.predictions}

    for task in assigned(run, SYSTEMS, 1, 7).tasks:
        assert own[task.left.transcript] == (task.left.system, task.item.split("/")[-1])
        assert own[task.right.transcript] == (task.right.system, task.item.split("/")[-1])
        assert {task.left.system, task.right.system} == set(SYSTEMS)


@pytest.mark.parametrize("items", [2, 5, 6])
def test_each_system_stands_on_each_side_equally_often(tmp_path: Path, store: TranscriptStore, items: int) -> None:
    given = drawn(tmp_path, store, 2, items=items)

    for rater in given.raters:
        left = Counter(task.left.system for task in given.of(rater.name))
        assert abs(left[SYSTEMS[0]] - left[SYSTEMS[1]]) <= 1


def test_raters_have_orders_of_their_own(tmp_path: Path, store: TranscriptStore) -> None:
    given = drawn(tmp_path, store, 4)

    assert len({tuple(task.item for task in given.of(rater.name)) for rater in given.raters}) == 4


def test_the_same_seed_deals_the_same_and_another_does_not(tmp_path: Path, store: TranscriptStore) -> None:
    run = run_of(tmp_path / "run", store, 6)

    first, again, other = (assigned(run, SYSTEMS, 2, seed).tasks for seed in (7, 7, 8))

    assert first == again
    assert first != other


def test_codes_are_unlike_and_do_not_follow_from_the_seed(tmp_path: Path, store: TranscriptStore) -> None:
    run = run_of(tmp_path / "run", store)

    codes = [rater.code for _ in range(2) for rater in assigned(run, SYSTEMS, 5, 7).raters]

    assert len(set(codes)) == 10


@pytest.mark.parametrize("share", [1, 2])
def test_a_pair_goes_to_as_many_raters_as_asked(tmp_path: Path, store: TranscriptStore, share: int) -> None:
    given = drawn(tmp_path, store, 3, per_pair=share)

    assert set(Counter(task.item for task in given.tasks).values()) == {share}
    loads = [len(given.of(rater.name)) for rater in given.raters]
    assert max(loads) - min(loads) <= 1


def test_a_limit_takes_some_of_the_pairs(tmp_path: Path, store: TranscriptStore) -> None:
    run = run_of(tmp_path / "run", store, 6)

    some, more = ({task.item for task in assigned(run, SYSTEMS, 1, 7, limit=limit).tasks} for limit in (2, 4))

    assert len(some) == 2
    assert some < more


def test_what_one_system_did_not_answer_is_left_out_and_counted(tmp_path: Path, store: TranscriptStore) -> None:
    given = assigned(run_of(tmp_path / "run", store, 4, direct="2"), SYSTEMS, 1, 7)

    assert "ward/es/2" not in {task.item for task in given.tasks}
    assert given.left_out == {"failed": 1}


def test_without_a_pair_there_is_no_review(tmp_path: Path, store: TranscriptStore) -> None:
    with pytest.raises(NothingToReview, match="both direct and rag"):
        assigned(run_of(tmp_path / "run", store), ("direct", "rag"), 1, 7)
