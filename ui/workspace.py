"""The workspace: opens what the settings name (weights, engines, embedder, guidelines, transcripts) and closes it.

Everything is opened on first use and once. Knows nothing of how results are shown.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from autogen_core import CancellationToken
from autogen_core.models import ChatCompletionClient
from pydantic import JsonValue

from agents.consultation import Outcome, Progress, consult
from agents.messages import Case
from agents.team import Resources, Role, Thresholds
from knowledge.store import KnowledgeStore
from models.chat_template import chat_template
from models.client import LlamaChatClient
from models.endpoints import Endpoints
from models.engine import Engine
from models.errors import UnknownModel
from models.protocol import Sampling
from models.registry import Registry
from models.remote import RemoteChatClient
from models.weights import WeightStore
from transcripts.event import EventKind
from transcripts.keys import KeyRing
from transcripts.seal import Seal
from transcripts.store import TranscriptStore
from ui import machine
from ui.errors import NotReady, SettingsInvalid
from ui.machine import Circumstances, LoadedModel
from ui.settings import Settings

if TYPE_CHECKING:
    from models.embedder import Embedder
    from models.reranker import Reranker

ROLES: tuple[Role, ...] = ("english", "local", "synthesizer")


class Workspace:
    """One running installation."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._engines: dict[str, Engine] = {}
        self._endpoints: dict[str, Endpoints] = {}

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
    def store(self) -> KnowledgeStore:
        """The guidelines. Raises KnowledgeError, ModelError."""
        return KnowledgeStore(self.settings.knowledge_folder, self.embedder)

    @cached_property
    def archive(self) -> KnowledgeStore:
        """The guidelines without an embedder, for all but searching and adding. Raises KnowledgeError."""
        return KnowledgeStore(self.settings.knowledge_folder, None)

    @cached_property
    def transcripts(self) -> TranscriptStore:
        """The record, signed with the keys of this installation. Raises TranscriptError."""
        self.settings.home.mkdir(parents=True, exist_ok=True)
        chosen = self.settings.transcripts
        seal = Seal(self.keys, chosen.checkpoint_copy, chosen.checkpoint_seconds)
        return TranscriptStore.open(self.settings.transcripts_file, seal=seal)

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
                lambda: self.weights.checked_path(name),
                self.settings.engine_of(name),
                lambda: self.settings.cache_folder / self.weights.digest(name),
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
        demonstration = self.registry.card(name).demonstration
        return LoadedModel(role=role, name=name, sha256=self.weights.digest(name), demonstration=demonstration)

    def resources(self) -> Resources:
        """What a team works with: guidelines as they are now. Raises ModelError, KnowledgeError, NotReady."""
        store = self.store.snapshot()
        return Resources(
            client=self.client,
            embedder=self.embedder,
            thresholds=Thresholds.model_validate(self.embedder.thresholds.model_dump()),
            store=None if store.is_empty else store,
            settings=self.settings.team,
            rerank=self.reranker.scores if self.reranker else None,
        )

    def ready(self) -> None:
        """Open everything that a case needs, what opens fastest first; not to be called from an event loop.

        Raises ModelError, TranscriptError, KnowledgeError, NotReady.
        """
        models = tuple(dict.fromkeys(self.model(role) for role in ROLES))
        names = tuple(name for name in models if name not in self.settings.remote)
        for name in (*names, *(name for _, name in self._readers())):
            self.weights.path(name)
        _ = self.transcripts  # opened before the weights: without a record no case is argued
        empty = NotReady("The knowledge base is empty; run `coreasoner knowledge add FOLDER` first.")
        if not self.settings.knowledge_folder.exists():
            raise empty
        self.open_models()
        if self.store.is_empty:
            raise empty

    def open_models(self) -> None:
        """Open the models that speak; not to be called from an event loop. Raises ModelError."""
        for name in dict.fromkeys(self.model(role) for role in ROLES):
            asyncio.run(self._open(name))

    def _remote_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name in map(self.model, ROLES) if name in self.settings.remote))

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
        shown: str = "",
        resources: Resources | None = None,
        rerun_of: str = "",
    ) -> AsyncGenerator[Progress, None]:
        """Argue a case on the record; `shown` is the language of what shows it. A case that is computed again brings
        `resources` like those of its first time. Raises ModelError, KnowledgeError, TranscriptError.
        """
        resources = resources or self.resources()
        with self.transcripts.begin() as recorder:
            circumstances = self._circumstances(resources, shown, rerun_of)
            recorder.record(EventKind.MODEL, circumstances.model_dump(mode="json"))
            try:
                # Closed here and not by garbage collection, so that the agents have stopped before the record ends.
                async with aclosing(consult(case, resources, recorder, token)) as argued:
                    async for progress in argued:
                        yield progress
            finally:
                for engine in self._engines.values():
                    engine.forget(recorder.consultation_id)

    def _circumstances(self, resources: Resources, shown: str, rerun_of: str) -> Circumstances:
        settings = self.settings
        local = tuple(dict.fromkeys(name for name in map(self.model, ROLES) if name not in settings.remote))
        templates = {name: self.registry.card(name).chat_template for name in local}
        return Circumstances(
            models=self.loaded(),
            engine=settings.engine,
            engines={name: self._run_as(name) for name in local},
            remote={name: self.endpoints(name).description for name in self._remote_names()},
            chat_templates={name: chat_template(used).model_dump(mode="json") for name, used in templates.items()},
            sampling=self._sampling,
            team=settings.team,
            thresholds=resources.thresholds,
            guidelines=resources.store.version() if resources.store else "",
            prompts=machine.prompts(),
            versions=machine.versions(),
            machine=machine.hardware(),
            shown=shown,
            rerun_of=rerun_of,
        )

    def _run_as(self, name: str) -> dict[str, JsonValue]:
        return {"settings": self.settings.engine_of(name).model_dump(mode="json"), **self.engine(name).description}

    @property
    def _sampling(self) -> Sampling:
        return Sampling(temperature=self.settings.models.temperature)

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


def starter_packs() -> tuple[Path, ...]:
    """The folders of the guidelines that ship with the product."""
    from importlib.resources import files

    root = Path(str(files("knowledge"))) / "starter"
    return tuple(sorted(folder for folder in root.iterdir() if (folder / "pack.toml").is_file()))


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
        "answer": outcome.answer.model_dump(mode="json", exclude={"usage", "spans"}),
        "timings": {
            "seconds": outcome.seconds,
            "spans": [span.model_dump(mode="json") for span in outcome.spans],
        },
        "usage": outcome.usage.model_dump(mode="json"),
        "models": [model.model_dump(mode="json") for model in models],
        "transcript_id": outcome.transcript_id,
    }
