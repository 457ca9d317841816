"""The shared term sets as they are read."""

from pathlib import Path

from evaluation.terms import MEASURED, term_sets


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
