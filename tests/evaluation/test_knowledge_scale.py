from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from evaluation.collection import Source, write_pack
from evaluation.knowledge_scale import Asked, KnownVectors, build, contents, multiplied, probe, taken_in
from evaluation.latency_plot import Curve, plot
from knowledge.store import KnowledgeStore
from tests.knowledge.conftest import HashingEmbedder

GUIDANCE = {f"t{n}.txt": Source(f"Give {n} mg of drug {n % 3} for {n} days.") for n in range(8)}


@pytest.fixture
def store(tmp_path: Path) -> KnowledgeStore:
    store = KnowledgeStore(tmp_path / "store", HashingEmbedder())
    store.add(write_pack(tmp_path / "packs", "en", "en", GUIDANCE))
    store.add(write_pack(tmp_path / "packs", "ja", "ja", {"j.txt": Source("発熱があれば受診する。")}))
    return store


def test_the_contents_of_a_store_are_all_its_passages_with_their_vectors(store: KnowledgeStore) -> None:
    passages, vectors = contents(store)

    assert {p.text for p in passages} == {*(s.text for s in GUIDANCE.values()), "発熱があれば受診する。"}
    expected = store.embedder.embed_passages([f"Answer\n{p.text}" for p in passages])
    assert vectors == pytest.approx(expected, abs=1e-6)


def test_multiplied_passages_keep_to_their_language(store: KnowledgeStore) -> None:
    passages, vectors = multiplied(*contents(store), 40)

    assert len(passages) == len(vectors) == 40
    assert all(p.text.isascii() == (p.language == "en") for p in passages)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(40), abs=1e-5)


def test_fewer_passages_are_a_choice_of_those_there_are(store: KnowledgeStore) -> None:
    passages, vectors = contents(store)

    chosen, kept = multiplied(passages, vectors, 3)

    assert set(chosen) < set(passages)
    assert kept.shape == (3, vectors.shape[1])


def test_a_built_store_holds_exactly_the_passages_that_it_was_built_of(store: KnowledgeStore, tmp_path: Path) -> None:
    passages, vectors = contents(store)

    build(tmp_path / "built", passages, vectors)

    built, kept = contents(KnowledgeStore(tmp_path / "built", KnownVectors({}, vectors.shape[1])))
    expected = dict(zip(passages, vectors, strict=True))
    assert sorted(built) == sorted(passages)
    assert kept == pytest.approx(np.stack([expected[said] for said in built]))


def test_a_probe_measures_every_question_and_counts_what_it_finds_of_the_nearest(
    store: KnowledgeStore, tmp_path: Path
) -> None:
    passages, vectors = contents(store)
    build(tmp_path / "built", passages, vectors)
    text = "give 3 mg of drug 0"
    question = store.embedder.embed_queries([text])[0]
    english = frozenset(p.text for p in passages if p.language == "en")
    missing = frozenset({*list(english)[:7], "A passage that is not there."})

    probed = probe(tmp_path / "built", [Asked("en", text, question, nearest) for nearest in (english, missing)])

    assert probed.recall == (1.0, 7 / 8)
    assert len(probed.filtered_ms) == len(probed.unfiltered_ms) == 2


def test_taking_in_tells_what_it_cost_and_when_there_was_nothing_to_do(tmp_path: Path) -> None:
    store = KnowledgeStore(tmp_path / "store", HashingEmbedder())
    pack = write_pack(tmp_path / "packs", "en", "en", GUIDANCE)

    first, second = taken_in(store, [pack]), taken_in(store, [pack])

    assert "- 1 packs, 8 documents, 8 passages in " in first
    assert "bytes on disk a passage" in first
    assert second == "- all guidelines were there already"


def test_the_plot_is_well_formed_and_higher_is_slower() -> None:
    drawn = ElementTree.fromstring(plot("Search <ms>", [Curve("p50", ((1000, 5.0), (100_000, 50.0)))], 60.0))

    lines = drawn.findall("{http://www.w3.org/2000/svg}polyline")
    (_, slow), (_, slower) = ([float(n) for n in pair.split(",")] for pair in lines[-1].attrib["points"].split())
    assert slower < slow  # SVG counts from the top
    assert "Search <ms>" in [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
