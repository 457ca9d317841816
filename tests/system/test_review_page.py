"""The page of a review in a real browser: two blinded answers, a rating on the record, and where one left off."""

import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from agents.messages import Answer, Case
from evaluation.assignment import assigned
from evaluation.review import AXES, Review
from evaluation.run_folder import Run
from tests.evaluation.runs.values import item, plan, prediction
from tests.system.conftest import COMMAND
from tests.system.test_chat import CHROMIUM, FLAGS, LOAD_MS, free_port
from tests.ui.recorded import record
from transcripts.event import EventKind
from transcripts.store import TranscriptStore

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")

# No word of any page, so that finding one there means something.
SYSTEMS = ("okapi-system", "quagga-system")
HOSTILE = "<img src=x onerror='window.broken=true'> ${window.broken=true}"
ITEMS = 3


class Reviewed(NamedTuple):
    """A review, its page, and the record that it writes to."""

    review: Review
    address: str
    transcripts: Path

    def link(self, rater: int) -> str:
        """What a rater is given."""
        return f"{self.address}/?code={self.review.assignments.raters[rater].code}"


def alone(store: TranscriptStore) -> str:
    """One model's answer on the record, which says what a page must not obey."""
    case = Case(text=f"Girl of 3 with cough. {HOSTILE}", language="en", language_found="given", options=("Yes", "No"))
    answer = Answer(text="A", language="en", mode="synthesized", conclusion="A", meaning="Yes")
    with store.begin() as recorder:
        recorder.record(EventKind.MODEL, {"models": [], "evaluated": SYSTEMS[1]})
        recorder.record(EventKind.CASE, case.model_dump(mode="json"))
        with recorder.stream("Okapi", "reasoning") as stream:
            stream.add(f"She breathes fast, so this is pneumonia. {HOSTILE}")
        recorder.record(EventKind.ANSWER, answer.model_dump(mode="json"))
    return recorder.consultation_id


@pytest.fixture
def reviewed(tmp_path: Path) -> Iterator[Reviewed]:
    transcripts = tmp_path / "home" / "evaluations" / "transcripts.db"
    transcripts.parent.mkdir(parents=True)
    asked = [item(str(number), language="en") for number in range(ITEMS)]
    run = Run.begin(tmp_path / "run", plan(*asked, systems=SYSTEMS), asked)
    with run.writing(), TranscriptStore.open(transcripts) as store:
        for one in asked:
            for system, transcript in zip(SYSTEMS, (record(store, "en")[0], alone(store)), strict=True):
                run.predictions.add(prediction(one.id, system, language="en", transcript_id=transcript))
    review = Review.begin(tmp_path / "review", assigned(run, SYSTEMS, 2, 7))
    with Served(review.folder, tmp_path / "home") as address:
        yield Reviewed(review, address, transcripts)


