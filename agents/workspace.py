"""The workspace: opens what the settings name (weights, engines, embedder, guidelines, transcripts) and closes it.

Everything is opened on first use and once. Knows nothing of how results are shown.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from autogen_core import CancellationToken
from autogen_core.models import ChatCompletionClient
from pydantic import JsonValue

from agents import machine
from agents.consultation import Outcome, Progress, consult
from agents.errors import SettingsInvalid
from agents.machine import Circumstances, LoadedModel
from agents.messages import Case, Part
from agents.settings import Settings
from agents.team import BY_NAME, Resources, Role, Thresholds
from knowledge.errors import EmbedderMismatch, KnowledgeBaseMissing, KnowledgeError
from knowledge.place import Place
from knowledge.storage import place_of
from knowledge.store import KnowledgeStore
from models.absent import AbsentChatClient
from models.chat_template import chat_template
from models.client import LlamaChatClient
from models.endpoints import Endpoints
from models.engine import Engine
from models.errors import ModelError, UnknownModel, WeightsNotAllowed
from models.protocol import Sampling
from models.registry import Registry
from models.remote import RemoteChatClient
from models.weights import WeightStore
from transcripts.access import Access, owner_of, system_user
from transcripts.event import EventKind
from transcripts.keys import KeyRing
from transcripts.recorder import Recorder
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

if TYPE_CHECKING:
    from models.embedder import Embedder
    from models.reranker import Reranker
    from transcripts.postgres import Server

_Opened = TypeVar("_Opened")
ROLES: tuple[Role, ...] = ("english", "local", "synthesizer")


class Workspace:
    """One running installation. `lacking` says which parts were not there when it was made ready, and why."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._engines: dict[str, Engine] = {}
        self._endpoints: dict[str, Endpoints] = {}
        self.lacking: dict[Part, str] = {}

    @cached_property
    def registry(self) -> Registry:
        """The product's models and the administrator's. Raises SettingsInvalid where a remote one has such a name."""
        registry = Registry.load(self.settings.registry_file)
        for card in registry.cards:
            if card.name in self.settings.remote:
                raise SettingsInvalid(
                    f"The registry has a model called {card.name}; give remote.{card.name} another name."
                )
        return registry

    @cached_property
    def weights(self) -> WeightStore:
        """The weights on this machine."""
        return WeightStore(self.settings.models_folder, self.registry)

    @cached_property
    def embedder(self) -> "Embedder":
        """The embedding model; opening it takes seconds. Raises ModelError."""
        # Importing torch takes longer than most commands run.
        from models.embedder import Embedder

        card = self.registry.card(self.settings.models.embedder)
        return Embedder(self.weights.checked_path(card.name), card)

    @cached_property
    def reranker(self) -> "Reranker | None":
        """The model that orders what a search has found, where the settings name one. Raises ModelError."""
        from models.reranker import Reranker

        name = self.settings.models.reranker
        return Reranker(self.weights.checked_path(name), self.registry.card(name)) if name else None

    @cached_property
    def guidelines(self) -> Place:
        """Where the guidelines are kept. Raises StorageRefused."""
        return place_of(self.settings.knowledge, self.settings.knowledge_folder)

    @cached_property
    def store(self) -> KnowledgeStore:
        """The guidelines. Raises KnowledgeError, ModelError."""
        return KnowledgeStore(self.guidelines, self.embedder)

    @cached_property
    def archive(self) -> KnowledgeStore:
        """The guidelines without an embedder, for all but searching and adding. Raises KnowledgeError."""
        return KnowledgeStore(self.guidelines, None)

    @cached_property
    def transcripts(self) -> TranscriptStore:
        """The record on behalf of whoever runs this program, signed with the keys of this installation.

        Raises TranscriptError.
        """
        self.settings.home.mkdir(parents=True, exist_ok=True)
        self.settings.transcripts_file.parent.mkdir(parents=True, exist_ok=True)
        chosen = self.settings.transcripts
        seal = Seal(self.keys, chosen.checkpoint_copy, chosen.checkpoint_seconds)
        return open_record(self.settings, seal=seal).by(self._access(system_user()))

    def transcripts_of(self, subject: str | None) -> TranscriptStore:
        """The record on behalf of whoever logged in under this name, or runs this program. Raises TranscriptError."""
        return self.transcripts.by(self._access(subject)) if subject else self.transcripts

    def _access(self, subject: str) -> Access:
        # Whoever may connect to a database server is for that server to say.
        owner = system_user() if self.settings.transcripts.database else owner_of(self.settings.transcripts_file)
        return Access(self.settings.access.policy(owner), subject, self.keys.pseudonym)

    @property
    def keys(self) -> KeyRing:
        """The keys that sign the record; they are made when it is first opened."""
        return KeyRing(self.settings.keys_folder)

    def model(self, role: Role) -> str:
        """The name of the model that plays `role`: a remote one's, or a language model's of the registry.

        Raises UnknownModel.
        """
        name: str = getattr(self.settings.models, role)
        if name not in self.settings.remote and self.registry.card(name).role != "llm":
            raise UnknownModel(f"{name} is no language model; choose another for models.{role}.")
        return name

    def endpoints(self, name: str) -> Endpoints:
        """The servers of a remote model; roles that share it share them. Raises RemoteRefused without its key."""
        if name not in self._endpoints:
            self._endpoints[name] = Endpoints(self.settings.remote[name])
        return self._endpoints[name]

    def engine(self, name: str) -> Engine:
        """The engine of a model; roles that share a model share its engine."""
        if name not in self._engines:
            self._engines[name] = Engine(
                lambda: self.weights.checked(name),
                self.settings.engine_of(name),
                lambda digest: self.settings.cache_folder / digest,
            )
        return self._engines[name]

    def client(self, role: Role) -> ChatCompletionClient:
        """A model client for a role."""
        name, sampling = self.model(role), self._sampling
        if name in self.settings.remote:
            return RemoteChatClient(self.endpoints(name), sampling)
        card = self.registry.card(name)
        return LlamaChatClient(self.engine(name), chat_template(card.chat_template), sampling, name)

    def loaded(self) -> tuple[LoadedModel, ...]:
        """Which model plays which role, with its hash."""
        names: list[tuple[str, str]] = [(role, self.model(role)) for role in ROLES]
        return tuple(self._loaded(role, name) for role, name in (*names, *self._readers()))

    def _readers(self) -> tuple[tuple[str, str], ...]:
        """Role and name of the models that search guidelines."""
        chosen = self.settings.models
        named = (("embedder", chosen.embedder), ("reranker", chosen.reranker))
        return tuple((role, name) for role, name in named if name)

    def _loaded(self, role: str, name: str) -> LoadedModel:
        if role in ROLES and name in self.settings.remote:
            return LoadedModel(role=role, name=name, sha256="", demonstration=False)
        # What is open goes on with its own weights when others are brought under its name.
        opened = self._engines[name].sha256 if name in self._engines else ""
        try:
            digest = opened or self.weights.digest(name)
        except WeightsNotAllowed:  # nobody knows what these weights should be, and they are not opened
            digest = ""
        return LoadedModel(role=role, name=name, sha256=digest, demonstration=self.registry.card(name).demonstration)

    def resources(self) -> Resources:
        """What a team works with: guidelines as they are now. `without` says what cannot be opened, and why."""
        without: dict[Part, str] = {}
        embedder = _opened("embedder", lambda: self.embedder, without)
        store = _opened("guidelines", lambda: self._guidelines(without), without)
        reranker = _opened("reranker", lambda: self.reranker, without)
        embedder = None if "embedder" in without else embedder
        return Resources(
            client=self._client,
            embedder=embedder,
            thresholds=Thresholds.model_validate(embedder.thresholds.model_dump()) if embedder else BY_NAME,
            store=store,
            settings=self.settings.team,
            rerank=reranker.scores if reranker else None,
            without=without,
        )

    def _guidelines(self, without: dict[Part, str]) -> KnowledgeStore:
        """The guidelines, for words alone where no embedder is there or theirs was another. Raises KnowledgeError."""
        try:
            store = (self.archive if "embedder" in without else self.store).snapshot()
        except EmbedderMismatch as error:
            without["embedder"] = str(error)
            store = self.archive.snapshot()
        if store.is_empty:
            raise KnowledgeBaseMissing
        return store

    def _client(self, role: Role) -> ChatCompletionClient:
        try:
            return self.client(role)
        except ModelError as error:
            return AbsentChatClient(error)

    def ready(self) -> Mapping[Part, str]:
        """Open everything that a case needs; not to be called from an event loop.

        Says what could not be opened and why: cases are argued without it. Without a record no case is argued, and a
        model that is not known is a mistake in the settings: raises TranscriptError, UnknownModel, SettingsInvalid.
        """
        names = {role: self.model(role) for role in ROLES}
        for _, name in self._readers():
            self.registry.card(name)
        _ = self.transcripts
        reasons = {name: self._trouble(name) for name in dict.fromkeys(names.values())}
        self.lacking = {role: reason for role, name in names.items() if (reason := reasons[name])}
        self.lacking.update(self.resources().without)
        return self.lacking

    def _trouble(self, name: str) -> str:
        """Why a language model cannot speak; empty where it can."""
        try:
            asyncio.run(self._open(name))
        except ModelError as error:
            return str(error)
        return ""

    def open_models(self) -> None:
        """Open the models that speak; not to be called from an event loop. Raises ModelError."""
        for name in dict.fromkeys(self.model(role) for role in ROLES):
            asyncio.run(self._open(name))

    async def _open(self, name: str) -> None:
        if name in self.settings.remote:
            await self.endpoints(name).require_one()
        else:
            await self.engine(name).start()

    async def consult(
        self,
        case: Case,
        token: CancellationToken,
        *,
        subject: str | None = None,
        shown: str = "",
        resources: Resources | None = None,
        rerun_of: str = "",
    ) -> AsyncGenerator[Progress, None]:
        """Argue a case on the record for `subject`, or whoever runs this program, with what there is.

        `shown` is the language of what shows it. A case that is computed again brings `resources` like those of its
        first time. Raises TranscriptError.
        """
        resources = resources or self.resources()
        with self.recorded(resources, subject=subject, shown=shown, rerun_of=rerun_of) as recorder:
            # Closed here and not by garbage collection, so that the agents have stopped before the record ends.
            async with aclosing(consult(case, resources, recorder, token)) as argued:
                async for progress in argued:
                    yield progress

    @contextmanager
    def recorded(
        self,
        resources: Resources,
        *,
        subject: str | None = None,
        shown: str = "",
        rerun_of: str = "",
        evaluated: str = "",
    ) -> Iterator[Recorder]:
        """A consultation on the record, which begins with who asks and with what; whatever is said in it follows.

        `evaluated` names what of an evaluation it is. What the engines keep of it is wiped at its end. Raises
        TranscriptError.
        """
        with self.transcripts.begin() as recorder:
            recorder.record(EventKind.ASKED, {"subject": self.keys.pseudonym(subject or system_user())})
            circumstances = self._circumstances(resources, shown, rerun_of, evaluated)
            recorder.record(EventKind.MODEL, circumstances.model_dump(mode="json"))
            try:
                yield recorder
            finally:
                for engine in self._engines.values():
                    engine.forget(recorder.consultation_id)

    def _circumstances(self, resources: Resources, shown: str, rerun_of: str, evaluated: str) -> Circumstances:
        settings = self.settings
        local = tuple(dict.fromkeys(name for name in map(self.model, ROLES) if name not in settings.remote))
        templates = {name: self.registry.card(name).chat_template for name in local}
        return Circumstances(
            models=self.loaded(),
            engine=settings.engine,
            engines={name: self._run_as(name) for name in local},
            remote=dict(self._remote()),
            without=dict(resources.without),
            chat_templates={name: chat_template(used).model_dump(mode="json") for name, used in templates.items()},
            sampling=self._sampling,
            team=resources.settings,
            thresholds=resources.thresholds,
            guidelines=resources.store.version() if resources.store else "",
            prompts=machine.prompts(),
            versions=machine.versions(),
            machine=machine.hardware(),
            shown=shown,
            rerun_of=rerun_of,
            evaluated=evaluated,
        )

    def _run_as(self, name: str) -> dict[str, JsonValue]:
        return {"settings": self.settings.engine_of(name).model_dump(mode="json"), **self.engine(name).description}

    @property
    def _sampling(self) -> Sampling:
        return Sampling(temperature=self.settings.models.temperature)

    def _remote(self) -> Iterator[tuple[str, JsonValue]]:
        """The servers of the remote models that play a role, as far as they may be asked."""
        for name in dict.fromkeys(self.model(role) for role in ROLES):
            if name in self.settings.remote:
                with suppress(ModelError):
                    yield name, self.endpoints(name).description

    def close(self) -> None:
        """Unload the weights and close the record."""
        for engine in self._engines.values():
            engine.close()
        self._engines.clear()
        if "transcripts" in self.__dict__:
            self.transcripts.close()
            del self.__dict__["transcripts"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _opened(part: Part, opens: Callable[[], _Opened], without: dict[Part, str]) -> _Opened | None:
    """What `opens` gives; where it cannot be had, `without` is told why."""
    try:
        return opens()
    except (ModelError, KnowledgeError) as error:
        without[part] = str(error)
        return None


def open_record(
    settings: Settings, read_only: bool = False, seal: Seal | None = None, file: Path | None = None
) -> TranscriptStore:
    """The record that the settings name, or one in another `file`. Raises TranscriptError, SettingsInvalid."""
    if file or not settings.transcripts.database:
        return TranscriptStore.open(file or settings.transcripts_file, read_only, seal=seal)
    return TranscriptStore.connect(
        server(settings.transcripts.database, settings.transcripts.password()), read_only, seal=seal
    )


def server(url: str, password: str) -> "Server":
    """A PostgreSQL database. Raises SettingsInvalid without the package for it."""
    try:
        from transcripts.postgres import Server
    except ImportError as error:
        raise SettingsInvalid(
            f"A record in PostgreSQL needs a package that is not installed ({error}); install med-coreasoner[postgres]."
        ) from error
    return Server(url, password)


def report(outcome: Outcome, models: tuple[LoadedModel, ...]) -> dict[str, JsonValue]:
    """The consultation as the one JSON object that `ask --json` prints."""
    return {
        "case": outcome.case.model_dump(mode="json"),
        "red_flags": outcome.red_flags.model_dump(mode="json") if outcome.red_flags else None,
        "english_reasoning": outcome.english.reasoning.model_dump(mode="json"),
        "local_reasoning": outcome.local.reasoning.model_dump(mode="json"),
        "english_chain": outcome.english.chain.model_dump(mode="json"),
        "local_chain": outcome.local.chain.model_dump(mode="json"),
        "fused_chain": outcome.alignment.fused.model_dump(mode="json"),
        "evidence": outcome.alignment.evidence.model_dump(mode="json"),
        "rebuttals": [r.model_dump(mode="json", exclude={"usage", "spans"}) for r in outcome.alignment.rebuttals],
        "answer": outcome.answer.model_dump(mode="json", exclude={"usage", "spans"}),
        "timings": {
            "seconds": outcome.seconds,
            "spans": [span.model_dump(mode="json") for span in outcome.spans],
        },
        "usage": outcome.usage.model_dump(mode="json"),
        "models": [model.model_dump(mode="json") for model in models],
        "transcript_id": outcome.transcript_id,
    }
