"""What can go wrong with weights and with the machines that run them.

A message says in one sentence what happened and what to do next. Nothing here knows of agents or of the user interface.

ModelError
├── UnknownModel          the registry has no entry of that name
├── WeightsMissing        the file is not on this machine
├── WeightsAltered        size or sha256 differ from the pinned ones
├── WeightsNotAllowed     no sha256 is pinned, and the administrator has not allowed this file
├── WeightsBusy           another pull or import holds the folder
├── MalformedWeights      the file is not what its name says; it is never shown to a native loader
├── MalformedRegistry     an administrator's registry file cannot be read
├── NotConvertible        trained weights cannot be written in the form that the engine opens
├── DownloadFailed        neither the package index nor the hub gave the file
├── DiskFull              the weights would not fit
├── EmbedderUnavailable   the embedding model cannot be opened
├── RerankerUnavailable   the reranking model cannot be opened
├── RemoteUnavailable     no server of a remote model answers, or one broke off
├── RemoteRefused         a server of a remote model wants another key, model name or request
└── EngineError           llama.cpp, or the process around it
    ├── EngineCrashed     the worker process ended
    ├── EngineBusy        the queue is full
    ├── NotEnoughMemory   weights and contexts do not fit into what is free
    ├── ContextOverflow   prompt and answer do not fit the context
    └── MalformedOutput   the model did not keep to the asked form
"""


class ModelError(Exception):
    """Anything that keeps a model from being had or run."""


class UnknownModel(ModelError):
    """The registry has no entry of that name."""


class WeightsMissing(ModelError):
    """The file is not on this machine."""


class WeightsAltered(ModelError):
    """Size or sha256 differ from the pinned ones."""


class WeightsNotAllowed(ModelError):
    """No sha256 is pinned, and the administrator has not allowed this file."""


class WeightsBusy(ModelError):
    """Another pull or import holds the folder."""


class MalformedWeights(ModelError):
    """The file is not what its name says."""


class MalformedRegistry(ModelError):
    """An administrator's registry file cannot be read."""


class NotConvertible(ModelError):
    """Trained weights cannot be written in the form that the engine opens."""


class DownloadFailed(ModelError):
    """Neither the package index nor the hub gave the file."""


class DiskFull(ModelError):
    """The weights would not fit."""


class RerankerUnavailable(ModelError):
    """The reranking model cannot be opened."""


class EmbedderUnavailable(ModelError):
    """The embedding model cannot be opened."""


class RemoteUnavailable(ModelError):
    """No server of a remote model answers, or one broke off."""


class RemoteRefused(ModelError):
    """A server of a remote model wants another key, model name or request."""


class EngineError(ModelError):
    """llama.cpp, or the process around it."""


class EngineCrashed(EngineError):
    """The worker process ended."""


class EngineBusy(EngineError):
    """The queue is full. `wait_s` is a guess of when it will not be."""

    def __init__(self, message: str, wait_s: float = 0.0) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class NotEnoughMemory(EngineError):
    """Weights and contexts do not fit into what is free."""


class ContextOverflow(EngineError):
    """Prompt and answer do not fit the context."""


class MalformedOutput(EngineError):
    """The model did not keep to the asked form."""
