"""A whole consultation with the real model, embedder, guidelines and transcript: argued to its end, or stopped."""

import asyncio
import gc
import re
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from autogen_core import CancellationToken
from autogen_core.models import ChatCompletionClient, UserMessage
from pydantic import BaseModel, JsonValue

from agents.consultation import Chunk, Outcome, Progress, consult, prepare
from agents.languages import language, phrase
from agents.messages import Alarm, Alignment, Answer, Argument, Case, Side, Span
from agents.reasoner import ReasonerSettings, case_text, to_argue
from agents.rendering import Rendering, noted
from agents.speaker import prompt
from agents.synthesizer import SynthesisSettings, rendered
from agents.team import Resources, Role, TeamSettings, Thresholds
from knowledge.store import KnowledgeStore
from models.embedder import Embedder
from models.engine import Engine
from models.protocol import EngineSettings
from models.registry import Registry
from models.weights import WeightStore
from tests.agents.cases import ENGLISH, MODEL, SPANISH, client
from transcripts.consultation import Status
from transcripts.errors import TranscriptUnwritable
from transcripts.event import Event, EventKind
from transcripts.recorder import Recorder, StreamPart
from transcripts.show import playback
from transcripts.store import TranscriptStore

SHORT = ReasonerSettings(rendering_tokens=16, reasoning_tokens=24, concept_tokens=48)
# Far more than is waited for: a lane that were not freed would still be busy with it.
ENDLESS = ReasonerSettings(reasoning_tokens=1800)
AGENTS: dict[Side, str] = {"english": "EnglishReasoner", "local": "LocalClinician"}

Assemble = Callable[..., Resources]


class SentMessage(BaseModel):
    type: str
    content: str


class SentPrompt(BaseModel):
    """The body of a `prompt` event."""

    agent: str
    phase: str
    messages: list[SentMessage]
    options: dict[str, JsonValue]


class Argued(BaseModel):
    """A consultation that is over: what was shown while it ran, and what is on the record."""

    shown: list[Alarm | Chunk | Argument | Alignment | Answer | Outcome]
    events: list[Event]
    status: Status

    @property
    def outcome(self) -> Outcome:
        last = self.shown[-1]
        assert isinstance(last, Outcome)
        return last

    @property
    def chunks(self) -> list[Chunk]:
        return [item for item in self.shown if isinstance(item, Chunk)]

    def streamed(self, agent: str, phase: str) -> str:
        return "".join(c.text for c in self.chunks if (c.agent, c.phase) == (agent, phase))

    def prompts(self, agent: str) -> dict[str, list[str]]:
        """What each phase of an agent was sent."""
        sent = [SentPrompt.model_validate(e.body) for e in self.events if e.kind is EventKind.PROMPT]
        return {s.phase: [message.content for message in s.messages] for s in sent if s.agent == agent}

    def span(self, agent: str, phase: str) -> Span:
        """The last one: an argument that went astray is asked for twice."""
        return [s for s in self.outcome.spans if (s.agent, s.phase) == (agent, phase)][-1]


@pytest.fixture(scope="session")
def assemble(
    engine: Engine,
    embedder: Embedder,
    thresholds: Thresholds,
    guidelines: KnowledgeStore,
    tmp_path_factory: pytest.TempPathFactory,
) -> Assemble:
    """A team's resources, in which the weights of the roles in `without` are not on this machine."""
    missing = WeightStore(tmp_path_factory.mktemp("models"), Registry.load())
    broken = Engine(lambda: missing.checked_path(MODEL.name), EngineSettings())

    def make(*, without: Sequence[Role] = (), store: KnowledgeStore | None = guidelines, **settings: Any) -> Resources:
        def open_client(role: Role) -> ChatCompletionClient:
            return client(broken if role in without else engine)

        synthesis = SynthesisSettings(answer_tokens=64, evidence_tokens=100, sentences=1, attempts=1)
        chosen = TeamSettings.model_validate({"reasoner": SHORT, "synthesis": synthesis, "rounds": 0, **settings})
        return Resources(client=open_client, embedder=embedder, thresholds=thresholds, store=store, settings=chosen)

    return make


