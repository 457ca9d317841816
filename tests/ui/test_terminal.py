"""What a terminal is sent while a case is argued: text, and none of it an order to the terminal."""

from io import StringIO

import pytest
from rich.console import Console

from agents.consultation import Chunk, Outcome, Progress
from agents.languages import phrase
from agents.messages import Case, Span, Usage
from tests.ui.values import alarm, alignment, argument, cited, given, passage, rebuttal
from ui.terminal import TerminalView, plain, show_alarm
from ui.translation import translation

WORDS = translation("en")
TITLE, COLOUR, ERASE, EIGHT_BIT, BACK = "\x1b]0;owned\x07", "\x1b[31m", "\x1b[2J", "\x9b2J", "\x08\x08"
REVERSED = "\u202e"


def outcome(text: str) -> Outcome:
    return Outcome(
        transcript_id="c_1",
        case=Case(text=text, language="en", language_found="given"),
        english=argument(text),
        local=argument(text),
        alignment=alignment(text, [cited(1, passage(text))]),
        answer=given(text),
        spans=(Span(agent="x", phase="x", start=0, end=1),),
        usage=Usage(),
        seconds=1.0,
    )


def shown(*progress: Progress, live: bool = False, colours: bool = False) -> str:
    screen = StringIO()
    view = TerminalView(
        Console(file=screen, width=400, height=200, force_terminal=live, no_color=not colours),
        WORDS,
        live=live,
    )
    for piece in progress:
        view.take(piece)
    view.close()
    return screen.getvalue()


@pytest.mark.parametrize("order", [TITLE, COLOUR, ERASE, EIGHT_BIT, BACK, "\r", "\x7f", "\x00", REVERSED])
def test_plain_text_keeps_the_words_and_loses_the_orders(order: str) -> None:
    kept = plain(f"before {order}after\n\tindented")

    assert set(kept) & {"\x1b", "\x07", "\x08", "\r", "\x7f", "\x9b", "\x00", REVERSED} == set()
    assert (kept.startswith("before "), kept.endswith("after\n\tindented")) == (True, True)


@pytest.mark.parametrize("order", [TITLE, ERASE, EIGHT_BIT, BACK, REVERSED])
def test_nothing_that_models_guidelines_or_people_say_orders_the_terminal(order: str) -> None:
    hostile = f"amoxi{order}cillin"

    said = shown(argument(hostile), alignment(hostile), rebuttal(hostile), outcome(hostile))

    assert order not in said
    assert plain(hostile) in said


def test_a_live_lane_shows_an_argument_as_it_grows_without_its_orders() -> None:
    said = shown(Chunk(agent="EnglishReasoner", phase="reasoning", text=f"amoxi{TITLE}cillin"), live=True)

    assert "amoxi]0;ownedcillin" in said
    assert TITLE not in said


def test_brackets_are_shown_and_are_no_markup_of_the_terminal_library() -> None:
    text = "[bold]SpO2[/bold] [link=https://example.org]90[/link] [/]"

    said = shown(argument(text), alignment(text), outcome(text))

    assert said.count(text) >= 6


def test_an_answer_says_what_is_not_supported_and_where_both_disagree() -> None:
    said = shown(outcome("zinc"))

    assert WORDS["unsupported"] + ": zinc" in said
    assert phrase("disagreement", "en") in said
    assert WORDS["missing"] + ": zinc" in said
    assert WORDS["decision_support"] in said
    assert "c_1" in said


def test_an_answer_against_both_sides_says_so_without_orders() -> None:
    concluded = outcome("zinc")
    against = concluded.answer.model_copy(update={"against": f"B{TITLE} / A"})

    said = shown(concluded.model_copy(update={"answer": against}))

    assert plain(f"B{TITLE} / A") in said
    assert TITLE not in said


def test_a_side_that_changed_its_mind_is_shown_with_both_conclusions_and_the_reason() -> None:
    said = shown(rebuttal("zinc", before="antibiotic", reason="no fever"))

    assert f"{WORDS['local_clinician']} · {WORDS['revised']}" in said
    assert sorted(("no fever", "antibiotic", "zinc"), key=said.index) == ["no fever", "antibiotic", "zinc"]


@pytest.mark.parametrize("order", [TITLE, ERASE, EIGHT_BIT, BACK, REVERSED])
def test_red_flags_are_shown_whole_and_order_nothing(order: str) -> None:
    screen, hostile = StringIO(), f"chest {order}[red]pain"

    show_alarm(Console(file=screen, width=400), alarm(hostile))

    assert order not in screen.getvalue()
    assert screen.getvalue().count(plain(hostile)) == 7


def test_red_flags_come_again_with_the_answer() -> None:
    raised = outcome("zinc").model_copy(update={"red_flags": alarm("stroke")})

    said = shown(alarm("stroke"), raised)

    assert said.count("stroke: «stroke»") == 1
    assert said.index("stroke: «stroke»") < said.index(WORDS["answer"])


def test_what_is_withheld_is_said_in_one_line_and_only_then() -> None:
    plain_outcome = outcome("x")
    evidence = plain_outcome.alignment.evidence.model_copy(update={"withheld": ("psg_1", "psg_2")})
    held = plain_outcome.alignment.model_copy(update={"evidence": evidence})

    assert f"{WORDS['withheld']}: 2" in shown(plain_outcome.model_copy(update={"alignment": held}))
    assert WORDS["withheld"] not in shown(plain_outcome)


def test_a_letter_is_shown_with_its_option_and_a_doubtful_rendering_in_one_line() -> None:
    said = shown(argument("39 °C"), outcome("oral zinc"))

    assert f"{WORDS['conclusion']}: oral zinc: oral zinc" in said
    assert f"{WORDS['rendering_faults']}: 39 °C" in said


def test_an_argument_in_another_language_says_so() -> None:
    own = argument("x")
    strayed = own.model_copy(update={"reasoning": own.reasoning.model_copy(update={"fault": "not in Spanish"})})

    assert "not in Spanish" in shown(strayed)
    assert "not in Spanish" not in shown(own)


def answered(**changes: object) -> str:
    return shown(outcome("x").model_copy(update={"answer": given("x", meaning="", **changes)}))


def test_a_conclusion_in_words_is_shown_and_marked_where_no_passage_supports_it() -> None:
    supported, unsupported = (answered(conclusion="give zinc", unsupported=of) for of in ((), ("give zinc",)))

    assert f"{WORDS['conclusion']}: give zinc" in supported
    assert WORDS["unsupported"] not in supported
    assert f"{WORDS['conclusion']}: give zinc · {WORDS['unsupported']}" in unsupported


def test_expired_and_demonstration_passages_are_marked_and_others_are_not() -> None:
    current = cited(1, passage("x", demonstration=False)).model_copy(update={"expired": False})
    sound = outcome("x").model_copy(update={"alignment": alignment("x", [current])})

    assert f"{WORDS['expired']} · {WORDS['demonstration_material']}" in shown(outcome("x"))
    assert WORDS["expired"] not in shown(sound)
    assert WORDS["demonstration_material"] not in shown(sound)
