"""A voice: what it says is on the record as far as it was said, and it can be told that it is enough."""

import pytest
from autogen_core import CancellationToken
from autogen_core.models import UserMessage

from agents.rendering import not_english
from agents.speaker import Spoken, Voice
from agents.team import Clock
from models.engine import Engine
from tests.agents.cases import client
from transcripts.event import EventKind
from transcripts.recorder import StreamPart
from transcripts.store import TranscriptStore

QUESTION = [UserMessage(content="Write three sentences about measles.", source="clinician")]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("A child of three years with cough, fever of 39 °C and 52 breaths per minute.", False),
        ("3歳の女児が三日前から咳と発熱を示している。呼吸数は毎分52回で陥没呼吸はない。外来での治療は何か。", True),
        ("طفلة عمرها ثلاث سنوات مع سعال وحمى وتنفس سريع منذ ثلاثة أيام.", True),
        ("咳と発熱", False),  # too little to tell
        ("38.5 / 140–90 (12) " * 20, False),
        ("The patient, whom her mother calls 花子 (Hanako), has had a cough since Monday and is drinking well.", False),
    ],
)
def test_a_rendering_in_another_script_is_told_by_its_beginning(text: str, other: bool) -> None:
    assert not_english(text) is other


async def test_a_voice_that_has_said_enough_stops_the_model(engine: Engine, transcripts: TranscriptStore) -> None:
    with transcripts.begin() as recorder:
        voice = Voice("Speaker", client(engine), recorder, Clock(), seed=7)
        heard = voice.speak("trial", QUESTION, CancellationToken(), max_tokens=400, enough=lambda text: len(text) > 60)
        *chunks, spoken = [item async for item in heard]
        events = list(transcripts.events(recorder.consultation_id))

    assert isinstance(spoken, Spoken)
    assert not spoken.finished
    assert 60 < len(spoken.text) < 300
    assert spoken.text == "".join(c.content for c in chunks if not isinstance(c, Spoken))
    assert 10 < spoken.usage.completion_tokens < 100
    assert spoken.usage.prompt_tokens > 10
    parts = [StreamPart.model_validate(event.body) for event in events if event.kind is EventKind.STREAM]
    assert "".join(text for part in parts for _, text in part.chunks) == spoken.text


async def test_a_voice_that_never_says_enough_goes_on_to_the_end(engine: Engine, transcripts: TranscriptStore) -> None:
    with transcripts.begin() as recorder:
        voice = Voice("Speaker", client(engine), recorder, Clock(), seed=7)
        *_, spoken = [item async for item in voice.speak("trial", QUESTION, CancellationToken(), max_tokens=24)]

    assert isinstance(spoken, Spoken)
    assert spoken.usage.completion_tokens == 24