def argue(case: Case, resources: Resources, path: Path) -> Argued:
    """Argue a case to its end."""

    async def run(recorder: Recorder) -> list[Progress]:
        return [item async for item in consult(case, resources, recorder, CancellationToken())]

    with TranscriptStore.open(path) as store:
        with store.begin() as recorder:
            shown = asyncio.run(run(recorder))
        events = list(store.events(recorder.consultation_id))
        assert store.verify(recorder.consultation_id).events == len(events)
        return Argued(shown=shown, events=events, status=store.consultations()[0].status)


@pytest.fixture(scope="module")
def argued(assemble: Assemble, tmp_path_factory: pytest.TempPathFactory) -> Argued:
    """The child's case with an English rendering given, so that both sides begin to argue at once."""
    return argue(prepare(SPANISH, english=ENGLISH), assemble(), tmp_path_factory.mktemp("argued") / "transcripts.db")


def test_every_part_of_a_consultation_is_there(argued: Argued) -> None:
    outcome = argued.outcome

    assert outcome.case.text == SPANISH
    assert (outcome.english.reasoning.language, outcome.local.reasoning.language) == ("en", "es")
    for argument in (outcome.english, outcome.local):
        assert argument.reasoning.status == "argued"
        assert argument.chain.status == "listed"
    assert outcome.alignment.fused.strategy == "grounded"
    assert outcome.alignment.evidence.status == "found"
    assert {p.passage.language for p in outcome.alignment.evidence.passages} == {"es", "en"}
    assert outcome.answer.language == "es"
    assert outcome.answer.text.endswith(rendered(outcome.answer.claims, "\n\n"))


def test_parts_are_shown_as_they_are_finished_and_the_outcome_last(argued: Argued) -> None:
    parts = [item for item in argued.shown if not isinstance(item, Chunk)]

    assert [type(part) for part in parts] == [Argument, Argument, Alignment, Answer, Outcome]
    assert {part.reasoning.side: part for part in parts if isinstance(part, Argument)} == {
        "english": argued.outcome.english,
        "local": argued.outcome.local,
    }
    assert parts[2:4] == [argued.outcome.alignment, argued.outcome.answer]


def test_both_sides_argue_at_the_same_time(argued: Argued) -> None:
    english, local = (argued.span(agent, "reasoning") for agent in AGENTS.values())

    assert english.start < local.end
    assert local.start < english.end


def test_the_answer_waits_for_both_arguments(argued: Argued) -> None:
    alignment, answer = argued.span("ConceptAligner", "alignment"), argued.span("Synthesizer", "answer")

    assert max(argued.span(agent, "concepts").end for agent in AGENTS.values()) <= alignment.start
    assert alignment.end <= answer.start
    assert answer.end <= argued.outcome.seconds


def test_every_concept_of_both_chains_is_somewhere_in_the_fused_one(argued: Argued) -> None:
    outcome = argued.outcome
    fused = [*outcome.alignment.fused.concepts, *outcome.alignment.fused.aside]
    names = [name for concept in fused for name in (concept.name, concept.local_name) if name]

    assert sorted(names) == sorted((*outcome.english.chain.names, *outcome.local.chain.names))


def test_usage_is_that_of_all_generations(argued: Argued) -> None:
    spoken = [e.body for e in argued.events if e.kind is EventKind.MODEL]

    assert len(spoken) == len([span for span in argued.outcome.spans if span.agent != "ConceptAligner"]) >= 5
    total = sum(int(str(body["gen_ai.usage.output_tokens"])) for body in spoken)
    assert argued.outcome.usage.completion_tokens == total > 0


@pytest.mark.parametrize("side", ["english", "local"])
def test_a_reasoner_is_sent_its_own_case_and_words_and_nothing_else(argued: Argued, side: Side) -> None:
    agent, spoken = AGENTS[side], language({"english": "en", "local": "es"}[side])
    instruction = spoken.instruction
    system, question = {
        "english": (prompt("reasoner_english"), ENGLISH),
        "local": (prompt("reasoner_local", language="Spanish", jurisdiction="ES", instruction=instruction), SPANISH),
    }[side]
    sent = argued.prompts(agent)
    asked = to_argue(case_text(question, ()), argued.outcome.case, spoken.code)
    again = prompt("argue_again", language=spoken.name, instruction=instruction)

    assert sent["reasoning"] in ([system, asked], [system, f"{asked}\n\n{again}"])
    assert sorted(sent) == ["concepts", "reasoning"]
    *before, argument, concepts = sent["concepts"]
    said = {"english": argued.outcome.english, "local": argued.outcome.local}[side].reasoning.text
    assert (before, argument.strip()) == (sent["reasoning"], said)
    assert concepts == prompt("concepts", instruction=instruction)


