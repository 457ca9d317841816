"""What each system asks of a model, and what it makes of the answers; the models are a chat server."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from agents.reasoner import CONCLUSION_TOKENS
from agents.speaker import prompt
from agents.workspace import Workspace
from evaluation.draw import Shown
from evaluation.errors import UnknownSystem
from evaluation.item import Item
from evaluation.run import case_of
from evaluation.system import Answered, Sitting
from evaluation.systems import chosen, systems
from tests.evaluation.runs.conftest import EVERYTHING
from tests.evaluation.runs.values import OPTIONS, QUESTION, item
from tests.models.chat_server import ChatServer, says
from transcripts.event import EventKind

ENGLISH = "A 3-year-old girl with cough and fever. Which antibiotic?"
ALONE = ("direct", "direct-english", "translate-then-english", "local-only", "rag")
TEAMS = tuple(name for name in systems() if name not in ALONE)
NAMED = {
    *("direct", "direct-english", "translate-then-english", "local-only", "rag", "paper", "coreasoner"),
    *(f"without-{part}" for part in ("english", "local", "concepts", "fusion", "retrieval", "rebuttal")),
}


def sat(workspace: Workspace, name: str, asked: Item, order: Sequence[int] = (0, 1, 2)) -> tuple[Answered, list[Any]]:
    """What a system answers to an item whose options are shown in that order, and the events of its record."""
    shown = Shown(asked, tuple(order) if asked.options else ())
    system = systems()[name]
    resources = system.arranged(workspace.resources())

    async def answer() -> Answered:
        with workspace.recorded(resources, evaluated=name) as recorder:
            return await system.answer(Sitting(asked, case_of(shown), resources, recorder))

    answered = asyncio.run(answer())
    (summary,) = workspace.transcripts.consultations(limit=1)
    return answered, list(workspace.transcripts.events(summary.id))


def sent(server: ChatServer) -> list[str]:
    """The last message of each request."""
    return [request["messages"][-1]["content"] for request in server.requests]


def test_all_systems_are_found_and_direct_is_the_first() -> None:
    assert set(systems()) == NAMED
    assert next(iter(systems())) == "direct"


def test_no_name_chooses_all_and_a_strange_one_is_refused() -> None:
    assert chosen(()) == tuple(systems().values())
    with pytest.raises(UnknownSystem, match="no system called guess; choose among direct"):
        chosen(("guess",))


@pytest.mark.parametrize("name", sorted(NAMED))
def test_every_system_concludes_on_the_record(name: str, workspace: Workspace) -> None:
    answered, events = sat(workspace, name, item())

    assert (answered.status, answered.conclusion) == ("answered", "A")
    kinds = [event.kind for event in events]
    assert kinds[:3] == [EventKind.ASKED, EventKind.MODEL, EventKind.CASE]
    assert {EventKind.PROMPT, EventKind.STREAM, EventKind.ANSWER} <= set(kinds)
    assert kinds[-1] is EventKind.FINISHED
    assert events[1].body["evaluated"] == name


@pytest.mark.parametrize("name", sorted(NAMED))
def test_what_the_models_wrote_is_counted(name: str, workspace: Workspace, server: ChatServer) -> None:
    answered, _ = sat(workspace, name, item())

    assert answered.usage.completion_tokens >= len(server.requests)


@pytest.mark.parametrize("name", sorted(NAMED))
def test_every_system_says_one_of_the_three_labels(name: str, workspace: Workspace, server: ChatServer) -> None:
    said = {**EVERYTHING, "sentences": [{"text": "La frase se sigue del caso."}], "conclusion": "neutral"}
    server.turns = [says(json.dumps(said))]
    asked = item(task="entailment", options=(), right=(), hypothesis="La niña respira deprisa.", label="neutral")

    answered, _ = sat(workspace, name, asked)

    assert (answered.status, answered.conclusion) == ("answered", "neutral")


@pytest.mark.parametrize("name", sorted(NAMED))
def test_every_system_names_several_right_options(name: str, workspace: Workspace, server: ChatServer) -> None:
    said = {**EVERYTHING, "sentences": [{"text": "Se tratan con amoxicilina o sin nada."}], "conclusion": "A, C"}
    server.turns = [says(json.dumps(said))]

    answered, _ = sat(workspace, name, item(task="choices", right=(0, 2)))

    assert (answered.status, answered.conclusion) == ("answered", "A, C")


def test_direct_asks_in_the_language_of_the_case_with_the_options_as_they_are_shown(
    workspace: Workspace, server: ChatServer
) -> None:
    sat(workspace, "direct", item(), order=(2, 0, 1))

    first, line, form = sent(server)
    assert QUESTION in first
    assert "A. Ningún antibiótico\nB. Amoxicilina oral\nC. Ceftriaxona intravenosa" in first
    assert '"Answer: " and one letter: A, B, C' in line
    assert "The conclusion is one letter only: A, B, C." in form
    assert "español" in form


def test_a_model_alone_may_write_as_much_as_the_team(workspace: Workspace, server: ChatServer) -> None:
    sat(workspace, "direct", item())

    # A question and its options, which the team's English side may ask to be rendered twice each.
    team = workspace.settings.team
    reasoner = team.reasoner
    written = team.synthesis.attempts * team.synthesis.answer_tokens
    argued = reasoner.reasoning_tokens + reasoner.concept_tokens + team.rounds * team.rebuttal.rebuttal_tokens
    assert sum(request["max_tokens"] for request in server.requests) == (
        4 * reasoner.rendering_tokens + 2 * argued + 3 * CONCLUSION_TOKENS + written
    )


def test_direct_english_takes_the_benchmarks_own_english(workspace: Workspace, server: ChatServer) -> None:
    english = ("Oral amoxicillin", "Intravenous ceftriaxone", "No antibiotic")
    asked = item(english=ENGLISH, english_options=english)

    sat(workspace, "direct-english", asked, order=(2, 0, 1))

    assert len(server.requests) == 3  # the argument, its letter, the form
    assert f"{ENGLISH}\nOptions:\nA. No antibiotic\nB. Oral amoxicillin" in sent(server)[0]


@pytest.mark.parametrize("name", ["direct-english", "coreasoner"])
def test_what_the_benchmark_has_in_english_is_rendered_by_nobody(
    name: str, workspace: Workspace, server: ChatServer
) -> None:
    told = {"english": ENGLISH, "english_hypothesis": "The girl breathes fast."}
    asked = item(task="entailment", options=(), right=(), hypothesis="La niña respira.", label="neutral", **told)

    sat(workspace, name, asked)

    rendering = prompt("render", language="Spanish")
    assert rendering not in [request["messages"][0]["content"] for request in server.requests]
    assert sum("The girl breathes fast." in text for text in sent(server)) == 1


def test_translate_then_english_renders_also_what_the_benchmark_has_in_english(
    workspace: Workspace, server: ChatServer
) -> None:
    server.turns = [
        says("The girl is three years old and coughs; 52 breaths each minute. Which antibiotic should she get?"),
        *server.turns,
    ]

    sat(workspace, "translate-then-english", item(english=ENGLISH))

    assert QUESTION in sent(server)[0]
    assert all(ENGLISH not in asked for asked in sent(server))


def test_an_answer_in_words_is_rendered_back(workspace: Workspace, server: ChatServer) -> None:
    said = json.dumps({"sentences": [{"text": "Give oral amoxicillin at home."}], "conclusion": "Pneumonia."})
    rendering = "The girl of three years coughs and has fever; she takes 52 breaths a minute. Which antibiotic?"
    back = "Dar amoxicilina oral en casa."
    server.turns = [says(rendering), says("Pneumonia."), says(said), says(back)]

    answered, _ = sat(
        workspace,
        "translate-then-english",
        item(task="open", text="Niña de 3 años, 52 respiraciones.", options=(), right=()),
    )

    assert (answered.text, answered.claims) == (back, 1)
    assert "Give oral amoxicillin at home." in sent(server)[-1]


def test_local_only_reads_no_english(workspace: Workspace, server: ChatServer) -> None:
    sat(workspace, "local-only", item(english=ENGLISH))

    assert server.requests[0]["messages"][0]["content"].startswith("You are an experienced clinician who practises")
    assert all(ENGLISH not in asked for asked in sent(server))


def test_without_guidelines_rag_asks_the_bare_question(workspace: Workspace, server: ChatServer) -> None:
    _, events = sat(workspace, "rag", item())

    assert "Guideline passages" not in sent(server)[0]
    (searched,) = [event.body for event in events if event.kind is EventKind.RETRIEVAL]
    assert searched["status"] == "missing"


def test_a_conclusion_that_the_case_does_not_admit_is_an_abstention(workspace: Workspace, server: ChatServer) -> None:
    server.turns = [says('{"conclusion": "F"}')]

    answered, _ = sat(workspace, "direct", item())

    assert (answered.status, answered.conclusion) == ("abstained", "")


def test_the_team_is_as_sure_as_its_voices_agree(workspace: Workspace, server: ChatServer) -> None:
    answered, _ = sat(workspace, "coreasoner", item())

    assert answered.confidence == 1.0


@pytest.mark.parametrize("name", ["direct", "rag"])
def test_one_model_alone_tells_no_confidence(name: str, workspace: Workspace) -> None:
    assert sat(workspace, name, item())[0].confidence is None


@pytest.mark.parametrize(
    ("name", "silent"), [("without-english", "EnglishReasoner"), ("without-local", "LocalClinician")]
)
def test_a_voice_that_is_left_out_is_not_asked_and_that_is_no_failure(
    name: str, silent: str, workspace: Workspace, server: ChatServer
) -> None:
    answered, events = sat(workspace, name, item())

    spoke = {event.body["agent"] for event in events if event.kind is EventKind.STREAM}
    assert silent not in spoke
    assert answered.status == "answered"
    assert events[1].body["without"][name.removeprefix("without-")] == "left out of this evaluation on purpose"


def test_a_voice_that_fails_by_itself_is_a_failure(workspace: Workspace) -> None:
    system = systems()["coreasoner"]
    left_out = systems()["without-english"].arranged(workspace.resources())
    unexpected = replace(left_out, without={})

    async def answer() -> Answered:
        with workspace.recorded(unexpected) as recorder:
            return await system.answer(Sitting(item(), case_of(Shown(item(), (0, 1, 2))), unexpected, recorder))

    assert asyncio.run(answer()).status == "failed"


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("paper", "fusion", "paper"),
        ("paper", "query_mode", "question"),
        ("paper", "rounds", 0),
        ("without-rebuttal", "rounds", 0),
        ("without-fusion", "fusion", "side_by_side"),
        ("without-concepts", "query_mode", "question"),
    ],
)
def test_a_system_is_the_team_with_other_settings(name: str, setting: str, value: object, workspace: Workspace) -> None:
    _, events = sat(workspace, name, item())

    assert events[1].body["team"][setting] == value != getattr(workspace.settings.team, setting, None)


def test_without_concepts_the_answer_is_written_from_both_arguments(workspace: Workspace, server: ChatServer) -> None:
    argument = "Respira deprisa y tose, de modo que la neumonía es lo más probable."
    server.turns = [says(argument), *server.turns]

    _, events = sat(workspace, "without-concepts", item(english=ENGLISH, english_options=OPTIONS))

    (fused,) = [event.body for event in events if event.kind is EventKind.FUSION]
    answering = [event.body for event in events if event.kind is EventKind.PROMPT and event.body["phase"] == "answer"]
    assert fused["concepts"] == []
    assert argument in answering[0]["messages"][-1]["content"]


def test_a_letter_that_the_voices_share_is_the_answer_though_its_sentences_cannot_be_shown(
    workspace: Workspace, server: ChatServer
) -> None:
    server.turns = [says(json.dumps({**EVERYTHING, "sentences": [{"text": "A, B, C."}]}))]

    answered, _ = sat(workspace, "coreasoner", item())

    assert (answered.status, answered.conclusion, answered.claims) == ("answered", "A", 0)


def test_where_only_one_voice_concludes_the_team_abstains_and_tells_what_that_was(
    workspace: Workspace, server: ChatServer
) -> None:
    everything = says(json.dumps(EVERYTHING))
    spoken = [everything] * 5  # the options in English twice, the argument, its letter, the concepts
    server.turns = [*spoken, says('{"sentences": [{"text": "A, B, C."}]', reason="length")]

    answered, _ = sat(workspace, "without-local", item(english=ENGLISH))

    assert (answered.status, answered.conclusion, answered.leaning) == ("abstained", "", "A")
