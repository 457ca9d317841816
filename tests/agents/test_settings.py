"""Settings: flags before environment before file, and nothing that is not known.

Knows nothing of what the values are used for.
"""

from pathlib import Path

import pytest

from agents.errors import SettingsInvalid
from agents.settings import Settings, load_settings

FILE = """
languages = ["sw", "en"]

[models]
english = "from-file"
local = "from-file"
synthesizer = "from-file"

[team.reasoner]
reasoning_tokens = 111
concept_tokens = 112
"""


@pytest.fixture
def home(no_settings: Path) -> Path:
    """A home folder with a settings file, and nothing else set."""
    (no_settings / "coreasoner.toml").write_text(FILE, "utf-8")
    return no_settings


def refusal(home: Path, text: str) -> str:
    """What is said of a home folder with this settings file."""
    (home / "coreasoner.toml").write_text(text, "utf-8")
    with pytest.raises(SettingsInvalid) as refused:
        load_settings()
    return str(refused.value)


def test_without_a_file_everything_has_its_default(no_settings: Path) -> None:
    assert load_settings().model_dump() == Settings(home=no_settings).model_dump()


def test_the_file_in_the_home_folder_is_read(home: Path) -> None:
    settings = load_settings()

    assert (settings.home, settings.languages) == (home, ("sw", "en"))


def test_the_file_of_the_home_folder_that_a_flag_names_is_read(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COREASONER_HOME", str(tmp_path / "other"))

    settings = load_settings(home=home)

    assert (settings.home, settings.models.english) == (home, "from-file")


def test_a_named_file_is_read_instead_of_the_one_in_the_home_folder(home: Path, tmp_path: Path) -> None:
    named = tmp_path / "ward.toml"
    named.write_text("[chat]\nport = 8000\n", "utf-8")

    settings = load_settings(named)

    assert (settings.chat.port, settings.languages) == (8000, Settings().languages)


def test_the_environment_goes_before_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COREASONER_MODELS__ENGLISH", "from-environment")
    monkeypatch.setenv("COREASONER_LANGUAGES", '["th"]')

    settings = load_settings()

    assert (settings.models.english, settings.languages) == ("from-environment", ("th",))


def test_flags_go_before_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COREASONER_MODELS__ENGLISH", "from-environment")

    settings = load_settings(models={"english": "from-flag"})

    assert settings.models.english == "from-flag"


def test_each_source_leaves_alone_what_it_does_not_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COREASONER_MODELS__LOCAL", "from-environment")
    monkeypatch.setenv("COREASONER_TEAM__REASONER__CONCEPT_TOKENS", "64")

    settings = load_settings(models={"english": "from-flag"})

    roles = (settings.models.english, settings.models.local, settings.models.synthesizer)
    budgets = (settings.team.reasoner.reasoning_tokens, settings.team.reasoner.concept_tokens)
    assert (roles, budgets) == (("from-flag", "from-environment", "from-file"), (111, 64))


def test_an_empty_variable_sets_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COREASONER_MODELS__ENGLISH", "")

    assert load_settings().models.english == "from-file"


def test_everything_is_kept_under_the_home_folder(no_settings: Path) -> None:
    settings = load_settings()

    kept = (settings.models_folder, settings.knowledge_folder, settings.transcripts_file, settings.registry_file)
    assert {path.parent for path in kept} == {no_settings}


def test_weights_may_be_kept_elsewhere(no_settings: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COREASONER_MODELS__FOLDER", str(tmp_path / "weights"))

    assert load_settings().models_folder == tmp_path / "weights"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("colour = 1", "colour"),
        ('[models]\nenglsh = "a"', "models.englsh"),
        ("[team]\nturns = 3", "team.turns"),
        ("[engine]\ngpus = 2", "engine.gpus"),
    ],
)
def test_an_unknown_key_is_refused_by_its_name(no_settings: Path, text: str, key: str) -> None:
    assert refusal(no_settings, text) == f"There is no setting called {key}; correct coreasoner.toml."


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[chat]\nport = 0", "chat.port"),
        ('[engine]\nlanes = "two"', "engine.lanes"),
        ('languages = ["sw", "tlh"]', "languages"),
        ("languages = []", "languages"),
        ('[team]\nfusion = "averaged"', "team.fusion"),
    ],
)
def test_an_unusable_value_is_refused_by_its_name(no_settings: Path, text: str, key: str) -> None:
    said = refusal(no_settings, text)

    assert (said.startswith(f"The setting {key} is not usable"), said.endswith("correct coreasoner.toml.")) == (
        True,
        True,
    )