@pytest.mark.parametrize(("side", "other"), [("english", "local"), ("local", "english")])
def test_a_reasoner_never_reads_the_other(argued: Argued, side: Side, other: Side) -> None:
    read = "\n".join(text for sent in argued.prompts(AGENTS[side]).values() for text in sent)
    written = [argued.streamed(AGENTS[other], phase).strip() for phase in ("reasoning", "concepts")]

    assert all(written)
    assert [text for text in written if text in read] == []


def test_the_synthesizer_reads_both_conclusions_and_numbered_passages(argued: Argued) -> None:
    (sent,) = argued.prompts("Synthesizer").values()
    outcome = argued.outcome

    assert f"English colleague: {outcome.english.reasoning.conclusion or '-'}\n" in sent[1]
    assert f"Local colleague: {outcome.local.reasoning.conclusion or '-'}\n" in sent[1]
    assert re.search(r"^<<[0-9a-f]{16}\n\[1\] ", sent[1], re.MULTILINE)


def test_the_transcript_has_the_case_first_and_every_step_once(argued: Argued) -> None:
    kinds = [e.kind for e in argued.events]
    once = (EventKind.CASE, EventKind.FUSION, EventKind.RETRIEVAL, EventKind.ANSWER, EventKind.FINISHED)

    assert [kind for kind in kinds if kind in once] == list(once)
    assert (kinds[0], kinds[-1]) == (EventKind.CASE, EventKind.FINISHED)
    assert [kinds.count(kind) for kind in (EventKind.REASONING, EventKind.CHAIN)] == [2, 2]
    assert kinds.count(EventKind.PROMPT) == kinds.count(EventKind.MODEL) >= 5
    assert argued.status is Status.FINISHED


def test_the_transcript_has_the_parts_as_they_were_shown(argued: Argued) -> None:
    outcome, body = argued.outcome, {e.kind: e.body for e in argued.events}

    assert Case.model_validate(body[EventKind.CASE]) == outcome.case
    assert Answer.model_validate(body[EventKind.ANSWER]) == outcome.answer
    assert body[EventKind.RETRIEVAL]["version"] == outcome.alignment.evidence.version
    said = {e.body["side"]: e.body["text"] for e in argued.events if e.kind is EventKind.REASONING}
    assert said == {"english": outcome.english.reasoning.text, "local": outcome.local.reasoning.text}


def test_every_chunk_that_was_shown_is_on_the_record_in_its_order(argued: Argued) -> None:
    recorded: dict[tuple[str, str], list[str]] = {}
    for event in argued.events:
        if event.kind is EventKind.STREAM:
            part = StreamPart.model_validate(event.body)
            recorded.setdefault((part.agent, part.role), []).extend(text for _, text in part.chunks)
    shown: dict[tuple[str, str], list[str]] = {}
    for chunk in argued.chunks:
        shown.setdefault((chunk.agent, chunk.phase), []).append(chunk.text)

    assert recorded == shown
    assert len(shown) == 5


def test_the_transcript_plays_back_what_was_streamed(argued: Argued) -> None:
    played = [(line.agent, line.text) for line in playback(argued.events) if line.kind is EventKind.STREAM]

    for agent in ("EnglishReasoner", "LocalClinician", "Synthesizer"):
        shown = "".join(chunk.text for chunk in argued.chunks if chunk.agent == agent)
        assert "".join(text for speaker, text in played if speaker == agent) == shown
    assert played[-1] == ("Synthesizer", argued.streamed("Synthesizer", "answer"))


