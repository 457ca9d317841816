"""How redaction is scored: whole things found, and places that are half right at least."""

from pathlib import Path

from evaluation.redaction import made, marked, real, score


def test_marks_become_places() -> None:
    labelled = marked("en", "Mr {n|Fenwick}, {p|020 7946 0123}")

    assert labelled.text == "Mr Fenwick, 020 7946 0123"
    assert [(one.kind, one.start, one.end) for one in labelled.private] == [("name", 3, 10), ("phone", 12, 25)]


def test_a_thing_counts_when_all_of_it_is_found() -> None:
    whole, missed = score(marked("en", "Mr {n|Fenwick} is well")), score(marked("en", "{n|Fenwick} is well"))

    assert (whole["name"].covered, whole["name"].right, missed["name"].covered) == (1, 1, 0)


def test_the_halves_are_all_sentences_once() -> None:
    texts = [text.text for text in made()]

    assert sorted(texts) == sorted(text.text for half in (0, 1) for text in made(half))
    assert len(texts) == 15 * 30


def test_the_labels_of_the_real_questions_still_fit(shared_data: Path) -> None:
    labelled = [text for text in real(shared_data) if text.private]

    assert sum(len(text.private) for text in labelled) == 36
