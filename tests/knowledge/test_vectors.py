from functools import partial

import numpy as np
import pytest

from knowledge.vectors import HeldFilters, HeldVectors

RANDOM = np.random.default_rng(7)
VECTORS = RANDOM.normal(size=(500, 16)).astype(np.float32)
IDS = [f"id-{number:03}" for number in range(500)]


def test_what_is_found_is_what_sorting_all_cosines_finds() -> None:
    question = RANDOM.normal(size=16).astype(np.float32)

    found = HeldVectors(IDS, VECTORS).nearest(question, 20)

    cosines = VECTORS @ question / np.linalg.norm(VECTORS, axis=1) / np.linalg.norm(question)
    best = np.argsort(-cosines)[:20]
    assert [item for item, _ in found] == [IDS[i] for i in best]
    assert [cosine for _, cosine in found] == pytest.approx(list(cosines[best]), abs=1e-6)


def test_equal_vectors_are_found_in_the_order_of_their_ids_wherever_they_are_held() -> None:
    places = RANDOM.permutation(500)
    vectors = VECTORS.copy()
    vectors[places[:30]] = VECTORS[0]

    found = HeldVectors(IDS, vectors).nearest(VECTORS[0], 7)

    assert [item for item, _ in found] == sorted(IDS[i] for i in {0, *places[:30]})[:7]


def test_no_more_is_found_than_there_is_and_no_more_than_asked() -> None:
    held = HeldVectors(IDS[:3], VECTORS[:3])

    assert [len(held.nearest(VECTORS[0], limit)) for limit in (0, 2, 10)] == [0, 2, 3]


def test_nothing_held_finds_nothing() -> None:
    empty = HeldVectors([], np.empty((0, 16), np.float32))

    assert empty.nearest(VECTORS[0], 5) == []
    assert not empty.centre.any()


def test_a_vector_without_direction_is_near_to_nothing() -> None:
    vectors = np.zeros((2, 16), np.float32)
    vectors[1] = VECTORS[0]

    assert HeldVectors(IDS[:2], vectors).nearest(VECTORS[0], 2) == [("id-001", pytest.approx(1.0)), ("id-000", 0.0)]


def test_the_centre_is_the_mean() -> None:
    assert HeldVectors(IDS, VECTORS).centre == pytest.approx(VECTORS.mean(axis=0), abs=1e-6)


def test_what_was_read_is_read_once_until_newer_filters_need_its_place() -> None:
    read: list[str] = []

    def reading(key: str) -> HeldVectors:
        read.append(key)
        return HeldVectors(IDS[:10], VECTORS[:10])

    filters = HeldFilters(10)
    for key in ("en", "ja", "en", "es", "en", "ja"):
        filters.get(key, partial(reading, key))

    assert read == ["en", "ja", "es", "ja"]
