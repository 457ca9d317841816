"""An argument in another language than its side's: stopped as soon as that shows, asked for once more, and told."""

import json
from collections.abc import Iterator

import pytest
from autogen_agentchat.messages import StructuredMessage
from autogen_core import CancellationToken

from agents.checker import strays
from agents.consultation import prepare
from agents.languages import phrase
from agents.messages import Argument, Case
from agents.reasoner import LocalClinician, ReasonerSettings, to_argue
from agents.speaker import Voice
from agents.team import Clock
from models.endpoint import RemoteSettings
from models.endpoints import Endpoints
from models.protocol import Sampling
from models.remote import RemoteChatClient
from tests.agents.cases import SPANISH
from tests.models.chat_server import PATIENCE_S, Turn, running_server, says
from transcripts.recorder import Recorder
from transcripts.store import TranscriptStore

STRAYED = (
    "The girl breathes fast and has a fever, so pneumonia is the most likely diagnosis. She needs an antibiotic today, "
    "and her mother has to know when she must come back to the clinic."
)
SPOKEN = (
    "La niña respira rápido y tiene fiebre, por lo que lo más probable es una neumonía. Necesita hoy un antibiótico, "
    "y su madre debe saber cuándo tiene que volver al centro de salud."
)
JAPANESE = "患児は呼吸が速く発熱もあるため、肺炎の可能性が最も高いと考えられます。本日から抗菌薬が必要です。"
LISTING = json.dumps({"concepts": ["tos", "fiebre"], "conclusion": "Neumonía."})


@pytest.fixture
def recorder(transcripts: TranscriptStore) -> Iterator[Recorder]:
    with transcripts.begin() as begun:
        yield begun


async def argued(recorder: Recorder, settings: ReasonerSettings, *said: Turn) -> tuple[Argument, list[str], list[int]]:
    """The local argument of a model with these answers, the last message of each request, and the tokens it allows."""
    case = prepare(SPANISH, spoken="es")
    with running_server(*said) as server:
        given = {"urls": [server.url], "model": "ward", "timeout_s": PATIENCE_S}
        client = RemoteChatClient(Endpoints(RemoteSettings.model_validate(given)), Sampling())
        voice = Voice("LocalClinician", client, recorder, Clock(), seed=7)
        asked = StructuredMessage[Case](content=case, source="clinician")
        response = await LocalClinician(voice, settings).on_messages([asked], CancellationToken())
        read = [request["messages"][-1]["content"] for request in server.requests]
        allowed = [request["max_tokens"] for request in server.requests]
    assert isinstance(response.chat_message, StructuredMessage)
    content = response.chat_message.content
    assert isinstance(content, Argument)
    return content, read, allowed


async def test_an_argument_in_the_language_of_the_case_is_asked_for_once(recorder: Recorder) -> None:
    argument, read, _ = await argued(recorder, ReasonerSettings(), says(SPOKEN), says(LISTING))

    assert len(read) == 2
    assert (argument.reasoning.text, argument.reasoning.fault) == (SPOKEN, "")


async def test_one_in_another_language_is_asked_for_once_more_in_the_same_words_and_with_the_language(
    recorder: Recorder,
) -> None:
    argument, read, allowed = await argued(recorder, ReasonerSettings(), says(STRAYED), says(SPOKEN), says(LISTING))

    assert read[1].startswith(read[0])
    assert "Write the whole argument in Spanish" in read[1]
    assert (argument.reasoning.text, argument.reasoning.fault) == (SPOKEN, "")
    assert allowed[1] < allowed[0]


async def test_one_that_is_in_another_language_twice_is_taken_and_says_so(recorder: Recorder) -> None:
    argument, read, _ = await argued(recorder, ReasonerSettings(), says(STRAYED), says(STRAYED), says(LISTING))

    assert len(read) == 3
    assert (argument.reasoning.text, argument.reasoning.fault) == (STRAYED, phrase("wrong_language", "es"))


async def test_what_went_astray_is_not_in_the_conversation_that_goes_on(recorder: Recorder) -> None:
    with running_server(says(STRAYED), says(SPOKEN), says(LISTING)) as server:
        given = {"urls": [server.url], "model": "ward", "timeout_s": PATIENCE_S}
        client = RemoteChatClient(Endpoints(RemoteSettings.model_validate(given)), Sampling())
        clinician = LocalClinician(Voice("LocalClinician", client, recorder, Clock(), seed=7), ReasonerSettings())
        asked = StructuredMessage[Case](content=prepare(SPANISH, spoken="es"), source="clinician")
        await clinician.on_messages([asked], CancellationToken())

    said = [str(message.content) for message in clinician.conversation]
    assert [text for text in said if text.startswith("The girl")] == []
    assert said[2] == SPOKEN


@pytest.mark.parametrize("options", [(), ("Amoxicilina", "Ceftriaxona")])
def test_options_are_spoken_of_only_where_there_are_some(options: tuple[str, ...]) -> None:
    asked = to_argue("Question.", prepare(SPANISH, spoken="es", options=options), "es")

    assert ("options" in asked) is bool(options)


@pytest.mark.parametrize(
    ("text", "asked", "found"),
    [
        (STRAYED, "es", True),
        (STRAYED, "en", False),
        (SPOKEN, "es", False),
        (SPOKEN, "en", True),
        (JAPANESE, "ja", False),
        (JAPANESE, "ko", True),
        (STRAYED[:60], "es", False),
        ("", "es", False),
    ],
)
def test_the_language_is_told_by_the_beginning(text: str, asked: str, found: bool) -> None:
    assert strays(text, asked) is found


def test_what_follows_the_beginning_changes_nothing() -> None:
    assert strays(f"{SPOKEN} {STRAYED}", "es") is strays(SPOKEN, "es")
    assert strays(f"{STRAYED} {SPOKEN}", "es") is strays(STRAYED, "es")