@pytest.mark.parametrize(("lost", "kept"), [("english", "local"), ("local", "english")])
def test_a_side_whose_weights_are_missing_leaves_the_other_to_carry_the_answer(
    assemble: Assemble, tmp_path: Path, lost: Side, kept: Side
) -> None:
    resources = assemble(without=[lost])

    argued = argue(prepare(SPANISH, english=ENGLISH), resources, tmp_path / "transcripts.db")

    outcome = argued.outcome
    sides = {"english": outcome.english, "local": outcome.local}
    assert (sides[lost].reasoning.status, sides[lost].chain.status) == ("unavailable", "empty")
    for reason in (sides[lost].reasoning.reason, sides[lost].chain.reason):
        assert reason.startswith("The weights of SmolLM2 135M")
        assert f"coreasoner models pull {MODEL.name}" in reason
    assert sides[kept].reasoning.status == "argued"
    assert [c.name for c in outcome.alignment.fused.concepts] == list(sides[kept].chain.names) != []
    assert outcome.answer.mode in ("synthesized", "evidence_only")
    assert outcome.answer.claims
    assert argued.status is Status.FINISHED


def test_the_papers_strategy_is_used_and_recorded_and_a_missing_synthesizer_leaves_the_evidence(
    assemble: Assemble, tmp_path: Path
) -> None:
    resources = assemble(without=["synthesizer"], fusion="paper")

    argued = argue(prepare(SPANISH), resources, tmp_path / "transcripts.db")

    fused, answer = argued.outcome.alignment.fused, argued.outcome.answer
    assert (fused.strategy, fused.threshold) == ("paper", 0.7)
    assert [e.body["strategy"] for e in argued.events if e.kind is EventKind.FUSION] == ["paper"]
    assert all(c.status in ("scaffold", "inserted") for c in fused.concepts)
    assert (answer.mode, bool(answer.claims)) == ("evidence_only", True)
    assert answer.reason.startswith(phrase("unavailable", "es", reason="The weights of SmolLM2 135M"))
    # Without a rendering the English side asks the model for one first, and says which text it read.
    assert list(argued.prompts("EnglishReasoner")) == ["rendering", "reasoning", "concepts"]
    english = argued.outcome.english.reasoning
    read = noted(Rendering(english=english.question, faults=english.rendering_faults))
    assert argued.prompts("EnglishReasoner")["reasoning"][1].startswith(case_text(read, ()))


def test_with_no_model_and_no_guidelines_at_all_there_is_still_an_outcome(assemble: Assemble, tmp_path: Path) -> None:
    resources = assemble(without=["english", "local", "synthesizer"], store=None)

    argued = argue(prepare(SPANISH), resources, tmp_path / "transcripts.db")

    outcome = argued.outcome
    assert (outcome.english.reasoning.status, outcome.local.reasoning.status) == ("unavailable", "unavailable")
    assert (outcome.alignment.fused.concepts, outcome.alignment.evidence.status) == ((), "missing")
    assert "coreasoner knowledge add" in outcome.alignment.evidence.reason
    assert (outcome.answer.mode, argued.status) == ("no_answer", Status.FINISHED)
    assert outcome.answer.text.endswith(phrase("no_answer", "es"))


def test_red_flags_come_first_are_recorded_and_need_no_model(assemble: Assemble, tmp_path: Path) -> None:
    resources = assemble(without=["english", "local", "synthesizer"], store=None)

    argued = argue(prepare("Dolor torácico opresivo con sudoración."), resources, tmp_path / "transcripts.db")

    raised = argued.shown[0]
    assert isinstance(raised, Alarm)
    assert [flag.emergency for flag in raised.flags] == ["acute_coronary"]
    assert "112" in raised.call
    assert argued.outcome.red_flags == raised
    kinds = [event.kind for event in argued.events]
    assert kinds[:2] == [EventKind.CASE, EventKind.RED_FLAG]
    assert argued.events[1].body == raised.model_dump(mode="json")


def test_without_red_flags_nothing_is_said_of_them(argued: Argued) -> None:
    assert argued.outcome.red_flags is None
    assert EventKind.RED_FLAG not in [event.kind for event in argued.events]


