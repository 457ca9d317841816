"""A case is argued with whatever parts are there, gets the best honest answer that is left, and says what was missing.

The language models are chat servers that say what the test wants said; embedder and guidelines are the real ones.
"""

import asyncio
import json
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from autogen_core import CancellationToken
from autogen_core.models import ChatCompletionClient
from pydantic import HttpUrl

from agents.consultation import Outcome, consult, prepare
from agents.languages import languages, phrase
from agents.messages import Alarm, Answer, Missing, Part
from agents.missing import missing
from agents.names import embed_names
from agents.support import check
from agents.team import BY_NAME, Resources, Role, TeamSettings, Thresholds
from knowledge.store import KnowledgeStore
from models.absent import AbsentChatClient
from models.embedder import Embedder
from models.endpoint import RemoteSettings
from models.endpoints import Endpoints
from models.errors import ModelError, WeightsMissing
from models.protocol import Sampling
from models.remote import RemoteChatClient
from tests.agents.cases import AMOXICILINA, AMOXICILLIN, ENGLISH, SPANISH
from tests.models.chat_server import Exchange, running_server, says
from transcripts.event import EventKind
from transcripts.store import TranscriptStore

GONE = "The weights are not on this machine; fetch them with `coreasoner models pull`."
LLMS: frozenset[Part] = frozenset({"english", "local", "synthesizer"})
LOST: tuple[frozenset[Part], ...] = (
    frozenset({"english"}),
    frozenset({"local"}),
    frozenset({"synthesizer"}),
    frozenset({"embedder"}),
    frozenset({"guidelines"}),
    frozenset({"embedder", "guidelines"}),
    frozenset({"english", "embedder"}),
    LLMS,
    LLMS | {"embedder"},
    LLMS | {"guidelines"},
    LLMS | {"embedder", "guidelines"},
)


LISTED = {"concepts": ["amoxicillin", "fever"], "conclusion": "Pneumonia, oral amoxicillin at home."}
ARGUED = (says("Fast breathing and cough mean pneumonia, so oral amoxicillin is right."), says(json.dumps(LISTED)))


def quotes(exchange: Exchange) -> None:
    """The first sentence of the first passage that the model is shown, cited; without one, a sentence of its own."""
    asked = exchange.server.requests[-1]["messages"][-1]["content"]
    passage = re.search(r"^\[(\d+)\] .*\n> ([^.\n]+)", asked, re.MULTILINE)
    sentence = (
        {"text": passage[2], "passages": [int(passage[1])]} if passage else {"text": "Dar amoxicilina oral en casa."}
    )
    says(json.dumps({"sentences": [sentence], "conclusion": "Neumonía."}, ensure_ascii=False))(exchange)


Argue = Callable[[frozenset[Part], str], tuple[Outcome, list[str]]]


@pytest.fixture(scope="module")
def argue(
    embedder: Embedder,
    thresholds: Thresholds,
    guidelines: KnowledgeStore,
    tmp_path_factory: pytest.TempPathFactory,
) -> Argue:
    """Argue a case without some parts; gives its outcome and the kinds of its events."""
    words_alone = KnowledgeStore(guidelines.folder, None)

    def run(lost: frozenset[Part], text: str) -> tuple[Outcome, list[str]]:
        with ExitStack() as opened:

            def client(role: Role) -> ChatCompletionClient:
                if role in lost:
                    return AbsentChatClient(WeightsMissing(GONE))
                server = opened.enter_context(running_server(*((quotes,) if role == "synthesizer" else ARGUED)))
                return RemoteChatClient(
                    Endpoints(RemoteSettings(urls=(HttpUrl(server.url),), model="ward")), Sampling()
                )

            by_name = "embedder" in lost
            resources = Resources(
                client=client,
                embedder=None if by_name else embedder,
                thresholds=BY_NAME if by_name else thresholds,
                store=None if "guidelines" in lost else words_alone if by_name else guidelines,
                settings=TeamSettings(),
                without={part: GONE for part in ("embedder", "guidelines") if part in lost},
            )
            return _argued(text, resources, tmp_path_factory.mktemp("missing") / "transcripts.db")

    return run


def _argued(text: str, resources: Resources, path: Path) -> tuple[Outcome, list[str]]:
    async def run() -> Outcome:
        with store.begin() as recorder:
            case = prepare(text, spoken="es", english=ENGLISH)
            last = [item async for item in consult(case, resources, recorder, CancellationToken())][-1]
            assert isinstance(last, Outcome)
            return last

    with TranscriptStore.open(path) as store:
        outcome = asyncio.run(run())
        events = list(store.events(outcome.transcript_id))
        answers = [event.body for event in events if event.kind is EventKind.ANSWER]
        assert [Answer.model_validate(body) for body in answers] == [outcome.answer]
        return outcome, [event.kind.value for event in events]


@pytest.fixture(scope="module")
def outcomes(argue: Argue) -> dict[frozenset[Part], Outcome]:
    """The child's case without each set of parts."""
    return {lost: argue(lost, SPANISH)[0] for lost in LOST}


