"""A case put into English: checked, asked for once more, and read with a note of what stays wrong."""

import json
from collections.abc import Iterator

import pytest
from autogen_agentchat.messages import StructuredMessage
from autogen_core import CancellationToken

from agents.consultation import prepare
from agents.languages import phrase
from agents.messages import Argument, Case, RenderingFault
from agents.reasoner import EnglishReasoner, ReasonerSettings, to_argue
from agents.rendering import Rendering, described, noted, render, rendering_limit
from agents.speaker import Spoken, Voice, prompt
from agents.team import Clock
from models.endpoint import RemoteSettings
from models.endpoints import Endpoints
from models.protocol import Sampling
from models.remote import RemoteChatClient
from tests.agents.cases import ENGLISH, SPANISH
from tests.models.chat_server import PATIENCE_S, ChatServer, Turn, running_server, says
from transcripts.recorder import Recorder
from transcripts.store import TranscriptStore

WRONG = ENGLISH.replace("39", "38")
LOST = RenderingFault(kind="number", change="lost", words="39 °C")
ADDED = RenderingFault(kind="number", change="added", words="38 °C")
LISTING = json.dumps({"concepts": ["cough", "fever"], "conclusion": "Pneumonia."})
ARGUMENT = "The girl has pneumonia."


@pytest.fixture
def recorder(transcripts: TranscriptStore) -> Iterator[Recorder]:
    with transcripts.begin() as begun:
        yield begun


def voice(server: ChatServer, recorder: Recorder) -> Voice:
    given = {"urls": [server.url], "model": "ward", "timeout_s": PATIENCE_S}
    client = RemoteChatClient(Endpoints(RemoteSettings.model_validate(given)), Sampling())
    return Voice("EnglishReasoner", client, recorder, Clock(), seed=7)


async def rendered(recorder: Recorder, *said: str | Turn) -> tuple[Rendering, int, list[str]]:
    """The rendering that a model with these answers makes of the Spanish case, its turns, and what it was sent last."""
    with running_server(*(says(turn) if isinstance(turn, str) else turn for turn in said)) as server:
        items = [i async for i in render(SPANISH, "es", voice(server, recorder), CancellationToken(), 64)]
        sent = [message["content"] for message in server.requests[-1]["messages"]]
    assert isinstance(items[-1], Rendering)
    return items[-1], sum(isinstance(item, Spoken) for item in items), sent


async def argued(recorder: Recorder, case: Case, *said: str) -> tuple[Argument, list[str]]:
    """The English argument of a model with these answers, and what it read as the case."""
    with running_server(*map(says, said)) as server:
        reasoner = EnglishReasoner(voice(server, recorder), ReasonerSettings())
        asked = StructuredMessage[Case](content=case, source="clinician")
        response = await reasoner.on_messages([asked], CancellationToken())
        read = [request["messages"][1]["content"] for request in server.requests]
    assert isinstance(response.chat_message, StructuredMessage)
    content = response.chat_message.content
    assert isinstance(content, Argument)
    return content, read


async def test_a_faithful_rendering_is_asked_for_once(recorder: Recorder) -> None:
    rendering, turns, _ = await rendered(recorder, ENGLISH)

    assert (rendering, turns) == (Rendering(english=ENGLISH), 1)


async def test_a_wrong_one_is_asked_for_again_with_what_was_wrong(recorder: Recorder) -> None:
    rendering, turns, sent = await rendered(recorder, WRONG, ENGLISH)

    assert (rendering, turns) == (Rendering(english=ENGLISH), 2)
    assert sent[2:] == [WRONG, prompt("render_again", faults=described([LOST, ADDED]))]


async def test_what_is_wrong_twice_stays_with_its_faults_and_is_not_asked_a_third_time(recorder: Recorder) -> None:
    rendering, turns, _ = await rendered(recorder, WRONG, WRONG, ENGLISH)

    assert (rendering, turns) == (Rendering(english=WRONG, faults=(LOST, ADDED)), 2)


async def test_the_better_of_two_wrong_ones_is_kept(recorder: Recorder) -> None:
    worse = WRONG.replace("52 breaths per minute", "fast breathing")

    rendering, _, _ = await rendered(recorder, WRONG, worse)

    assert rendering.english == WRONG