class Served:
    """The page's own process."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._port = free_port()
        self._command = [COMMAND, "--home", str(home), "evaluate", "review-page", str(folder), "--port"]

    def __enter__(self) -> str:
        command = [*self._command, str(self._port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self._process.stdout is not None
        said = ""
        for line in self._process.stdout:
            said += line
            if "Running on" in line:
                return f"http://127.0.0.1:{self._port}"
        raise AssertionError(said)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=30)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


def open_page(browser: Browser, address: str, locale: str = "en", width: int = 1280) -> tuple[Page, list[str]]:
    page = browser.new_context(locale=locale, viewport={"width": width, "height": 900}).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    expect(page.locator(".masthead")).to_be_visible(timeout=LOAD_MS)
    return page, asked


def rate(page: Page, left: int, right: int, preferred: str) -> None:
    for side, score in (("left", left), ("right", right)):
        for axis in AXES:
            page.locator(f"#{side}-{axis} label", has_text=str(score)).click()
    page.locator("#verdict label", has_text=preferred).click()
    page.click("#send-rating")


def feedback(reviewed: Reviewed, transcript: str) -> list[Mapping[str, object]]:
    with TranscriptStore.open(reviewed.transcripts, read_only=True) as store:
        store.verify(transcript)
        return [event.body for event in store.events(transcript) if event.kind is EventKind.FEEDBACK]


def test_a_rater_rates_blinded_answers_and_goes_on_where_they_left_off(
    browser: Browser, reviewed: Reviewed, pictures: Path
) -> None:
    page, asked = open_page(browser, reviewed.link(0))
    page.evaluate("window.broken = false")
    expect(page.locator("#review-said")).to_contain_text("0 of 3 rated", timeout=LOAD_MS)
    first = reviewed.review.left("rater-1")[0]
    for trace in page.locator("details.trace > summary").all():
        trace.click()
    page.screenshot(path=pictures / "review.png", full_page=True)

    content = page.content()
    rate(page, 5, 2, "First answer")
    expect(page.locator("#review-said")).to_contain_text("1 of 3 rated", timeout=LOAD_MS)

    assert not any(word in content.lower() for word in (*SYSTEMS, "okapi", "quagga", first.left.transcript.lower()))
    assert page.evaluate("window.broken") is False
    (left,), (right,) = (feedback(reviewed, voice.transcript) for voice in (first.left, first.right))
    assert {left[axis] for axis in AXES} == {5}
    assert {right[axis] for axis in AXES} == {2}
    assert (left["preferred"], right["preferred"]) == ("this", "other")
    assert page.locator("#review input[type=radio]:checked").count() == 0
    again, _ = open_page(browser, reviewed.link(0))
    expect(again.locator("#review-said")).to_contain_text("1 of 3 rated", timeout=LOAD_MS)
    hosts = {urlsplit(url).hostname for url in asked if urlsplit(url).scheme.startswith(("http", "ws"))}
    assert hosts == {"127.0.0.1"}


def test_a_citation_opens_its_passage_in_the_folded_trace_and_goes_there(browser: Browser, reviewed: Reviewed) -> None:
    page, _ = open_page(browser, reviewed.link(0))

    page.locator("a.citation").first.click(timeout=LOAD_MS)

    expect(page.locator(".card.cited")).to_be_in_viewport()
    expect(page.locator(".card.cited")).to_be_focused()


def test_an_incomplete_rating_is_not_taken(browser: Browser, reviewed: Reviewed) -> None:
    page, _ = open_page(browser, reviewed.link(0))
    expect(page.locator("#send-rating")).to_be_visible(timeout=LOAD_MS)

    page.locator("#left-clarity label", has_text="3").click()
    page.click("#send-rating")

    expect(page.locator("#review-fault")).to_contain_text("First rate both answers", timeout=LOAD_MS)
    assert page.locator("#review input[type=radio]:checked").count() == 1
    assert reviewed.review.ratings == ()


def test_without_the_right_code_nothing_is_shown(browser: Browser, reviewed: Reviewed) -> None:
    page, _ = open_page(browser, reviewed.address)

    page.fill("#code input, #code textarea", "rater-1")
    page.click("#enter")

    expect(page.locator("#review-said")).to_contain_text("Nobody was given this code", timeout=LOAD_MS)
    expect(page.locator("#review")).not_to_be_visible()


def test_two_raters_rate_the_same_pairs_at_once_until_all_are_rated(browser: Browser, reviewed: Reviewed) -> None:
    pages = [open_page(browser, reviewed.link(rater))[0] for rater in (0, 1)]

    for done in range(ITEMS):
        for page in pages:
            expect(page.locator("#review-said")).to_contain_text(f"{done} of 3 rated", timeout=LOAD_MS)
            rate(page, 4, 4, "Neither")

    for page in pages:
        expect(page.locator("#review-said")).to_contain_text("You have rated all your cases", timeout=LOAD_MS)
    assert len(reviewed.review.ratings) == 2 * ITEMS


def test_a_phone_shows_one_answer_under_the_other_and_arabic_from_the_right(
    browser: Browser, reviewed: Reviewed, pictures: Path
) -> None:
    page, _ = open_page(browser, reviewed.link(1), "ar", width=390)
    expect(page.locator("#review-said")).to_contain_text("3", timeout=LOAD_MS)
    page.screenshot(path=pictures / "review-phone-arabic.png", full_page=True)

    sides = [page.locator(f"#{side}-side").bounding_box() for side in ("left", "right")]
    assert sides[0] is not None
    assert sides[1] is not None
    assert sides[1]["y"] >= sides[0]["y"] + sides[0]["height"]
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_record_that_was_altered_is_passed_over_and_told(browser: Browser, reviewed: Reviewed) -> None:
    bad = reviewed.review.left("rater-1")[0]
    with sqlite3.connect(reviewed.transcripts) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute(
            "UPDATE events SET body = '{}' WHERE consultation = ? AND kind = 'case'", (bad.left.transcript,)
        )

    page, _ = open_page(browser, reviewed.link(0))

    expect(page.locator("#review-said")).to_contain_text("was altered", timeout=LOAD_MS)
    expect(page.locator("#send-rating")).to_be_visible()