def test_an_unknown_language_is_named_with_those_that_are_known(no_settings: Path) -> None:
    assert "tlh is not among en, zh, ja, ko, th, sw" in refusal(no_settings, 'languages = ["sw", "tlh"]')


@pytest.mark.parametrize("name", ["COREASONER_CHAT__PORT", "COREASONER_ENGINE__GPUS"])
def test_what_is_wrong_in_a_variable_is_refused_by_its_name(
    no_settings: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "many")

    with pytest.raises(SettingsInvalid, match=rf"correct {name}\.$"):
        load_settings()


def test_a_variable_that_is_no_json_where_a_list_is_wanted_is_refused(
    no_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COREASONER_LANGUAGES", "sw, en")

    with pytest.raises(SettingsInvalid, match="languages"):
        load_settings()


def test_broken_toml_is_refused_with_its_place(no_settings: Path) -> None:
    said = refusal(no_settings, "home = \n")

    assert (said.startswith("coreasoner.toml cannot be read"), "line 1" in said) == (True, True)


def test_a_file_that_is_no_text_is_refused(no_settings: Path) -> None:
    (no_settings / "coreasoner.toml").write_bytes(b'home = "\xff"\n')

    with pytest.raises(SettingsInvalid, match=r"^coreasoner\.toml cannot be read"):
        load_settings()


def test_a_named_file_that_is_not_there_is_refused(no_settings: Path) -> None:
    with pytest.raises(SettingsInvalid, match="There is no settings file"):
        load_settings(no_settings / "nowhere.toml")


def test_guidelines_may_lie_in_a_bucket_and_keys_are_named_by_their_variables(home: Path) -> None:
    (home / "coreasoner.toml").write_text(
        '[knowledge]\nlocation = "s3://ward/guidelines"\nendpoint = "https://storage.ward.example:9000"\n'
        'region = "ward-1"\naccess_key_variable = "WARD_KEY"\nsecret_key_variable = "WARD_SECRET"\n',
        "utf-8",
    )

    chosen = load_settings().knowledge

    assert (chosen.bucket, chosen.prefix, chosen.host) == ("ward", "guidelines", "storage.ward.example:9000")
    assert (chosen.access_key_variable, chosen.secret_key_variable) == ("WARD_KEY", "WARD_SECRET")


@pytest.mark.parametrize("line", ['location = "gs://ward"', 'access_key = "AKIA"', 'endpoint = "https://me:x@ward"'])
def test_a_location_that_is_no_bucket_and_keys_in_the_file_are_refused(home: Path, line: str) -> None:
    assert f"knowledge.{line.split()[0]}" in refusal(home, f"[knowledge]\n{line}\n")


def test_the_local_language_is_one_of_those_that_are_spoken(home: Path) -> None:
    said = refusal(home, 'languages = ["sw", "en"]\nlocal_language = "ja"\n')

    assert "the local language ja is not among sw, en" in said


def test_a_local_language_is_kept(home: Path) -> None:
    (home / "coreasoner.toml").write_text('languages = ["sw", "en"]\nlocal_language = "sw"\n', "utf-8")

    assert load_settings().local_language == "sw"


def test_an_evaluation_takes_its_time_and_reads_in_whole_slices_unless_a_model_is_said_to_run_otherwise() -> None:
    own = {"slow": {"time_limit_s": 60.0}}
    settings = load_settings(engine={"prefill_slice": 128, "time_limit_s": 5.0}, engines=own).evaluating()

    assert (settings.engine.time_limit_s, settings.engine.shared_slice) == (86_400.0, 128)
    assert settings.engine_of("slow").time_limit_s == 60.0


def test_an_evaluation_has_a_record_of_its_own_unless_the_record_is_said_to_be_elsewhere(home: Path) -> None:
    usual, elsewhere = load_settings(), load_settings(transcripts={"file": home / "record.db"})

    assert usual.transcripts_file == home / "transcripts.db"
    assert usual.evaluating().transcripts_file == home / "evaluations" / "transcripts.db"
    assert elsewhere.evaluating().transcripts_file == elsewhere.transcripts_file == home / "record.db"
    assert load_settings(transcripts={"database": "postgresql://ward/record"}).evaluating().transcripts.file is None