async def test_a_rendering_that_is_cut_is_asked_for_again_and_yields_to_a_whole_one(recorder: Recorder) -> None:
    rendering, turns, sent = await rendered(recorder, says(ENGLISH, reason="length"), WRONG)

    assert (rendering, turns) == (Rendering(english=WRONG, faults=(LOST, ADDED)), 2)
    assert "the translation is cut off before the end of the original" in sent[-1]


async def test_a_whole_rendering_is_kept_before_one_that_is_cut(recorder: Recorder) -> None:
    rendering, _, _ = await rendered(recorder, WRONG, says(ENGLISH, reason="length"))

    assert rendering.english == WRONG


async def test_a_rendering_that_is_cut_twice_says_behind_which_words(recorder: Recorder) -> None:
    rendering, _, _ = await rendered(recorder, says(ENGLISH, reason="length"), says(ENGLISH, reason="length"))

    (fault,) = rendering.faults
    assert (fault.kind, fault.words) == ("cut", phrase("rendering_cut", "es", words=ENGLISH[-40:].strip()))
    assert fault.words in noted(rendering)


@pytest.mark.parametrize(
    ("text", "limit"), [("患" * 450, 450), ("患" * 5000, 640), ("Niña con tos.", 320), ("tos " * 400, 640), ("", 320)]
)
def test_a_long_text_may_take_more_tokens_up_to_twice_as_many(text: str, limit: int) -> None:
    assert rendering_limit(text, 320) == limit


async def test_a_second_attempt_that_is_not_english_does_not_replace_the_first(recorder: Recorder) -> None:
    rendering, _, _ = await rendered(recorder, WRONG, SPANISH)

    assert rendering.english == WRONG


async def test_what_does_not_become_english_leaves_the_case_in_its_own_words(recorder: Recorder) -> None:
    rendering, turns, _ = await rendered(recorder, SPANISH)

    assert (rendering, turns) == (Rendering(english=SPANISH), 1)


async def test_the_reasoner_reads_a_wrong_rendering_with_a_note_and_says_so(recorder: Recorder) -> None:
    argument, read = await argued(recorder, prepare(SPANISH, spoken="es"), WRONG, WRONG, ARGUMENT, LISTING)

    assert (argument.reasoning.question, argument.reasoning.rendering_faults) == (WRONG, (LOST, ADDED))
    assert noted(Rendering(english=WRONG, faults=(LOST, ADDED))) in read[2]
    assert "number of the original that is missing: 39 °C" in read[2]


async def test_a_given_rendering_is_compared_too_and_not_made_again(recorder: Recorder) -> None:
    argument, read = await argued(recorder, prepare(SPANISH, spoken="es", english=WRONG), ARGUMENT, LISTING)

    assert argument.reasoning.rendering_faults == (LOST, ADDED)
    assert len(read) == 2


async def test_a_faithful_rendering_is_read_without_a_note(recorder: Recorder) -> None:
    argument, read = await argued(recorder, prepare(SPANISH, spoken="es"), ENGLISH, ARGUMENT, LISTING)

    assert argument.reasoning.rendering_faults == ()
    assert "Note:" not in read[1]


async def test_the_hypothesis_is_rendered_as_the_case_is_and_the_label_alone_is_the_conclusion(
    recorder: Recorder,
) -> None:
    case = prepare(SPANISH, spoken="es", hypothesis="La niña no tiene fiebre.")
    statement = "The girl does not have any fever at all."
    listing = LISTING.replace("Pneumonia.", "contradiction")

    argument, read = await argued(recorder, case, ENGLISH, statement, ARGUMENT, "Answer: contradiction", listing)

    assert read[2] == to_argue(prompt("entailment", case=ENGLISH, hypothesis=statement), case, "en")
    assert argument.reasoning.question == f"{ENGLISH}\n\n{statement}"
    assert (argument.reasoning.conclusion, argument.reasoning.meaning) == (
        "contradiction",
        "The statement contradicts the case.",
    )


