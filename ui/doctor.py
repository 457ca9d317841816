"""The doctor: looks at an installation and says in one line each what is well and what is missing."""

import asyncio
import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Literal

import psutil
from pydantic import BaseModel, ConfigDict

from agents.errors import InstallationError
from agents.workspace import ROLES, Workspace
from knowledge.curator import review
from knowledge.errors import KnowledgeError
from models.endpoint import Endpoint
from models.errors import ModelError
from models.protocol import EngineSettings
from transcripts.errors import TranscriptError
from ui.ports import require_free

_PACKAGES = ("llama-cpp-python", "autogen-agentchat", "gradio", "lancedb", "sentence-transformers", "torch", "tenacity")
_LISTED = 8
_WANTED_DISK = 2_000_000_000
_WANTED_MEMORY = 6_000_000_000


class Finding(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    subject: str
    state: Literal["good", "warning", "bad"]
    words: str


def examine(workspace: Workspace) -> tuple[Finding, ...]:
    """Every finding, whatever fails on the way."""
    return tuple(
        finding
        for look in (_software, _machine, _models, _remote, examine_storage, _guidelines, _record, _port)
        for finding in look(workspace)
    )


def _software(workspace: Workspace) -> Iterator[Finding]:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    yield Finding(subject="software", state="good", words=f"Python {sys.version.split()[0]}, {versions}")
    import llama_cpp

    gpu = bool(llama_cpp.llama_supports_gpu_offload())
    layers = workspace.settings.engine.gpu_layers
    words = "built for a GPU" if gpu else "built for the processor"
    if layers and not gpu:
        yield Finding(
            subject="engine", state="bad", words=f"{words}, but engine.gpu_layers is {layers}; rebuild or set 0"
        )
    else:
        yield Finding(subject="engine", state="good", words=f"{words}, {_shape(workspace.settings.engine)}")


def _shape(engine: EngineSettings) -> str:
    lanes = f"{engine.lanes} lanes" if engine.lanes else "lanes by calibration"
    where = {0: "", -1: ", every layer on the GPU"}.get(engine.gpu_layers, f", {engine.gpu_layers} layers on the GPU")
    return f"at most {engine.sequences} texts at once, {lanes}, {engine.context_length} tokens each{where}"


def _machine(workspace: Workspace) -> Iterator[Finding]:
    memory, cores = psutil.virtual_memory(), len(os.sched_getaffinity(0))
    state: Literal["good", "warning"] = "good" if memory.available >= _WANTED_MEMORY else "warning"
    yield Finding(subject="memory", state=state, words=f"{memory.available / 1e9:.1f} GB free, {cores} processor cores")
    home = workspace.settings.home
    standing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(standing).free
    state = "good" if free >= _WANTED_DISK else "warning"
    yield Finding(subject="disk", state=state, words=f"{free / 1e9:.1f} GB free in {standing}")


def _checked(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject=subject, state="good", words=look())
    except (ModelError, KnowledgeError, TranscriptError, InstallationError, OSError) as error:
        return Finding(subject=subject, state="bad", words=str(error))


def _models(workspace: Workspace) -> Iterator[Finding]:
    look = cache(partial(_model, workspace))
    for role in ROLES:
        yield _checked(f"model, {role}", lambda role=role: look(workspace.model(role)))  # type: ignore[misc]  # binds now
    yield _checked("model, embedder", lambda: look(workspace.settings.models.embedder))
    if reranker := workspace.settings.models.reranker:
        yield _checked("model, reranker", lambda: look(reranker))


def _model(workspace: Workspace, name: str) -> str:
    if name in workspace.settings.remote:
        return f"{name}, {workspace.settings.remote[name].model} on {' and '.join(workspace.endpoints(name).hosts)}"
    workspace.weights.checked_path(name)
    card = workspace.registry.card(name)
    return f"{name}, {'demonstration only' if card.demonstration else card.licence}"


def _remote(workspace: Workspace) -> Iterator[Finding]:
    for name, settings in workspace.settings.remote.items():
        try:
            endpoints = workspace.endpoints(name)
        except ModelError as error:
            yield Finding(subject=f"remote, {name}", state="bad", words=str(error))
            continue
        for endpoint in endpoints.all:
            yield _endpoint(f"remote, {name}", endpoint, settings.model)


def _endpoint(subject: str, endpoint: Endpoint, model: str) -> Finding:
    try:
        served = asyncio.run(endpoint.models())
    except ModelError as error:
        return Finding(subject=subject, state="bad", words=str(error))
    if model not in served:
        listed = ", ".join(served[:_LISTED]) or "nothing"
        return Finding(subject=subject, state="warning", words=f"{endpoint.host} lists {listed}, but not {model}")
    if not endpoint.private:
        words = f"{endpoint.host} serves {model}, but what patients say travels there unencrypted; use https"
        return Finding(subject=subject, state="warning", words=words)
    return Finding(subject=subject, state="good", words=f"{endpoint.host} serves {model}")


def examine_storage(workspace: Workspace) -> Iterator[Finding]:
    """Whether the bucket of the guidelines can be reached and written; nothing where they lie in a folder."""
    chosen = workspace.settings.knowledge
    if not chosen.in_bucket:
        return
    from knowledge.bucket import Bucket

    where = f"{chosen.location} at {chosen.host}"
    try:
        writable = Bucket(chosen).prove()
    except KnowledgeError as error:
        yield Finding(subject="storage", state="bad", words=str(error))
        return
    if not writable:
        words = f"{where} can be read, but this key may not write there: no guidelines are added from here"
        yield Finding(subject="storage", state="warning", words=words)
    elif not chosen.private:
        words = f"{where} can be read and written, but what is kept there travels unencrypted; use https"
        yield Finding(subject="storage", state="warning", words=words)
    else:
        yield Finding(subject="storage", state="good", words=f"{where} can be read and written")


def _guidelines(workspace: Workspace) -> Iterator[Finding]:
    def look() -> str:
        packs = workspace.store.list_packs()
        if not packs:
            raise InstallationError("empty; run `coreasoner knowledge add FOLDER`")
        waiting = sum(one.state == "waiting" for one in review(workspace.store))
        held = f", {waiting} of them withheld until a curator looks at `coreasoner knowledge marks`" if waiting else ""
        passages = sum(p.passages for p in packs)
        return f"{len(packs)} packs, {passages} passages{held}, version {workspace.store.version()}"

    yield _checked("guidelines", look)


def _record(workspace: Workspace) -> Iterator[Finding]:
    def look() -> str:
        with workspace:
            count = len(workspace.transcripts.consultations(limit=1000))
        return f"{workspace.settings.transcripts_place} can be written, {count} consultations"

    yield _checked("transcript", look)


def _port(workspace: Workspace) -> Iterator[Finding]:
    chat = workspace.settings.chat

    def look() -> str:
        require_free(chat.host, chat.port)
        return f"{chat.host}:{chat.port} is free"

    finding = _checked("chat", look)
    yield finding.model_copy(update={"state": "warning"}) if finding.state == "bad" else finding
