"""The shared term sets as they are read."""

from pathlib import Path

from evaluation.terms import MEASURED, Term, distinct, term_sets


def test_the_shared_sets_are_read_in_all_their_languages(shared_data: Path) -> None:
    found = [(one.source, one.language) for one in term_sets(shared_data, 20)]

    hpo = [("hpo", language) for language in ("ja", "zh", "es", "fr", "pt")]
    assert found == [*hpo, *(("tico19", language) for language in MEASURED), ("doid", "es")]


def test_no_name_is_there_twice(shared_data: Path) -> None:
    for one in term_sets(shared_data, 400):
        for names in zip(*one.terms, strict=True):
            assert len({name.casefold() for name in names}) == len(names)


def test_fewer_terms_are_a_part_of_more(shared_data: Path) -> None:
    few, many = (term_sets(shared_data, count)[0].terms for count in (50, 100))

    assert many[:50] == few


def test_two_names_that_translators_take_for_one_concept_are_one(tmp_path: Path) -> None:
    folder = tmp_path / "terms" / "tico19"
    folder.mkdir(parents=True)
    said = {
        "f_en-es_XX": {"Hand-washing": "lavado de manos", "washing hands": "Lavado de manos", "mask": "mascarilla"},
        "g_en_ja": {"hand-washing": "手洗い", "washing hands": "手洗い", "mask": "マスク", "respirator": "マスク"},
        "f_en-ja_XX": {"mask": "マスク", "respirator": "マスク"},
    }
    for name, words in said.items():
        rows = "".join(f"{english},{translation}\n" for english, translation in words.items())
        (folder / f"{name}.csv").write_text(f"sourceString,targetString\n{rows}", "utf-8")
    terms = [Term(name, name) for name in ("washing hands", "respirator", "hand-washing", "mask")]

    # That a mask and a respirator are one in Japanese alone says nothing of the concepts.
    assert [term.english for term in distinct(terms, tmp_path)] == ["washing hands", "respirator", "mask"]
