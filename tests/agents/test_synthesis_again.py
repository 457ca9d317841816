"""An answer asked for once more where the first could not be shown, and judged by the model where that is configured.

The model is a chat server that says what the test wants said; the embedder is the real one.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from autogen_agentchat.messages import StructuredMessage
from autogen_core import CancellationToken

from agents.languages import phrase
from agents.messages import Alignment, Answer, Message
from agents.nearness import Nearness
from agents.reasoner import to_conclude
from agents.speaker import Voice, prompt
from agents.synthesizer import SynthesisSettings, Synthesizer
from agents.team import Clock, Thresholds
from models.embedder import Embedder
from models.endpoint import RemoteSettings
from models.endpoints import Endpoints
from models.protocol import Sampling
from models.remote import RemoteChatClient
from tests.agents.cases import AMOXICILINA, AMOXICILLIN, alignment, case
from tests.agents.test_synthesizer import GOOD, argument, spoken
from tests.models.chat_server import PATIENCE_S, Turn, answers, running_server, says
from transcripts.event import EventKind
from transcripts.recorder import Recorder
from transcripts.store import TranscriptStore

USABLE = spoken((GOOD, [2])).text
ENGLISH_TEXT = spoken(("Give this child amoxicillin by mouth, twice a day.", [1])).text
NO_WORDS = spoken(("...! ...! ...!", [2])).text
OPTIONS = ("Amoxicilina", "Apendicectomía")
FOUND = alignment(AMOXICILLIN, AMOXICILINA)


@pytest.fixture
def recorder(transcripts: TranscriptStore) -> Iterator[Recorder]:
    with transcripts.begin() as begun:
        yield begun


class Ward:
    """A synthesizer whose model answers with `turns`; `requests` is what it was asked."""

    def __init__(self, nearness: Nearness, recorder: Recorder) -> None:
        self._nearness, self._recorder = nearness, recorder
        self.requests: list[dict[str, Any]] = []

    async def answers(
        self, *turns: Turn, found: Alignment = FOUND, sides: tuple[str, str] | None = None, **settings: bool | int
    ) -> Answer:
        """The answer to the Spanish case, which has options where the `sides` conclude."""
        with running_server(*turns) as server:
            given = {"urls": [server.url], "model": "ward", "timeout_s": PATIENCE_S}
            client = RemoteChatClient(Endpoints(RemoteSettings.model_validate(given)), Sampling())
            voice = Voice("Synthesizer", client, self._recorder, Clock(), seed=7)
            chosen = SynthesisSettings.model_validate(settings)
            synthesizer = Synthesizer(voice, self._nearness, self._recorder, chosen)
            asked = case().model_copy(update={"options": OPTIONS}) if sides else case()
            english, local = sides or ("", "")
            contents = (asked, argument("english", "en", english), argument("local", "es", local), found)
            messages = [StructuredMessage[Message](content=content, source="test") for content in contents]
            response = await synthesizer.on_messages(messages, CancellationToken())
            self.requests = list(server.requests)
        assert isinstance(response.chat_message, StructuredMessage)
        content = response.chat_message.content
        assert isinstance(content, Answer)
        return content

    def said(self, request: int) -> Sequence[str]:
        """The messages of a request."""
        return [message["content"] for message in self.requests[request]["messages"]]


@pytest.fixture
def ward(embedder: Embedder, thresholds: Thresholds, recorder: Recorder) -> Ward:
    return Ward(Nearness(embedder, thresholds.support, thresholds.across), recorder)


def verdict(word: str) -> Turn:
    return says(json.dumps({"stands_there": word}))


async def test_a_usable_answer_is_asked_for_once(ward: Ward) -> None:
    answer = await ward.answers(says(USABLE))

    assert (answer.mode, len(ward.requests), len(answer.spans)) == ("synthesized", 1, 1)


@pytest.mark.parametrize(
    ("first", "fault"),
    [
        (ENGLISH_TEXT, "wrong_language"),
        (spoken(*[(GOOD, [2])] * 5).text, "repetition"),
        (spoken((case().text, [2])).text, "echo"),
        (NO_WORDS, "empty"),
        (spoken((GOOD, [])).text, "unsupported"),
    ],
    ids=["another language", "in circles", "the case", "nothing", "no citation"],
)
async def test_what_cannot_be_shown_is_asked_for_again_with_its_fault(ward: Ward, first: str, fault: str) -> None:
    answer = await ward.answers(says(first), says(USABLE))

    assert answer.text == f"{GOOD} [2]"
    assert len(ward.requests) == 2
    assert phrase(fault, "en") in ward.said(1)[3]


async def test_the_second_request_goes_on_from_the_first_so_that_nothing_is_read_twice(ward: Ward) -> None:
    await ward.answers(says(ENGLISH_TEXT), says(USABLE))

    assert ward.said(1)[:2] == ward.said(0)
    assert ward.said(1)[2] == ENGLISH_TEXT


async def test_both_turns_are_in_the_figures_and_on_the_record(
    ward: Ward, recorder: Recorder, transcripts: TranscriptStore
) -> None:
    answer = await ward.answers(says(ENGLISH_TEXT), says(USABLE))

    kinds = [event.kind for event in transcripts.events(recorder.consultation_id)]
    assert (len(answer.spans), kinds.count(EventKind.PROMPT), kinds.count(EventKind.MODEL)) == (2, 2, 2)


async def test_what_is_of_no_use_twice_gives_way_to_the_evidence_and_is_not_asked_a_third_time(ward: Ward) -> None:
    answer = await ward.answers(says(ENGLISH_TEXT), says(NO_WORDS), says(USABLE))

    assert (answer.mode, answer.reason) == ("evidence_only", phrase("empty", "es"))
    assert len(ward.requests) == 2


async def test_where_nothing_relevant_was_found_it_is_not_asked_again(ward: Ward) -> None:
    answer = await ward.answers(says(ENGLISH_TEXT), says(USABLE), found=alignment())

    assert (answer.mode, len(ward.requests)) == ("no_answer", 1)


async def test_one_attempt_may_be_all_that_is_configured(ward: Ward) -> None:
    answer = await ward.answers(says(ENGLISH_TEXT), says(USABLE), attempts=1)

    assert (answer.mode, len(ward.requests)) == ("evidence_only", 1)


async def test_a_model_that_fails_the_second_time_leaves_the_evidence_and_the_first_fault(ward: Ward) -> None:
    answer = await ward.answers(says(ENGLISH_TEXT), answers(400))

    assert (answer.mode, answer.reason, answer.missing) == ("evidence_only", phrase("wrong_language", "es"), ())


@pytest.mark.parametrize(
    ("sides", "written", "shared"),
    [
        (("A", "A"), "", "A"),
        (("A", "B"), "B", "B"),
        (("A", ""), "A", "A"),
        (("", ""), "A", ""),
        (("A", "B"), "", ""),
    ],
)
async def test_a_letter_that_two_agents_share_outlives_sentences_of_no_use(
    ward: Ward, sides: tuple[str, str], written: str, shared: str
) -> None:
    nothing = spoken(("...! ...! ...!", [2]), conclusion=written).text

    answer = await ward.answers(says(nothing), sides=sides, attempts=1)

    meaning = {"A": OPTIONS[0], "B": OPTIONS[1], "": ""}[shared]
    assert (answer.mode, answer.conclusion, answer.meaning) == ("evidence_only", shared, meaning)
    assert answer.unsupported == ((shared,) if shared else ())
    assert answer.text.startswith(phrase("agreed", "es")) is bool(shared)


LETTERED = {letter: spoken((GOOD, [2]), conclusion=letter).text for letter in ("A", "B", "")}


@pytest.mark.parametrize("line", ["Answer: B", "B", "**Answer: B. Apendicectomía**"])
async def test_the_letter_is_asked_for_by_itself_behind_the_answer(ward: Ward, line: str) -> None:
    answer = await ward.answers(says(USABLE), says(line), sides=("A", "B"))

    assert (answer.mode, answer.conclusion, answer.meaning) == ("synthesized", "B", OPTIONS[1])
    assert ward.said(1)[2:] == [USABLE, to_conclude(case().model_copy(update={"options": OPTIONS}), "answer")]


async def test_a_letter_against_that_of_both_sides_is_marked_and_both_are_told(ward: Ward) -> None:
    answer = await ward.answers(says(LETTERED["A"]), sides=("B", "B"))

    assert (answer.mode, answer.conclusion, answer.unsupported) == ("synthesized", "A", ("A",))
    both, own = (f"{letter}: {meaning}" for letter, meaning in (("B", OPTIONS[1]), ("A", OPTIONS[0])))
    assert answer.against == phrase("against_both", "es", sides=both, answer=own)


@pytest.mark.parametrize("sides", [("A", "A"), ("A", "B"), ("B", "A"), ("B", ""), ("", "")])
async def test_a_letter_that_not_both_sides_are_against_stands_as_it_is(ward: Ward, sides: tuple[str, str]) -> None:
    answer = await ward.answers(says(LETTERED["A"]), sides=sides)

    assert (answer.conclusion, answer.unsupported, answer.against) == ("A", (), "")


async def test_a_letter_is_marked_where_no_sentence_is_supported(ward: Ward) -> None:
    operate = "Operar hoy mismo la apendicitis."
    text = spoken((operate, []), conclusion="A").text

    answer = await ward.answers(says(text), found=alignment(), sides=("A", "A"))

    assert (answer.mode, answer.conclusion, answer.unsupported) == ("synthesized", "A", (operate, "A"))
    assert answer.against == ""


async def test_a_letter_of_both_sides_where_the_model_wrote_none_is_not_against_anything(ward: Ward) -> None:
    answer = await ward.answers(says(LETTERED[""]), sides=("B", "B"))

    assert (answer.conclusion, answer.unsupported, answer.against) == ("B", ("B",), "")


async def test_a_conclusion_in_words_is_judged_by_its_words_alone(ward: Ward) -> None:
    answer = await ward.answers(says(USABLE))

    assert (answer.unsupported, answer.against) == ((), "")


async def test_without_a_model_that_writes_the_letter_of_both_sides_stays(ward: Ward) -> None:
    answer = await ward.answers(answers(400), sides=("B", "B"), found=alignment())

    assert (answer.mode, answer.conclusion) == ("no_answer", "B")


async def test_a_conclusion_in_words_is_not_shown_beside_sentences_of_no_use(ward: Ward) -> None:
    answer = await ward.answers(says(NO_WORDS), attempts=1)

    assert (answer.mode, answer.conclusion) == ("evidence_only", "")


async def test_without_the_setting_no_model_judges(ward: Ward) -> None:
    await ward.answers(says(USABLE), verdict("no"))

    assert len(ward.requests) == 1


async def test_a_judge_that_agrees_changes_nothing(ward: Ward) -> None:
    answer = await ward.answers(says(USABLE), verdict("yes"), judge=True)

    assert (answer.text, answer.claims[0].supported, answer.unsupported) == (f"{GOOD} [2]", True, ())


async def test_a_judge_reads_the_cited_passage_and_the_sentence_and_answers_in_a_form(ward: Ward) -> None:
    await ward.answers(says(USABLE), verdict("yes"), judge=True)

    system, asked = ward.said(1)
    assert system == prompt("judge")
    assert AMOXICILINA.passage.text in asked
    assert AMOXICILLIN.passage.text not in asked
    assert f"> {GOOD}" in asked
    assert '"enum": ["yes", "no"]' in json.dumps(ward.requests[1])


async def test_a_judge_may_refuse_what_the_checker_accepts(ward: Ward) -> None:
    two = spoken((GOOD, [2]), ("Dar amoxicilina oral durante 5 días al niño.", [2])).text

    answer = await ward.answers(says(two), verdict("yes"), verdict("no"), judge=True)

    assert [claim.supported for claim in answer.claims] == [True, False]
    assert answer.unsupported[0] == "Dar amoxicilina oral durante 5 días al niño."


TREAT = "Dar amoxicilina oral 40 mg/kg dos veces al día durante 5 días al niño con neumonía."


async def test_a_judge_is_asked_about_a_conclusion_in_words_too(ward: Ward) -> None:
    concluded = spoken((GOOD, [2]), conclusion=TREAT).text

    answer = await ward.answers(says(concluded), verdict("yes"), verdict("no"), judge=True)

    assert f"> {TREAT}" in ward.said(2)[1]
    assert (answer.mode, answer.conclusion, answer.unsupported) == ("synthesized", TREAT, (TREAT,))


async def test_a_conclusion_that_the_judge_accepts_stands(ward: Ward) -> None:
    concluded = spoken((GOOD, [2]), conclusion=TREAT).text

    answer = await ward.answers(says(concluded), verdict("yes"), judge=True)

    assert (len(ward.requests), answer.conclusion, answer.unsupported) == (3, TREAT, ())


async def test_a_judge_is_not_asked_about_a_letter(ward: Ward) -> None:
    await ward.answers(says(LETTERED["A"]), verdict("yes"), says("Answer: A"), sides=("A", "A"), judge=True)

    assert len(ward.requests) == 3  # the answer, its one sentence, the letter


@pytest.mark.parametrize(
    "turn",
    [says("maybe"), says('{"stands_there": "y', reason="length"), verdict("perhaps")],
    ids=["no form", "cut", "another word"],
)
async def test_what_is_no_yes_refuses(ward: Ward, turn: Turn) -> None:
    answer = await ward.answers(says(USABLE), turn, judge=True, attempts=1)

    assert (answer.mode, answer.reason) == ("evidence_only", phrase("unsupported", "es"))


async def test_a_judge_is_not_asked_about_what_the_checker_refuses(ward: Ward) -> None:
    two = spoken((GOOD, [2]), ("Operar hoy mismo la apendicitis.", [2]), conclusion="Apendicitis: operar.").text

    answer = await ward.answers(says(two), verdict("yes"), judge=True)

    assert [claim.supported for claim in answer.claims] == [True, False]
    assert len(ward.requests) == 2


async def test_a_judge_that_cannot_be_reached_leaves_what_the_checker_said(ward: Ward) -> None:
    answer = await ward.answers(says(USABLE), answers(400), judge=True)

    assert (answer.mode, answer.claims[0].supported) == ("synthesized", True)
