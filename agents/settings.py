"""Settings: read once, from flags, environment and `coreasoner.toml`, and handed inwards as typed values.

Unknown keys are refused. `COREASONER_HOME` says where everything is kept; `COREASONER_MODELS__ENGLISH` and the like
override single values. Knows nothing of what the values are used for.
"""

import os
from pathlib import Path
from typing import Any, ClassVar, Literal, Self
from urllib.parse import parse_qs, urlsplit

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from agents.errors import SettingsInvalid
from agents.languages import languages
from agents.team import TeamSettings
from knowledge.storage import KnowledgeSettings
from models.endpoint import RemoteSettings
from models.protocol import EngineSettings
from transcripts.access import AccessPolicy, Action, OwnerPolicy, RolePolicy

STARTER_LLM = "qwen2.5-coder-1.5b-instruct-q4_k_m"
STARTER_EMBEDDER = "multilingual-e5-small"
_UNHURRIED_S = 86_400.0  # a text of an evaluation may take a day


class ModelSettings(BaseModel):
    """Which model of the registry, or which of `[remote.NAME]`, plays which role.

    An empty `reranker` is none. Weights are kept in `folder` (default: under the home folder).
    """

    model_config = ConfigDict(extra="forbid")
    english: str = STARTER_LLM
    local: str = STARTER_LLM
    synthesizer: str = STARTER_LLM
    embedder: str = STARTER_EMBEDDER
    reranker: str = ""
    folder: Path | None = None
    temperature: float = Field(0.0, ge=0.0, le=2.0)


class ChatSettings(BaseModel):
    """Where the chat listens and how many cases it argues at once. Only this machine, unless told otherwise.

    `user_header` is the header in which a reverse proxy on this machine passes on under which name somebody logged in;
    a request without it is refused. Without a header everybody acts as the account that runs the chat.
    """

    model_config = ConfigDict(extra="forbid")
    host: str = "127.0.0.1"
    port: int = Field(7860, ge=1, le=65535)
    cases_at_once: int = Field(2, ge=1)
    user_header: str = Field("", pattern=r"^[A-Za-z0-9-]*$")


class TranscriptSettings(BaseModel):
    """Where the record is, how it is signed, and for how long it is kept.

    `database` is the address of a PostgreSQL database, without the password, which stands in the variable that
    `database_password_variable` names; without an address the record is a file, in the home folder unless `file` says
    where. `checkpoint_seconds` is how often it is signed while a case runs, `checkpoint_copy` where a second copy of
    every signature goes, if anywhere. The copy belongs on another disk or machine: it shows when the record was put
    back to an earlier state. What is older than `keep_years` may be erased.
    """

    model_config = ConfigDict(extra="forbid")
    file: Path | None = None
    database: str = ""
    database_password_variable: str = ""
    checkpoint_seconds: float = Field(60.0, ge=1.0)
    checkpoint_copy: Path | None = None
    keep_years: int | None = Field(None, ge=1, le=1000)

    @field_validator("database")
    @classmethod
    def _address(cls, database: str) -> str:
        address = urlsplit(database)
        if database and address.scheme not in ("postgresql", "postgres"):
            raise ValueError("an address is postgresql://USER@HOST/DATABASE")
        if address.password or "password" in parse_qs(address.query):
            raise ValueError("no password belongs in an address; name its variable in database_password_variable")
        return database

    def password(self) -> str:
        """The password of the database; empty where none is needed. Raises SettingsInvalid where its variable is."""
        name = self.database_password_variable
        if name and not os.environ.get(name):
            raise SettingsInvalid(f"There is no password of the transcript database in the variable {name}; set it.")
        return os.environ[name] if name else ""


Role = Literal["clinician", "engineer", "auditor"]


class AccessSettings(BaseModel):
    """Who may do what with the record: `subjects` are names that `chat.user_header` gives or, on the command line and
    without such a header, of accounts of the operating system, each with a role; the roles say which actions are
    theirs. Without `subjects` this is one person's machine: whoever owns the record may do everything."""

    model_config = ConfigDict(extra="forbid")
    clinician: frozenset[Action] = frozenset({Action.LIST, Action.READ})
    engineer: frozenset[Action] = frozenset({Action.LIST, Action.ERASE})
    auditor: frozenset[Action] = frozenset({Action.LIST, Action.READ, Action.EXPORT})
    subjects: dict[str, Role] = Field(default_factory=dict)

    def policy(self, owner: str) -> AccessPolicy:
        """Who decides; `owner` owns the record."""
        if not self.subjects:
            return OwnerPolicy(owner)
        roles = {"clinician": self.clinician, "engineer": self.engineer, "auditor": self.auditor}
        return RolePolicy(roles=roles, subjects=self.subjects)


def default_home() -> Path:
    """The user's data folder, unless COREASONER_HOME names another."""
    return Path(os.environ.get("COREASONER_HOME") or platformdirs.user_data_path("coreasoner"))