each_loss = pytest.mark.parametrize("lost", LOST, ids=lambda lost: ", ".join(sorted(lost)))
Outcomes = dict[frozenset[Part], Outcome]


@each_loss
def test_every_part_that_is_missing_is_named_with_its_reason_and_no_other(
    outcomes: Outcomes, lost: frozenset[Part]
) -> None:
    named = {part.part: part.reason for part in outcomes[lost].answer.missing if part.part != "evidence"}

    assert named == dict.fromkeys(lost, GONE)


@pytest.mark.parametrize(
    ("lost", "mode"),
    [
        (frozenset({"english"}), "synthesized"),
        (frozenset({"local"}), "synthesized"),
        (frozenset({"guidelines"}), "synthesized"),
        (frozenset({"embedder", "guidelines"}), "synthesized"),
        (frozenset({"synthesizer"}), "evidence_only"),
        (LLMS, "evidence_only"),
        (LLMS | {"guidelines"}, "no_answer"),
        (LLMS | {"embedder", "guidelines"}, "no_answer"),
    ],
    ids=lambda given: given if isinstance(given, str) else ", ".join(sorted(given)),
)
def test_the_answer_is_the_best_that_is_left(outcomes: Outcomes, lost: frozenset[Part], mode: str) -> None:
    assert outcomes[lost].answer.mode == mode


@each_loss
def test_passages_are_found_wherever_there_are_guidelines(outcomes: Outcomes, lost: frozenset[Part]) -> None:
    assert bool(outcomes[lost].alignment.evidence.passages) is ("guidelines" not in lost)


@each_loss
def test_concepts_of_the_sides_that_argued_are_fused(outcomes: Outcomes, lost: frozenset[Part]) -> None:
    fused = outcomes[lost].alignment.fused

    assert bool(fused.concepts) is (not lost >= {"english", "local"})


def test_without_guidelines_no_sentence_is_called_supported(outcomes: Outcomes) -> None:
    claims = outcomes[frozenset({"guidelines"})].answer.claims

    assert [claim.supported for claim in claims] == [False]


def test_without_an_embedder_the_same_name_is_the_same_concept(outcomes: Outcomes) -> None:
    fused = outcomes[frozenset({"embedder"})].alignment.fused

    assert [(concept.name, concept.status) for concept in fused.concepts] == [
        ("amoxicillin", "merged"),
        ("fever", "merged"),
    ]


def test_an_emergency_is_told_without_any_part_and_first(argue: Argue) -> None:
    outcome, kinds = argue(LLMS | {"embedder", "guidelines"}, "Dolor torácico opresivo con sudoración.")

    assert isinstance(outcome.red_flags, Alarm)
    assert kinds.index("red_flag") < kinds.index("answer")


@pytest.mark.parametrize("code", languages())
@pytest.mark.parametrize(
    ("part", "key"), [("embedder", "missing_embedder"), ("evidence", "no_relevant_passage"), ("local", "missing_local")]
)
def test_what_is_missing_is_told_in_the_language_of_the_case(part: Part, key: str, code: str) -> None:
    assert missing(part, code, GONE) == Missing(part=part, text=phrase(key, code), reason=GONE)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Fever", "fever"), ("Neumonía", "neumonia"), ("amoxicillin", "アモキシシリン"), ("chest  pain", "Chest pain")],
)
def test_names_that_are_written_alike_or_are_one_medicine_are_the_same(one: str, other: str) -> None:
    vectors = embed_names([one, other])

    assert float(vectors[0] @ vectors[1]) == 1.0


@pytest.mark.parametrize(
    ("one", "other"), [("fever", "fiebre"), ("oral amoxicillin", "amoxicillin"), ("fever", "no fever")]
)
def test_other_names_are_other_concepts(one: str, other: str) -> None:
    vectors = embed_names([one, other])

    assert float(vectors[0] @ vectors[1]) == 0.0


@pytest.mark.parametrize(
    ("sentence", "number", "supported"),
    [
        ("Dar amoxicilina oral 40 mg/kg dos veces al día.", 2, True),
        ("Dar amoxicilina oral 80 mg/kg dos veces al día.", 2, False),
        ("Ingresar al niño y operar la apendicitis enseguida.", 2, False),
        ("Dar amoxicilina oral 40 mg/kg dos veces al día.", 1, False),
    ],
    ids=["its words and numbers", "another dose", "other words", "another language"],
)
def test_without_an_embedder_words_and_numbers_decide_what_a_passage_supports(
    sentence: str, number: int, supported: bool
) -> None:
    (claim,) = check([(sentence, (number,))], [AMOXICILLIN, AMOXICILINA], None, SPANISH, "es")

    assert claim.supported is supported


async def test_a_model_that_is_not_there_answers_with_its_reason() -> None:
    client = AbsentChatClient(WeightsMissing(GONE))

    with pytest.raises(ModelError, match="not on this machine"):
        await client.create([])
