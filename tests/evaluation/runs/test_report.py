"""The report says what was measured, and shows as text whatever models and benchmarks wrote."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from evaluation.answers import sorted_answers
from evaluation.item import Prediction
from evaluation.pages import markdown, page
from evaluation.report import Section, Table, report
from evaluation.run_folder import Run
from evaluation.versus import coupled
from tests.evaluation.runs.values import item, plan, prediction

HOSTILE = "<script>alert(1)</script> ![x](http://a.example/x.png) | cell |\n# Head \u202eevil"
ITEMS = tuple(item(str(number), language=language) for language in ("es", "en") for number in range(4))


def run_of(folder: Path, *predictions: Prediction, systems: tuple[str, ...] = ("direct", "rag")) -> Run:
    run = Run.begin(folder, plan(*ITEMS, systems=systems), ITEMS)
    with run.writing():
        for one in predictions:
            run.predictions.add(one)
    return run


def told(system: str, right: int, language: str = "es", **fields: object) -> list[Prediction]:
    """Four answers of a system in a language, of which the first so many are right."""
    places = [(0,) if number < right else (1,) for number in range(4)]
    return [
        prediction(str(number), system, language=language, chosen=place, **fields)
        for number, place in enumerate(places)
    ]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    spanish = [*told("direct", 1), *told("rag", 3)]
    return run_of(tmp_path / "run", *spanish, *told("direct", 2, "en"), *told("rag", 2, "en"))


def table(sections: tuple[Section, ...], title: str) -> Table:
    return next(one for section in sections for one in section.tables if one.title == title)


def column(found: Table, name: str) -> list[str]:
    return [row[found.head.index(name)] for row in found.rows]


def test_the_score_of_each_system_stands_beside_what_became_of_its_items(run: Run) -> None:
    scores = table(report([run]), "Scores and costs")

    assert column(scores, "system") == ["direct", "rag"]
    assert (column(scores, "asked"), column(scores, "answered")) == (["8", "8"], ["8", "8"])
    assert column(scores, "score") == ["0.375", "0.625"]


def test_each_language_has_its_column_and_its_gap_to_english(run: Run) -> None:
    accuracy = table(report([run]), "Accuracy")

    assert [cell.split()[0] for cell in column(accuracy, "es")] == ["0.250", "0.750"]
    assert [cell.split()[0] for cell in column(accuracy, "es, gap to English")] == ["-0.250", "0.250"]


def test_every_system_is_compared_with_direct_in_each_language(run: Run) -> None:
    against = table(report([run]), "Against direct")

    assert column(against, "language") == ["all", "es", "en"]
    assert column(against, "difference") == ["+0.250", "+0.500", "+0.000"]
    assert column(against, "McNemar p") == ["-", "0.500", "1.000"]
    assert all("not enough" in told or "nothing can be said" in told for told in column(against, "is n enough?")[1:])


def test_items_that_are_left_are_told(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", *told("direct", 1))

    scores = table(report([run]), "Scores and costs")

    assert (column(scores, "asked"), column(scores, "not yet")) == (["8"], ["4"])


def test_reasons_are_counted(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", *told("direct", 0, status="abstained", reason="the model concluded nothing"))

    why = table(report([run]), "Why there is no answer")

    assert why.rows == (("direct", "abstained", "4", "the model concluded nothing"),)


def test_systems_of_two_runs_have_names_of_their_own(tmp_path: Path) -> None:
    runs = [
        run_of(tmp_path / name, *told("direct", right), systems=("direct",)) for name, right in (("a", 1), ("b", 4))
    ]

    first, second = sorted_answers(runs)

    assert (first.name, second.name) == ("direct (1)", "direct (2)")
    assert [len(one.changed) for one in coupled([(first, second)])] == [3]


def test_each_run_is_held_against_its_own_direct(tmp_path: Path) -> None:
    runs = [
        run_of(tmp_path / name, *told("direct", direct), *told("rag", rag))
        for name, direct, rag in (("a", 1, 2), ("b", 4, 3))
    ]

    against = table(report(runs), "Against direct, each of its own run")

    assert column(against, "system") == ["rag (1)", "rag (2)"]
    assert column(against, "difference") == ["+0.250", "-0.250"]


def test_a_system_whose_run_has_no_direct_is_held_against_that_of_the_same_model(tmp_path: Path) -> None:
    alone = run_of(tmp_path / "a", *told("direct", 1), systems=("direct",))
    other = run_of(tmp_path / "b", *told("rag", 3), systems=("rag",))

    against = table(report([alone, other]), "Against direct")

    assert (column(against, "system"), column(against, "difference")) == (["rag"], ["+0.500"])


@pytest.fixture
def hostile(tmp_path: Path) -> tuple[Section, ...]:
    return report([run_of(tmp_path / "run", *told("direct", 1, status="failed", reason=HOSTILE))])


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.places: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.places += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(html: str) -> _Seen:
    parser = _Seen()
    parser.feed(html)
    return parser


def test_the_page_shows_what_was_written_as_text_and_loads_nothing(hostile: tuple[Section, ...]) -> None:
    shown = seen(page("Evaluation", hostile))

    assert "<script>alert(1)</script>" in shown.text
    assert not shown.tags & {"script", "img", "link", "iframe", "object"}
    assert all(place.startswith("#") for place in shown.places)


def test_the_page_holds_its_figures(run: Run) -> None:
    assert page("Evaluation", report([run])).count("<svg") == 2


def test_the_figures_of_the_same_answers_are_the_same(run: Run) -> None:
    assert page("Evaluation", report([run])) == page("Evaluation", report([run]))


def test_markdown_shows_what_was_written_as_text_in_its_cell(hostile: tuple[Section, ...]) -> None:
    written = markdown("Evaluation", hostile)
    shown = seen(MarkdownIt("commonmark").enable("table").render(written))

    assert not shown.tags & {"script", "img", "a"}
    assert "<script>alert(1)</script> ![x](http://a.example/x.png) | cell | # Head evil" in shown.text
    assert "\u202e" not in written


def test_every_table_of_the_markdown_is_read_as_one(run: Run) -> None:
    sections = report([run])
    rendered = MarkdownIt("commonmark").enable("table").render(markdown("Evaluation", sections))

    assert rendered.count("<table>") == sum(len(section.tables) for section in sections)
    assert "|" not in seen(rendered).text
