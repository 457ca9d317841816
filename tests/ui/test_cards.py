"""What the page shows of values that somebody else wrote: nothing of it acts, all of it is there to read.

Knows nothing of Gradio and of styles.
"""

from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from agents.languages import phrase
from agents.messages import (
    Alignment,
    Claim,
    Concept,
    ConceptChain,
    Contradiction,
    Disagreement,
    Evidence,
    FusedChain,
    FusedConcept,
    Missing,
)
from agents.polarity import Polarity
from tests.ui.values import DIGEST, alarm, alignment, argument, cited, given, passage, rebuttal
from ui import cards
from ui.translation import translation

WORDS = translation("en")
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "</div></section><h1>owned</h1>",
    "${alert(1)}",
    "{{x}}",
    "&lt;b&gt; &amp; <!-- -->",
    "[x](javascript:alert(1))",
)
TAGS = {
    *("a", "article", "bdi", "code", "dd", "details", "div", "dl", "dt", "h1", "h2", "h3"),
    *("li", "mark", "ol", "p", "section", "span", "summary", "ul"),
}
ATTRIBUTES = {"class", "data-mode", "data-phase", "dir", "href", "id", "lang", "role", "tabindex", "title"}
ARABIC = "طفل يعاني من السعال والحمى"


class Page(HTMLParser):
    """HTML as a browser reads it: its elements with their attributes, and the text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def of(self, css: str) -> list[dict[str, str | None]]:
        """The attributes of the elements of a class."""
        return [found for _, found in self.elements if css in (found.get("class") or "").split()]

    @property
    def written(self) -> str:
        """All that a person can read, tooltips included."""
        return "\n".join([self.text, *(found.get("title") or "" for _, found in self.elements)])


def found(text: str) -> Evidence:
    return alignment(text, [cited(1, passage(text)), cited(2, passage(text), relevant=False)]).evidence


def whole(text: str) -> str:
    return cards.evidence(
        WORDS,
        alignment(text, [cited(1, passage(text)), cited(2, passage(text), relevant=False)]),
        lambda _: text,
    )


SHOWN: dict[str, Callable[[str], str]] = {
    "text_block": lambda text: cards.text_block(text, "en"),
    "text_block, language unknown": lambda text: cards.text_block(text, text),
    "header": lambda text: cards.header(WORDS, [text], demonstration=True, lacking=given(text).missing),
    "lane": lambda text: cards.lane(WORDS, "local_clinician", "reasoning", text, "en"),
    "argument_details": lambda text: cards.argument_details(WORDS, argument(text)),
    "argument_details, unavailable": lambda text: cards.argument_details(WORDS, argument(text, available=False)),
    "rendering_faults": lambda text: cards.rendering_faults(WORDS, argument(text).reasoning),
    "fused_chain": lambda text: cards.fused_chain(WORDS, alignment(text)),
    "evidence": whole,
    "evidence, odd language": lambda text: cards.evidence(
        WORDS, alignment(text, [cited(1, passage(text, language=text))]), lambda _: text
    ),
    "answer": lambda text: cards.answer(WORDS, given(text), found(text), text),
    "answer, evidence only": lambda text: cards.answer(WORDS, given(text, mode="evidence_only"), found(text), text),
    "answer, nothing": lambda text: cards.answer(WORDS, given(text, mode="no_answer"), None, text),
    "rebuttal": lambda text: cards.rebuttal(WORDS, rebuttal(text)),
    "rebuttal, held": lambda text: cards.rebuttal(WORDS, rebuttal(text, decision="hold")),
    "rebuttal, silent": lambda text: cards.rebuttal(WORDS, rebuttal("", decision="hold", fault=text)),
    "answering": lambda text: cards.answering(WORDS, text, "en"),
    "disagreement": lambda text: cards.disagreement(given(text, against=text)),
    "missing": lambda text: cards.missing(WORDS, given(text).missing),
    "status": lambda text: cards.status(text),
    "alarm": lambda text: cards.alarm(alarm(text)),
    "note": lambda text: cards.note(text),
}

each_card = pytest.mark.parametrize("shown", SHOWN.values(), ids=list(SHOWN))


@each_card
@pytest.mark.parametrize("text", HOSTILE)
def test_what_others_wrote_is_read_and_never_obeyed(shown: Callable[[str], str], text: str) -> None:
    page = Page(shown(text))

    assert text in page.written
    assert {tag for tag, _ in page.elements} <= TAGS
    assert {name for _, attributes in page.elements for name in attributes} <= ATTRIBUTES
    assert all((of.get("href") or "#passage-").startswith("#passage-") for _, of in page.elements)


@each_card
def test_a_card_says_the_same_whatever_is_written_in_it(shown: Callable[[str], str]) -> None:
    harmless, hostile = Page(shown("word")), Page(shown('</p>"><script>'))

    assert [tag for tag, _ in harmless.elements] == [tag for tag, _ in hostile.elements]


def test_every_function_of_the_cards_is_among_those_tried() -> None:
    public = {name for name, it in vars(cards).items() if callable(it) and getattr(it, "__module__", "") == "ui.cards"}

    assert {name for name in public if not name.startswith("_")} == {name.partition(",")[0] for name in SHOWN}


@pytest.mark.parametrize(("code", "direction"), [("ar", "rtl"), ("en", "ltr"), ("ja", "ltr")])
def test_a_text_is_laid_out_in_the_direction_of_its_language(code: str, direction: str) -> None:
    (block,) = Page(cards.text_block(ARABIC, code)).of("text")

    assert (block["dir"], block["lang"]) == (direction, code)


def test_a_text_in_no_known_language_leaves_its_direction_to_the_browser() -> None:
    (block,) = Page(cards.text_block(ARABIC, None)).of("text")

    assert (block["dir"], "lang" in block) == ("auto", False)


def test_arabic_passages_and_their_document_run_from_right_to_left() -> None:
    shown = cards.evidence(WORDS, alignment("x", [cited(1, passage(ARABIC, "ar"))]), lambda _: ARABIC)

    texts = Page(shown).of("text")
    assert [(text["dir"], text["lang"]) for text in texts] == [("rtl", "ar"), ("rtl", "ar")]


def test_an_arabic_answer_runs_from_right_to_left() -> None:
    arabic = given(ARABIC, language="ar", disagreement=None)

    claims = Page(cards.answer(WORDS, arabic, None)).of("claim")
    assert {(claim["dir"], claim["lang"]) for claim in claims} == {("rtl", "ar")}


def test_a_citation_leads_to_the_card_of_its_passage() -> None:
    passages = [cited(1, passage("one")), cited(2, passage("two", "sw"))]
    answer = given("both", claims=(Claim(text="both", passages=(2, 1), supported=True),), unsupported=())

    links = Page(cards.answer(WORDS, answer, None)).of("citation")
    targets = Page(cards.evidence(WORDS, alignment("x", passages), lambda _: "x")).of("card")

    assert [link["href"] for link in links] == ["#passage-2", "#passage-1"]
    assert [target["id"] for target in targets] == ["passage-1", "passage-2"]


def test_evidence_alone_is_a_list_of_links_to_the_relevant_passages() -> None:
    answer = given("unused", mode="evidence_only", disagreement=None)

    links = Page(cards.answer(WORDS, answer, found("pneumonia"))).of("citation")

    assert [link["href"] for link in links] == ["#passage-1"]


def test_a_letter_beside_evidence_alone_is_marked_as_unsupported_and_said_to_be_shared() -> None:
    shared = {"conclusion": "B", "meaning": "oral zinc", "unsupported": ("B",)}
    answer = given("unused", mode="evidence_only", disagreement=None, **shared)

    page = Page(cards.answer(WORDS, answer, found("pneumonia")))

    assert [claim["class"] for claim in page.of("claim")] == ["claim unsupported"]
    assert phrase("agreed", answer.language) in page.text
    assert "B: oral zinc" in page.text


def test_a_bracketed_number_that_a_model_wrote_is_no_citation() -> None:
    answer = given("Give zinc [1].", claims=(Claim(text="Give zinc [1].", passages=(), supported=False),))

    assert Page(cards.answer(WORDS, answer, None)).of("citation") == []


def test_unsupported_sentences_are_marked_and_supported_ones_are_not() -> None:
    claims = (Claim(text="sound", passages=(1,), supported=True), Claim(text="unsound", passages=(), supported=False))
    answer = given("x", claims=claims, conclusion="", unsupported=("unsound",), disagreement=None)

    page = Page(cards.answer(WORDS, answer, None))

    assert [claim["class"] for claim in page.of("claim")] == ["claim", "claim unsupported"]
    assert page.text.index("sound") < page.text.index("unsound") < page.text.index(WORDS["unsupported"])
    assert page.text.count(WORDS["unsupported"]) == 1


@pytest.mark.parametrize(("unsupported", "marked"), [((), "claim"), (("give zinc",), "claim unsupported")])
def test_a_conclusion_is_marked_where_it_is_unsupported(unsupported: tuple[str, ...], marked: str) -> None:
    answer = given("x", claims=(), conclusion="give zinc", unsupported=unsupported, disagreement=None)

    (conclusion,) = Page(cards.answer(WORDS, answer, None)).of("claim")
    assert conclusion["class"] == marked


def test_a_letter_stands_beside_the_option_that_it_means() -> None:
    answer = given("x", claims=(), conclusion="B", meaning="oral zinc", unsupported=(), disagreement=None)

    assert "B: oral zinc" in Page(cards.answer(WORDS, answer, None)).text


def test_an_argument_says_in_one_line_what_its_rendering_may_have_wrong() -> None:
    faulty = argument("39 °C")

    (line,) = Page(cards.argument_details(WORDS, faulty)).of("rendering")

    assert line["class"] == "fault rendering"
    assert f"{WORDS['rendering_faults']}: 39 °C" in Page(cards.argument_details(WORDS, faulty)).text


def test_an_argument_in_another_language_says_so_and_one_in_its_own_does_not() -> None:
    own = argument("x")
    strayed = own.model_copy(update={"reasoning": own.reasoning.model_copy(update={"fault": "in <English>"})})

    assert "in <English>" in Page(cards.argument_details(WORDS, strayed)).text
    assert cards.argument_details(WORDS, strayed).count('class="fault"') == 1
    assert cards.argument_details(WORDS, own).count('class="fault"') == 0


def test_a_faithful_rendering_is_not_spoken_of() -> None:
    reasoning = argument("39 °C").reasoning.model_copy(update={"rendering_faults": ()})

    assert cards.rendering_faults(WORDS, reasoning) == ""


def test_a_disagreement_stands_above_the_answer_with_both_conclusions() -> None:
    answer = given("middle", disagreement=Disagreement(english="amoxicillin", local="zinc"))

    text = Page(cards.answer(WORDS, answer, None)).text

    assert (
        text.index(phrase("disagreement", "en")) < text.index("amoxicillin") < text.index("zinc") < text.index("middle")
    )


def test_where_both_agree_there_is_no_banner() -> None:
    assert cards.disagreement(given("x", disagreement=None)) == ""


@pytest.mark.parametrize("found", [None, Disagreement(english="B", local="B")], ids=["agreed", "in dispute"])
def test_an_answer_against_both_sides_says_so_in_the_banner(found: Disagreement | None) -> None:
    page = Page(cards.disagreement(given("x", language="ar", disagreement=found, against="B / A")))

    (banner,) = page.of("disagreement")
    assert (banner["lang"], banner["dir"]) == ("ar", "rtl")
    assert page.text.startswith("B / A")
    assert (phrase("disagreement", "ar") in page.text) is (found is not None)


def test_a_disagreement_is_told_in_the_language_of_the_answer_with_who_holds_and_why() -> None:
    stands = tuple(rebuttal("B", side=side, decision="hold", reason=f"{side} reason") for side in ("english", "local"))
    answer = given("x", language="ar", disagreement=Disagreement(english="A", local="B", rebuttals=stands))

    page = Page(cards.disagreement(answer))

    (banner,) = page.of("disagreement")
    assert (banner["lang"], banner["dir"]) == ("ar", "rtl")
    told = [phrase("held", "ar", reason=f"{side} reason") for side in ("english", "local")]
    order = [phrase("english_side", "ar"), told[0], phrase("local_side", "ar"), told[1]]
    assert sorted(order, key=page.text.index) == order


def test_a_contradiction_in_the_banner_says_who_denies_in_the_language_of_the_answer() -> None:
    found = Contradiction(english="aspirin", local="aspirina", similarity=0.9, english_polarity="contraindicated")
    found = found.model_copy(update={"local_polarity": "present"})
    answer = given("x", language="ja", disagreement=Disagreement(english="A", local="A", contradictions=(found,)))

    told = phrase("contradiction", "ja", english="aspirin (禁忌)", local="aspirina")
    assert told in Page(cards.disagreement(answer)).text


def test_two_doses_in_the_banner_are_not_told_as_a_denial() -> None:
    said: dict[str, Polarity] = {"english_polarity": "present", "local_polarity": "present"}
    found = Contradiction(english="amoxicillin 40 mg/kg", local="amoxicilina 80 mg/kg", similarity=0.9, **said)
    answer = given("x", language="es", disagreement=Disagreement(english="A", local="A", contradictions=(found,)))

    told = phrase("two_doses", "es", english="amoxicillin 40 mg/kg", local="amoxicilina 80 mg/kg")
    assert told in Page(cards.disagreement(answer)).text


def test_a_revised_list_marks_what_is_denied() -> None:
    listed = (Concept(name="fever"), Concept(name="aspirin", polarity="contraindicated"))
    chain = ConceptChain(side="local", language="en", status="listed", concepts=listed)

    text = Page(cards.rebuttal(WORDS, rebuttal("zinc", concepts=chain))).text

    assert f"feveraspirin {WORDS['contraindicated']}" in text


def test_a_side_that_changed_its_mind_shows_from_what_to_what_and_why() -> None:
    page = Page(cards.rebuttal(WORDS, rebuttal("zinc", before="antibiotic", reason="no fever")))

    assert sorted(("no fever", "antibiotic", "zinc"), key=page.text.index) == ["no fever", "antibiotic", "zinc"]
    assert len(page.of("former")) == 1
    assert WORDS["revised"] in page.text


def test_a_side_that_holds_shows_no_other_conclusion() -> None:
    page = Page(cards.rebuttal(WORDS, rebuttal("zinc", decision="hold", before="zinc")))

    assert WORDS["held"] in page.text
    assert page.of("former") == []


def test_what_is_missing_stands_above_the_answer() -> None:
    answer = given("middle", disagreement=None, missing=(Missing(part="local", text="no local view", reason="why"),))

    text = Page(cards.answer(WORDS, answer, None)).text

    assert sorted((WORDS["missing"], "no local view", "why", "middle"), key=text.index)[0] == WORDS["missing"]
    assert text.index("why") < text.index("middle")


def test_where_nothing_is_missing_nothing_is_said() -> None:
    assert cards.missing(WORDS, ()) == ""
    assert Page(cards.header(WORDS, ["m"], demonstration=False)).of("missing") == []


def test_expired_and_demonstration_passages_are_flagged() -> None:
    page = Page(cards.evidence(WORDS, alignment("x", [cited(1, passage("x"))]), lambda _: "x"))

    assert len(page.of("flag")) == 2
    assert WORDS["expired"] in page.text
    assert WORDS["demonstration_material"] in page.text


def test_a_passage_is_marked_inside_its_document() -> None:
    document = "before PASSAGE after"
    inside = passage("PASSAGE", start=7, end=14)

    shown = cards.evidence(WORDS, alignment("x", [cited(1, inside)]), {DIGEST: document}.__getitem__)

    assert "before <mark>PASSAGE</mark> after" in shown


def test_a_passage_whose_document_cannot_be_had_says_so_and_stands_there_all_the_same() -> None:
    page = Page(cards.evidence(WORDS, alignment("x", [cited(1, passage("zinc"))]), lambda _: ""))

    assert page.of("document") == []
    assert WORDS["unavailable"] in page.text
    assert "zinc" in page.text


def test_a_demonstration_model_is_announced_and_another_is_not() -> None:
    pages = [Page(cards.header(WORDS, ["m"], demonstration=state)).text for state in (True, False)]

    assert [WORDS["demonstration_model"] in text for text in pages] == [True, False]


def test_a_red_banner_alerts_in_the_language_of_the_case() -> None:
    (tag, attributes), *_ = Page(cards.alarm(alarm("胸痛", "ja"))).elements

    assert (tag, attributes["role"], attributes["lang"], attributes["dir"]) == ("section", "alert", "ja", "ltr")


def test_without_red_flags_there_is_no_banner() -> None:
    assert cards.alarm(None) == ""


def test_what_is_denied_or_forbidden_bears_a_mark_and_what_is_asserted_none() -> None:
    said: dict[str, Polarity] = {"fever": "present", "no cough": "absent", "aspirin": "contraindicated"}
    concepts = tuple(
        FusedConcept(name=name, origin="english", status="scaffold", polarity=polarity)
        for name, polarity in said.items()
    )
    html = cards.fused_chain(WORDS, chained(concepts))

    assert [mark in html for mark in ("fever</bdi></li>", "absent</span>", "contraindicated</span>")] == [True] * 3


def test_a_contradiction_names_both_sides_and_what_each_says() -> None:
    found = Contradiction(english="cough", local="sin tos", similarity=0.9)
    html = cards.fused_chain(WORDS, chained((), (found,)))

    told = html[html.index(WORDS["contradictions"]) :]
    places = [told.index(text) for text in ("cough", WORDS["present"], "sin tos", WORDS["absent"])]
    assert places == sorted(places)


@pytest.mark.parametrize("status", ["scaffold", "merged", "inserted", "promoted"])
def test_a_concept_says_in_words_where_it_comes_from(status: str) -> None:
    concept = FusedConcept.model_validate({"name": "fever", "origin": "both", "status": status})

    assert f"{WORDS[status]}: fever" in Page(cards.fused_chain(WORDS, chained((concept,)))).text


def chained(concepts: tuple[FusedConcept, ...], contradictions: tuple[Contradiction, ...] = ()) -> Alignment:
    aside = FusedConcept(name="sin tos", origin="local", status="contradicted", polarity="absent")
    fused = FusedChain(
        strategy="grounded", threshold=0.8, concepts=concepts, aside=(aside,), contradictions=contradictions
    )
    return alignment("x").model_copy(update={"fused": fused})


def test_what_is_withheld_is_said_in_one_line_and_only_then() -> None:
    plain = alignment("x", [cited(1, passage("x"))])
    held = plain.model_copy(update={"evidence": plain.evidence.model_copy(update={"withheld": ("psg_1", "psg_2")})})

    assert f"{WORDS['withheld']}: 2" in Page(cards.evidence(WORDS, held, lambda _: "x")).text
    assert WORDS["withheld"] not in Page(cards.evidence(WORDS, plain, lambda _: "x")).text
