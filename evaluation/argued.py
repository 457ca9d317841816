"""What the two reasoners make of a question: its English rendering and two concept chains, kept in a file.

A language model takes minutes a question, so each is written once and appended as a line of JSON; a run that was
stopped goes on where it ended. Knows neither guidelines nor scores.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from hashlib import sha256
from pathlib import Path

from autogen_agentchat.base import Response
from autogen_agentchat.messages import StructuredMessage
from autogen_core import CancellationToken
from pydantic import BaseModel, ConfigDict

from agents.messages import Argument, Case, ConceptChain
from agents.reasoner import EnglishReasoner, LocalClinician, Reasoner, ReasonerSettings
from agents.speaker import Voice
from agents.team import Clock
from evaluation.collection import Collection, Question
from models.chat_template import chat_template
from models.client import LlamaChatClient
from models.engine import Engine
from models.protocol import EngineSettings, Sampling
from models.registry import Registry
from models.weights import WeightStore
from transcripts.recorder import Recorder
from transcripts.store import TranscriptStore

# Half of the product's budgets and less: a chain is decided by its first concepts.
BUDGETS = ReasonerSettings(rendering_tokens=80, reasoning_tokens=80, concept_tokens=80)
_CONTEXT = 2048
_SEED = 7


class Argued(BaseModel):
    """A question of a collection in a language, as the two reasoners read it and what concepts they listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    collection: str
    id: str
    language: str
    text: str
    english: str
    english_chain: ConceptChain
    local_chain: ConceptChain
    model: str
    budgets: ReasonerSettings
    seconds: float


class ArguedFile:
    """The file of what was argued, a line each."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[Argued, ...]:
        """What is there; a last line that was cut off is left out."""
        lines = self._path.read_text("utf-8").splitlines(keepends=True) if self._path.exists() else []
        return tuple(Argued.model_validate_json(line) for line in lines if line.endswith("\n"))

    def append(self, argued: Argued) -> None:
        """Add one, after whatever was cut off."""
        cut = self._path.exists() and not self._path.read_bytes().endswith(b"\n") and self._path.stat().st_size
        if cut:
            whole = self._path.read_bytes().rpartition(b"\n")
            self._path.write_bytes(whole[0] + whole[1])
        with self._path.open("a", encoding="utf-8") as file:
            file.write(argued.model_dump_json() + "\n")


def sampled(collection: Collection, language: str, number: int) -> tuple[Question, ...]:
    """So many held-out questions in a language, chosen by their hash: the same questions in every language."""
    there = [q for q in collection.questions if q.held_out and language in q.texts]
    return tuple(sorted(there, key=lambda q: sha256(f"{_SEED}:{q.key}".encode()).digest())[:number])


def in_turns(lists: Iterable[Sequence[tuple[str, str, Question]]]) -> Iterator[tuple[str, str, Question]]:
    """One of each list after the other, so that a run that is stopped has some of all."""
    left = [list(items) for items in lists]
    while any(left):
        yield from (items.pop(0) for items in left if items)


class Reasoners:
    """A language model, opened, that argues questions as the product does."""

    def __init__(self, name: str, folder: Path, opened: ExitStack, budgets: ReasonerSettings = BUDGETS) -> None:
        registry = Registry.load()
        path = WeightStore(folder, registry).checked_path(name)
        engine = opened.enter_context(
            closing(Engine(lambda: path, EngineSettings(context_length=_CONTEXT, sequences=2, lanes=1)))
        )
        template = chat_template(registry.card(name).chat_template)
        self._client = LlamaChatClient(engine, template, Sampling(temperature=0.0), name)
        record = Path(opened.enter_context(tempfile.TemporaryDirectory())) / "transcripts.db"
        self._transcripts = opened.enter_context(TranscriptStore.open(record))
        self.name, self._budgets = name, budgets

    async def argue(self, collection: str, language: str, question: Question) -> Argued:
        """Let both argue at once. Raises ModelError where neither can."""
        start = time.perf_counter()
        case = Case(text=question.texts[language], language=language, language_found="given")
        with self._transcripts.begin() as recorder:
            english, local = await asyncio.gather(
                _said(EnglishReasoner(self._voice("EnglishReasoner", recorder), self._budgets), case),
                _said(LocalClinician(self._voice("LocalClinician", recorder), self._budgets), case),
            )
        return Argued(
            collection=collection,
            id=question.id,
            language=language,
            text=case.text,
            english=english.reasoning.question,
            english_chain=english.chain,
            local_chain=local.chain,
            model=self.name,
            budgets=self._budgets,
            seconds=round(time.perf_counter() - start, 1),
        )

    def _voice(self, agent: str, recorder: Recorder) -> Voice:
        return Voice(agent, self._client, recorder, Clock(), seed=_SEED)


async def _said(reasoner: Reasoner, case: Case) -> Argument:
    message = StructuredMessage[Case](content=case, source="clinician")
    response: Response = await reasoner.on_messages([message], CancellationToken())
    assert isinstance(response.chat_message, StructuredMessage)
    content = response.chat_message.content
    assert isinstance(content, Argument)
    return content
