"""The chat in a real browser: a whole case, Stop, right-to-left text, and nothing that leaves the machine."""

import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from agents.languages import phrase
from agents.messages import MAX_CASE_CHARACTERS
from tests.system.conftest import COMMAND
from ui.translation import translation

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOAD_MS, CASE_MS = 60_000, 240_000

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def address(installation: Mapping[str, str]) -> Iterator[str]:
    port = free_port()
    budgets = {"COREASONER_TEAM__REASONER__REASONING_TOKENS": "64", "COREASONER_TEAM__SYNTHESIS__ANSWER_TOKENS": "96"}
    command = [COMMAND, "--model", "smollm2-135m-instruct-q4_1", "chat", "--port", str(port)]
    environment = {**installation, **budgets, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        assert server.stdout is not None
        said = ""
        for line in server.stdout:
            said += line.decode()
            if str(port) in said:
                break
        assert server.poll() is None, said
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


def open_page(browser: Browser, address: str, locale: str, width: int = 1280) -> tuple[Page, list[str]]:
    context = browser.new_context(locale=locale, viewport={"width": width, "height": 900})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    expect(page.locator(".masthead")).to_be_visible(timeout=LOAD_MS)
    return page, asked


def ask(page: Page, case: str) -> None:
    page.fill("#case textarea", case)
    page.click("#ask")


def test_a_whole_case_is_argued_answered_and_cited(browser: Browser, address: str, pictures: Path) -> None:
    page, asked = open_page(browser, address, "es")

    ask(page, "Niño de 2 años con tos, fiebre y 48 respiraciones por minuto, sin tiraje. ¿Qué tratamiento?")
    expect(page.locator("#local-lane .lane[data-phase=reasoning]")).to_be_visible(timeout=LOAD_MS)
    page.screenshot(path=pictures / "chat-arguing.png", full_page=True)
    expect(page.locator("section.answer .record")).to_be_visible(timeout=CASE_MS)
    page.screenshot(path=pictures / "chat-answered.png", full_page=True)

    assert page.locator(".lane > .text").first.inner_text().strip()
    assert page.locator(".evidence .card").count() > 0
    assert "Neumonía" in page.locator(".evidence").inner_text()
    page.locator("a.citation").first.click()
    expect(page.locator(".card.cited .document mark")).to_be_in_viewport()
    page.screenshot(path=pictures / "chat-passage.png")
    hosts = {urlsplit(url).hostname for url in asked if urlsplit(url).scheme.startswith(("http", "ws"))}
    assert hosts == {"127.0.0.1"}


def test_stop_stops_and_the_next_case_can_be_asked(browser: Browser, address: str, pictures: Path) -> None:
    page, _ = open_page(browser, address, "en")

    ask(page, "Adult with sudden hives and wheeze after an injection of penicillin. What now?")
    expect(page.locator("section.alarm[role=alert]")).to_contain_text("anaphylaxis", timeout=LOAD_MS)
    expect(page.locator(".lane[data-phase=reasoning]").first).to_be_visible(timeout=LOAD_MS)
    page.click("#stop")

    expect(page.locator("#status")).to_contain_text("Stopped", timeout=LOAD_MS)
    expect(page.locator("#ask")).to_be_enabled()
    assert page.locator("section.answer").count() == 0
    page.screenshot(path=pictures / "chat-stopped.png", full_page=True)


def test_a_case_that_is_asked_while_another_runs_changes_nothing_of_its_alarm(browser: Browser, address: str) -> None:
    page, _ = open_page(browser, address, "en")
    ask(page, "Adult with sudden hives and wheeze after an injection of penicillin. What now?")
    expect(page.locator(".lane[data-phase=reasoning]").first).to_be_visible(timeout=LOAD_MS)

    page.fill("#case textarea", "Child with a rash. What is it?")
    with page.expect_response(lambda response: "/run/" in response.url):
        page.press("#case textarea", "Shift+Enter")

    expect(page.locator("section.alarm[role=alert]")).to_contain_text("anaphylaxis")
    page.click("#stop")
    expect(page.locator("#status")).to_contain_text("Stopped", timeout=LOAD_MS)


def test_a_case_that_waits_for_others_says_so_and_begins_when_they_have_gone(
    browser: Browser, address: str, pictures: Path
) -> None:
    pages = [open_page(browser, address, "en")[0] for _ in range(2)]
    last, _ = open_page(browser, address, "ja")
    for page in pages:
        ask(page, "Adult with sudden hives and wheeze after an injection of penicillin. What now?")
        expect(page.locator(".lane[data-phase=reasoning]").first).to_be_visible(timeout=LOAD_MS)

    ask(last, "2歳の子供。咳と発熱、呼吸数は毎分48回。治療は？")
    expect(last.locator("#status")).to_contain_text("この症例の前に 2 件あります", timeout=LOAD_MS)
    last.screenshot(path=pictures / "chat-waiting.png", full_page=True)
    for page in pages:  # a browser that goes away gives its turn back
        page.context.close()
    expect(last.locator(".lane[data-phase=reasoning]").first).to_be_visible(timeout=LOAD_MS)
    last.click("#stop")
    expect(last.locator("#ask")).to_be_enabled(timeout=LOAD_MS)


def test_nothing_of_one_patient_is_left_for_the_next(browser: Browser, address: str) -> None:
    page, _ = open_page(browser, address, "en")
    page.get_by_text("More", exact=True).click()
    page.fill("#english textarea", "Adult with wheeze.")

    ask(page, "Adult with sudden hives and wheeze after an injection of penicillin. What now?")
    expect(page.locator(".lane[data-phase=reasoning]").first).to_be_visible(timeout=LOAD_MS)
    assert page.input_value("#english textarea") == ""
    page.click("#stop")
    expect(page.locator("#status")).to_contain_text("Stopped", timeout=LOAD_MS)
    page.fill("#options textarea", "zinc")
    ask(page, "Child with diarrhoea. Which one?")

    expect(page.locator("#status")).to_contain_text("option", timeout=LOAD_MS)
    assert page.locator("section.alarm").count() == 0
    assert "".join(page.locator(".lane > .text").all_inner_texts()).strip() == ""
    assert page.input_value("#options textarea") == "zinc"


def test_a_language_without_a_table_of_emergencies_is_told_so(browser: Browser, address: str) -> None:
    page, _ = open_page(browser, address, "pt")

    ask(page, "Criança de 2 anos com tosse, febre e 48 respirações por minuto, sem tiragem. Que tratamento?")

    expect(page.locator("#alarm [role=note]")).to_be_visible(timeout=LOAD_MS)
    expect(page.locator("#alarm [role=note]")).to_have_text(phrase("missing_red_flags", "pt"))
    page.click("#stop")
    expect(page.locator("#ask")).to_be_enabled(timeout=LOAD_MS)


def test_arabic_is_laid_out_from_the_right_and_fits_a_phone(browser: Browser, address: str, pictures: Path) -> None:
    page, _ = open_page(browser, address, "ar", width=390)

    ask(page, "حامل في الأسبوع 30 وضغطها 170/115 مع صداع")
    expect(page.locator("#local-lane .lane .text[dir=rtl]")).to_be_attached(timeout=LOAD_MS)
    expect(page.locator("#local-lane .lane[data-phase=reasoning]")).to_be_visible(timeout=LOAD_MS)
    page.screenshot(path=pictures / "chat-phone-arabic.png", full_page=True)
    page.click("#stop")

    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    lanes = [page.locator(f"#{side}-lane").bounding_box() for side in ("english", "local")]
    assert lanes[0] is not None
    assert lanes[1] is not None
    assert lanes[1]["y"] >= lanes[0]["y"] + lanes[0]["height"]


def test_a_page_that_is_served_in_english_says_so(browser: Browser, address: str) -> None:
    page, _ = open_page(browser, address, "fa")

    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["en", "ltr"]


def test_text_that_looks_like_markup_stays_text(browser: Browser, address: str) -> None:
    page, _ = open_page(browser, address, "en")
    page.evaluate("window.broken = false")

    hostile = "<img src=x onerror='window.broken=true'> ${window.broken=true} {{window.broken=true}} ??"
    ask(page, f"Child with cough and fever. {hostile}")
    expect(page.locator(".lane[data-phase=reasoning]").first).to_be_visible(timeout=LOAD_MS)
    page.click("#stop")
    expect(page.locator("#status")).to_contain_text("Stopped", timeout=LOAD_MS)

    assert page.evaluate("window.broken") is False


def test_an_empty_case_gets_one_sentence_in_the_language_of_the_page(browser: Browser, address: str) -> None:
    page, _ = open_page(browser, address, "es")

    page.click("#ask")

    expect(page.locator("#status")).to_contain_text(translation("es")["empty_case"], timeout=LOAD_MS)
    expect(page.locator("#ask")).to_be_enabled()


def test_a_case_that_is_too_long_is_refused_and_nothing_of_it_is_cut(browser: Browser, address: str) -> None:
    page, _ = open_page(browser, address, "en")
    case = "Child with cough. " * (1 + MAX_CASE_CHARACTERS // 18)

    ask(page, case)

    expect(page.locator("#status")).to_contain_text(str(MAX_CASE_CHARACTERS), timeout=LOAD_MS)
    assert page.input_value("#case textarea") == case