class Settings(BaseSettings):
    """Everything that an administrator can choose.

    Cases may be in any of `languages`; a case that tells none of them clearly is in `local_language`, if there is one.
    """

    model_config = SettingsConfigDict(
        env_prefix="COREASONER_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )
    toml_file: ClassVar[Path | None] = None

    home: Path = Field(default_factory=default_home)
    languages: tuple[str, ...] = Field(default_factory=lambda: tuple(languages()))
    local_language: str = ""
    models: ModelSettings = ModelSettings()
    engine: EngineSettings = EngineSettings()
    engines: dict[str, dict[str, Any]] = Field(default_factory=dict)
    remote: dict[str, RemoteSettings] = Field(default_factory=dict)
    team: TeamSettings = TeamSettings()
    chat: ChatSettings = ChatSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    transcripts: TranscriptSettings = TranscriptSettings()
    access: AccessSettings = AccessSettings()

    @field_validator("languages")
    @classmethod
    def _known(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [code for code in codes if code not in languages()]
        if unknown or not codes:
            raise ValueError(f"{unknown[0] if unknown else 'none'} is not among {', '.join(languages())}")
        return codes

    @model_validator(mode="after")
    def _local_language_is_spoken(self) -> Self:
        if self.local_language and self.local_language not in self.languages:
            raise ValueError(f"the local language {self.local_language} is not among {', '.join(self.languages)}")
        return self

    @model_validator(mode="after")
    def _engines_are_possible(self) -> Self:
        for name in self.engines:
            self.engine_of(name)
        return self

    def engine_of(self, model: str) -> EngineSettings:
        """How the engine of a model runs: as every engine, but for what `[engines.MODEL]` says otherwise."""
        return EngineSettings.model_validate({**self.engine.model_dump(), **self.engines.get(model, {})})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags before environment before file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, cls.toml_file)

    @property
    def models_folder(self) -> Path:
        """Where weights are kept."""
        return self.models.folder or self.home / "models"

    @property
    def knowledge_folder(self) -> Path:
        """Where guidelines are kept, unless `knowledge.location` says otherwise."""
        return self.home / "knowledge"

    @property
    def cache_folder(self) -> Path:
        """What can be made again: calibrations, and key-value states of the product's own prompts."""
        return self.home / "cache"

    @property
    def transcripts_file(self) -> Path:
        """The transcript, where it is a file."""
        return self.transcripts.file or self.home / "transcripts.db"

    def evaluating(self) -> Self:
        """With a record of its own in the home folder, so that evaluations do not stand among patients, and without
        what is for people who wait.

        A record in a database, and one whose file is named, stay where they are. Texts are not cut for the time that
        they take, or the answers would depend on the machine, and prompts are read as fast as can be.
        """
        unhurried = {"time_limit_s": _UNHURRIED_S, "shared_slice": self.engine.prefill_slice}
        engine = self.engine.model_copy(update=unhurried)
        if self.transcripts.database or self.transcripts.file:
            return self.model_copy(update={"engine": engine})
        own = {"file": self.home / "evaluations" / "transcripts.db", "checkpoint_copy": None}
        transcripts = self.transcripts.model_copy(update=own)
        return self.model_copy(update={"engine": engine, "transcripts": transcripts})

    @property
    def transcripts_place(self) -> str:
        """Where the transcript is: its file, or the address of its database."""
        return self.transcripts.database or str(self.transcripts_file)

    @property
    def keys_folder(self) -> Path:
        """The key that signs the transcript, and the public ones that prove it."""
        return self.home / "keys"

    @property
    def registry_file(self) -> Path:
        """The administrator's own registry entries."""
        return self.home / "registry.toml"


def load_settings(file: Path | None = None, **flags: Any) -> Settings:
    """The settings; `file` defaults to `coreasoner.toml` in the home folder, where there is one.

    Raises SettingsInvalid with the first wrong key.
    """
    chosen = file or Path(flags.get("home") or default_home()) / "coreasoner.toml"
    if file is not None and not file.is_file():
        raise SettingsInvalid(f"There is no settings file {file}; check the path.")

    class _FromFile(Settings):
        toml_file: ClassVar[Path | None] = chosen

    try:
        return _FromFile(**flags)
    except ValidationError as error:
        raise SettingsInvalid(_complaint(error.errors()[0], chosen.name)) from None
    except SettingsError as error:
        raise SettingsInvalid(f"An environment variable cannot be read ({error}); correct or unset it.") from None
    except ValueError as error:
        raise SettingsInvalid(f"{chosen.name} cannot be read ({error}); correct it.") from None


def _complaint(error: ErrorDetails, file: str) -> str:
    where = ".".join(str(part) for part in error["loc"])
    variable = f"COREASONER_{'__'.join(str(part) for part in error['loc']).upper()}"
    source = variable if variable in os.environ else file
    if error["type"] == "extra_forbidden":
        return f"There is no setting called {where}; correct {source}."
    return f"The setting {where} is not usable ({error['msg']}); correct {source}."
