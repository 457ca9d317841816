from collections import Counter
from pathlib import Path

import pytest

from evaluation.benchmark import faults
from evaluation.benchmarks import benchmark
from evaluation.errors import MalformedFile
from tests.evaluation.benchmarks.files import workbook

NLI = benchmark("multimedx-nli")
ENGLISH = "\nPremise:\nAspirin was given.\n\nHypothesis:\nAspirin helps.\n"


def written(folder: Path, local: str, label: str = "entailment") -> Path:
    workbook(folder / "bionli_jp_150.xlsx", ("EN", "jp", "gold_label"), [(ENGLISH, local, label)])
    return folder


def test_an_item_has_premise_and_hypothesis_in_both_languages(tmp_path: Path) -> None:
    (found,) = NLI.load(written(tmp_path, "前提：\n投与した。\n仮説：\n効く。"), "ja")

    assert (found.text, found.hypothesis, found.label) == ("投与した。", "効く。", "entailment")
    assert (found.english, found.english_hypothesis) == ("Aspirin was given.", "Aspirin helps.")


def test_a_label_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile, match="line 2: 'perhaps' is no label"):
        NLI.load(written(tmp_path, "前提:\n投与した。\n仮説:\n効く。", "perhaps"), "ja")


def test_a_sheet_without_its_column_is_named(tmp_path: Path) -> None:
    workbook(tmp_path / "bionli_jp_150.xlsx", ("EN", "JA", "gold_label"), [(ENGLISH, "前提", "entailment")])

    with pytest.raises(MalformedFile, match="line 2: jp: field required"):
        NLI.load(tmp_path, "ja")


def test_row_123_of_the_shared_file_has_its_hypothesis(shared_data: Path) -> None:
    items = NLI.load(shared_data, "ja")

    (found,) = [one for one in items if any(fault.startswith("no hypothesis marker") for fault in one.faults)]
    assert items.index(found) == 123
    assert "row 123 counted from 0 (line 125)" in found.faults[0]
    assert found.hypothesis == (
        "ADPは、重度のストレス下にあるミトコンドリアにおいて、カルシウム保持能力（CRC）を強力に回復させることと結論付けます。"
    )
    assert found.label


def test_67_rows_of_the_shared_file_have_full_width_colons(shared_data: Path) -> None:
    kinds = Counter(fault.kind for fault in faults(NLI.load(shared_data, "ja")))

    assert kinds == {"full-width colon": 67, "no hypothesis marker": 1}


def test_no_marker_is_left_in_the_shared_file(shared_data: Path) -> None:
    for one in NLI.load(shared_data, "ja"):
        texts = (one.text, one.hypothesis, one.english, one.english_hypothesis)
        assert not any(
            mark in (text or "") for text in texts for mark in ("前提", "Premise:", "Hypothesis:", "仮説:", "仮説：")
        )