@pytest.fixture
async def leaks() -> AsyncIterator[list[dict[str, Any]]]:
    """What the event loop was told of exceptions that nobody took, at the latest when garbage is collected."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: found.append(context))
    yield found
    gc.collect()
    assert found == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def lanes(engine: Engine) -> list[int]:
    """The lanes that two short generations are given at once: the same one twice where the other is still busy."""
    gc.collect()  # closes what nobody holds any more, while there is a loop to close it in
    clients = [client(engine) for _ in range(2)]
    question = [UserMessage(content="Is fever a symptom?", source="test")]
    await asyncio.gather(
        *(
            each.create(question, extra_create_args={"conversation": f"after {number}", "max_tokens": 8})
            for number, each in enumerate(clients)
        )
    )
    return sorted(each.figures.lane for each in clients if each.figures)


async def until_both_argue(stream: AsyncIterator[Progress]) -> None:
    speaking: set[str] = set()
    while len(speaking) < 2:
        item = await anext(stream)
        assert isinstance(item, Chunk)
        speaking.add(item.agent)


async def test_cancelling_the_token_stops_both_models_and_is_recorded(
    assemble: Assemble, engine: Engine, transcripts: TranscriptStore, leaks: list[dict[str, Any]]
) -> None:
    token = CancellationToken()

    async def run() -> None:
        with transcripts.begin() as recorder:
            stream = consult(prepare(SPANISH, english=ENGLISH), assemble(reasoner=ENDLESS), recorder, token)
            await until_both_argue(stream)
            token.cancel()
            await anext(stream)

    with pytest.raises(asyncio.CancelledError):
        await run()

    (summary,) = transcripts.consultations()
    events = list(transcripts.events(summary.id))
    assert [e.kind for e in events[-2:]] == [EventKind.CANCELLED, EventKind.FINISHED]
    assert {StreamPart.model_validate(e.body).agent for e in events if e.kind is EventKind.STREAM} == {*AGENTS.values()}
    assert summary.status is Status.CANCELLED
    assert transcripts.verify(summary.id).events == len(events)
    assert await lanes(engine) == [0, 1]


async def test_cancelling_the_task_stops_both_models_and_is_recorded(
    assemble: Assemble, engine: Engine, transcripts: TranscriptStore, leaks: list[dict[str, Any]]
) -> None:
    arguing = asyncio.Event()

    async def run() -> None:
        with transcripts.begin() as recorder:
            case = prepare(SPANISH, english=ENGLISH)
            stream = consult(case, assemble(reasoner=ENDLESS), recorder, CancellationToken())
            await until_both_argue(stream)
            arguing.set()
            async for item in stream:
                assert isinstance(item, Chunk)

    task = asyncio.create_task(run())
    await arguing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    (summary,) = transcripts.consultations()
    assert summary.status is Status.CANCELLED
    assert transcripts.verify(summary.id).events == summary.events
    assert EventKind.REASONING not in {e.kind for e in transcripts.events(summary.id)}
    assert await lanes(engine) == [0, 1]


async def test_closing_the_consultation_stops_both_models(
    assemble: Assemble, engine: Engine, transcripts: TranscriptStore, leaks: list[dict[str, Any]]
) -> None:
    token = CancellationToken()
    with transcripts.begin() as recorder:
        stream = consult(prepare(SPANISH, english=ENGLISH), assemble(reasoner=ENDLESS), recorder, token)
        await until_both_argue(stream)
        await stream.aclose()

        recorded = len(list(transcripts.events(recorder.consultation_id)))
        assert token.is_cancelled()
        assert await lanes(engine) == [0, 1]
        assert len(list(transcripts.events(recorder.consultation_id))) == recorded


async def test_a_record_that_cannot_be_written_stops_the_case_and_the_models(
    assemble: Assemble, engine: Engine, transcripts: TranscriptStore, tmp_path: Path, leaks: list[dict[str, Any]]
) -> None:
    shown: list[Progress] = []

    async def run() -> None:
        case = prepare(SPANISH, english=ENGLISH)
        with transcripts.begin() as recorder:
            stream = consult(case, assemble(reasoner=ENDLESS), recorder, CancellationToken())
            await until_both_argue(stream)
            (tmp_path / "transcripts.db").unlink()
            async for item in stream:
                shown.append(item)

    with pytest.raises(TranscriptUnwritable, match="moved or deleted"):
        await run()

    assert {type(item) for item in shown} <= {Chunk}
    assert await lanes(engine) == [0, 1]


async def test_a_record_that_cannot_be_written_from_the_start_lets_no_model_speak(
    assemble: Assemble, transcripts: TranscriptStore, tmp_path: Path, leaks: list[dict[str, Any]]
) -> None:
    with transcripts.begin() as recorder:
        (tmp_path / "transcripts.db").unlink()
        stream = consult(prepare(SPANISH, english=ENGLISH), assemble(), recorder, CancellationToken())

        with pytest.raises(TranscriptUnwritable):
            await anext(stream)