@pytest.mark.parametrize(("said", "letter"), [("B", "B"), ("ceftriaxona", "B"), ("surgery", "")])
async def test_with_options_the_conclusion_is_a_letter_with_its_option_or_nothing(
    recorder: Recorder, said: str, letter: str
) -> None:
    case = prepare(SPANISH, english=ENGLISH, spoken="es", options=["amoxicilina", "ceftriaxona"])

    argument, _ = await argued(recorder, case, ARGUMENT, "I cannot say.", LISTING.replace("Pneumonia.", said))

    assert (argument.reasoning.conclusion, argument.reasoning.meaning) == (letter, "ceftriaxona" if letter else "")


def test_a_long_sentence_is_quoted_by_its_beginning() -> None:
    (line,) = described([RenderingFault(kind="negation", change="lost", words="no " * 100)]).splitlines()

    assert len(line) < 200
    assert line.endswith("…")


OPTIONS = ("Amoxicilina por vía oral", "Ceftriaxona por vía intravenosa")
IN_ENGLISH = ("Amoxicillin by mouth", "Ceftriaxone into a vein")
RENDERED = "A. Amoxicillin by mouth\nB. Ceftriaxone into a vein"
CONCLUDED = "Answer: A"
CHOSEN = json.dumps({"concepts": ["cough", "fever"], "conclusion": "A"})


async def test_the_english_reasoner_reads_the_options_in_english(recorder: Recorder) -> None:
    case = prepare(SPANISH, spoken="es", options=OPTIONS)

    argument, read = await argued(recorder, case, ENGLISH, RENDERED, ARGUMENT, CONCLUDED, CHOSEN)

    assert read[1] == "A. Amoxicilina por vía oral\nB. Ceftriaxona por vía intravenosa"
    assert read[2] == to_argue(f"Case:\n{ENGLISH}\nOptions:\n{RENDERED}", case, "en")
    assert argument.reasoning.question == f"{ENGLISH}\n\n{RENDERED}"
    assert (argument.reasoning.conclusion, argument.reasoning.meaning) == ("A", OPTIONS[0])


@pytest.mark.parametrize("lost", ["A. Amoxicillin by mouth", "Amoxicillin by mouth, or ceftriaxone into a vein"])
async def test_options_that_lose_their_letters_are_read_in_their_own_language(lost: str, recorder: Recorder) -> None:
    case = prepare(SPANISH, spoken="es", options=OPTIONS)

    argument, read = await argued(recorder, case, ENGLISH, lost, ARGUMENT, CONCLUDED, CHOSEN)

    assert all(option in read[-1] for option in OPTIONS)
    assert argument.reasoning.question == ENGLISH


async def test_options_that_are_given_in_english_are_not_rendered(recorder: Recorder) -> None:
    case = prepare(SPANISH, spoken="es", english=ENGLISH, options=OPTIONS, english_options=IN_ENGLISH)

    _, read = await argued(recorder, case, ARGUMENT, CONCLUDED, CHOSEN)

    assert read[0] == to_argue(f"Case:\n{ENGLISH}\nOptions:\n{RENDERED}", case, "en")


@pytest.mark.parametrize(("line", "among"), [("Answer: B", ["B"]), (" B.", ["B"]), ("Beta blockers", ["A", "B"])])
async def test_a_letter_that_the_argument_does_not_state_is_asked_for_by_itself(
    recorder: Recorder, line: str, among: list[str]
) -> None:
    case = prepare(SPANISH, spoken="es", english=ENGLISH, options=OPTIONS, english_options=IN_ENGLISH)
    with running_server(*map(says, (ARGUMENT, line, CHOSEN.replace('"A"', '"B"')))) as server:
        reasoner = EnglishReasoner(voice(server, recorder), ReasonerSettings())
        asked = StructuredMessage[Case](content=case, source="clinician")
        response = await reasoner.on_messages([asked], CancellationToken())
        form = server.requests[2]["response_format"]["json_schema"]["schema"]

    assert isinstance(response.chat_message, StructuredMessage)
    assert response.chat_message.content.reasoning.conclusion == "B"
    assert form["properties"]["conclusion"]["enum"] == among


async def test_a_letter_that_the_argument_states_is_not_asked_for(recorder: Recorder) -> None:
    case = prepare(SPANISH, spoken="es", english=ENGLISH, options=OPTIONS, english_options=IN_ENGLISH)

    argument, read = await argued(recorder, case, f"{ARGUMENT}\n\nAnswer: A", CHOSEN)

    assert (argument.reasoning.conclusion, len(read)) == ("A", 2)
