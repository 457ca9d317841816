"""The installed command, run as people run it: what it prints, how it ends, and what it leaves behind.

Commands take seconds to start, so all that do not depend on each other are started at once, two at a time. Knows
nothing of how good an answer is.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agents.languages import phrase
from models.registry import Registry
from tests.ui.conftest import LANGUAGES, MODEL, Installation, Ran
from transcripts.consultation import Status
from transcripts.store import TranscriptStore
from ui.translation import translation

CASE = "A 3-year-old boy has fever and a cough and breathes 55 times a minute. What should be done?"
EMERGENCY = "Crushing chest pain with sweating for an hour."
ENGLISH = "A child has diarrhoea and sunken eyes."
# Spanish with words in Arabic, Chinese and Thai, orders to a terminal, and a byte that is no UTF-8.
ORDERS = "\x1b]0;owned\x07\x1b[31m\x9b2J"
MIXED = f"Niña de dos años con diarrea (إسهال, 腹泻, ท้องเสีย) y ojos hundidos. {ORDERS}¿Qué hago?".encode()
OPTIONS = ("Zinc and oral rehydration", "Amoxicillin")
FIELDS = {
    *("case", "english_reasoning", "local_reasoning", "english_chain", "local_chain", "fused_chain", "evidence"),
    *("rebuttals", "answer", "red_flags", "timings", "usage", "models", "transcript_id"),
}
ANSWER_FIELDS = {"text", "language", "claims", "unsupported", "disagreement", "mode"}
GGUF = Registry.load().card(MODEL).file
EMBEDDER = "multilingual-e5-small"


class Refusal(NamedTuple):
    """What is asked, what has to be said, and the settings that differ; {root} and {port} are filled in."""

    arguments: tuple[str, ...]
    said: str
    settings: Mapping[str, str] = {}


def weights(state: str) -> dict[str, str]:
    return {"models__folder": f"{{root}}/{state}"}


def home(state: str) -> dict[str, str]:
    return {"home": f"{{root}}/{state}"}


REFUSED = {
    "an empty case": Refusal(("ask", " \n\t"), "The case is empty"),
    "a case of 100 kB": Refusal(("ask", "a cough. " * 11_112), "12,000 can be read"),
    "an unknown language": Refusal(("ask", "--language", "tlh", CASE), "'tlh' is not supported; choose one of en,"),
    "the same option twice": Refusal(("ask", "--options", "zinc|rest|Zinc", CASE), "options A and C are the same"),
    "two tasks": Refusal(("ask", "--options", "zinc|rest", "--hypothesis", "It rains.", CASE), "give one of them"),
    "an unknown model": Refusal(("--model", "smollm2-135m", "ask", CASE), f"did you mean {MODEL}"),
    "a web page to import": Refusal(
        ("models", "import", "{root}/html/" + GGUF, "--name", MODEL),
        "not the ones that were published",
        weights("none"),
    ),
    "a port in use": Refusal(("chat", "--port", "{port}"), "cannot listen on 127.0.0.1:{port}"),
    "an unknown key": Refusal(("models", "list"), "There is no setting called modells", home("unknown-key")),
    "broken TOML": Refusal(("models", "list"), "coreasoner.toml cannot be read", home("broken-toml")),
    "no settings file": Refusal(("--config", "{root}/nowhere.toml", "models", "list"), "There is no settings file"),
    "orders to the terminal": Refusal(("--config", "\x1b]0;owned\x07", "models", "list"), "file ]0;owned"),
    "an unknown transcript": Refusal(("transcripts", "show", "c_nothing"), "there is no consultation 'c_nothing'"),
}


LLMS = {"english", "local", "synthesizer"}


class Lacking(NamedTuple):
    """What is said loudly, the settings that differ, and which parts the answer then names as missing."""

    said: str
    settings: Mapping[str, str]
    parts: set[str]


LACKING = {
    "no weights": Lacking(f"`coreasoner models pull {MODEL}`", weights("none"), LLMS | {"embedder"}),
    "truncated weights": Lacking("not the ones that were published", weights("truncated"), LLMS),
    "one altered byte": Lacking("not the ones that were published", weights("altered"), LLMS),
    "a web page for weights": Lacking("not the ones that were published", weights("html"), LLMS),
    "no knowledge base": Lacking("`coreasoner knowledge add FOLDER`", home("bare"), {"guidelines"}),
}


def may_mount() -> bool:
    """Whether a disk of one's own can be mounted where nobody else sees it."""
    unshare = shutil.which("unshare")
    alone = [unshare or "", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", tempfile.gettempdir()]
    return unshare is not None and subprocess.run(alone, capture_output=True).returncode == 0


own_disk = pytest.mark.skipif(not may_mount(), reason="this machine lets nobody mount a small disk")

# Arguments: options of the disk, where it comes, how much of it is taken, where to copy what lies on it afterwards,
# the guidelines; then the command.
ON_A_DISK = """
disk=$2 copy=$4
mount -t tmpfs -o "$1" none "$disk"
[ "$3" = 0 ] || { head -c "$3" /dev/zero >"$disk/taken"; ln -s "$5" "$disk/knowledge"; }
shift 5
"$@"
code=$?
rm -f "$disk/taken" "$disk/knowledge"
cp -R "$disk/." "$copy"
exit $code
"""


def on_a_disk(where: Installation, disk: Path, options: str, *arguments: str, taken: int = 0) -> Ran:
    """Run a command while `disk` is a small disk; what it leaves there is copied beside it."""
    copy = disk.with_name(f"{disk.name}-afterwards")
    for folder in (disk, copy):
        folder.mkdir()
    setting = (options, str(disk), str(taken), str(copy), str(where.home / "knowledge"))
    alone = ("unshare", "--map-root-user", "--mount", "sh", "-c", ON_A_DISK, "sh", *setting)
    return where.elsewhere(home=disk).run(*arguments, before=alone)


def unread(where: Installation, *arguments: str, lines: int) -> Ran:
    """Run a command whose reader goes away after some lines."""
    with subprocess.Popen(
        where.command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=where.environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        out = b"".join(process.stdout.readline() for _ in range(lines))
        process.stdout.close()
        err = process.stderr.read()
    return Ran(process.returncode, out.decode(), err.decode())


def interrupted(where: Installation, *arguments: str, when: str) -> Ran:
    """Run a command on a terminal and press Ctrl-C as soon as it shows `when`."""
    screen, terminal = os.openpty()
    seen, pressed = b"", False
    with (
        os.fdopen(screen, "rb", buffering=0) as showing,
        subprocess.Popen(
            where.command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.PIPE,
            env={**where.environment, "TERM": "xterm"},
            start_new_session=True,
        ) as process,
    ):
        os.close(terminal)
        assert process.stderr is not None
        with suppress(OSError):  # what Linux says when the last program has left the terminal
            while shown := showing.read(4096):
                seen += shown
                if not pressed and when.encode() in seen:
                    os.killpg(process.pid, signal.SIGINT)
                    pressed = True
        err = process.stderr.read()
    return Ran(process.returncode, seen.decode("utf-8", "replace"), err.decode())


def furnish(root: Path, installation: Installation, models_folder: Path) -> None:
    """Put weights in every wrong state, and homes that lack something, under `root`."""
    whole = (models_folder / GGUF).read_bytes()
    middle = len(whole) // 2
    altered = {
        "truncated": whole[:middle],
        "altered": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "html": b"<!doctype html><title>404</title>",
    }
    for state, content in altered.items():
        (root / state).mkdir()
        (root / state / GGUF).write_bytes(content)
        for path in models_folder.glob(f"{EMBEDDER}*"):
            (root / state / path.name).symlink_to(path)
    for name in ("none", "bare", "refused", "lacking", "stopped", "unread", "unknown-key", "broken-toml"):
        (root / name).mkdir()
    for name in ("refused", "lacking", "stopped", "unread"):
        (root / name / "knowledge").symlink_to(installation.home / "knowledge")
    (root / "unknown-key" / "coreasoner.toml").write_text('[modells]\nenglish = "x"\n', "utf-8")
    (root / "broken-toml" / "coreasoner.toml").write_text("[models\n", "utf-8")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, installation: Installation, models_folder: Path) -> Path:
    """A folder with everything that is missing or wrong."""
    folder = tmp_path_factory.mktemp("wrong")
    furnish(folder, installation, models_folder)
    return folder


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture(scope="module")
def started(installation: Installation, root: Path, port: int) -> Iterator[Mapping[str, Future[Ran]]]:
    """Every command that needs no other to have ended, by what it is about."""
    stopped = installation.elsewhere(home=root / "stopped", team__reasoner__reasoning_tokens=1000)
    reader_gone = installation.elsewhere(home=root / "unread")
    spanish = ("ask", "-", "--json", "--english", ENGLISH, "--options", " | ".join(OPTIONS))
    commands = {
        "emergency": partial(
            installation.elsewhere(home=root / "lacking", models__folder=root / "none").run, "ask", EMERGENCY
        ),
        "untabled": partial(
            installation.elsewhere(home=root / "untabled", models__folder=root / "none").run,
            *("ask", "Criança de 3 anos com febre e tosse.", "--language", "pt"),
        ),
        "english": partial(installation.run, "ask", "--json", CASE),
        "mixed": partial(installation.run, *spanish, stdin=MIXED + b"\xff"),
        "ctrl-c": partial(interrupted, stopped, "ask", CASE, when=translation("en")["reasoning"]),
        "reader gone": partial(unread, reader_gone, "ask", CASE, lines=1),
        "models": partial(installation.run, "models", "list"),
        "models unread": partial(unread, installation, "models", "list", lines=0),
        "verified": partial(installation.run, "models", "verify", MODEL),
        "altered": partial(installation.elsewhere(models__folder=root / "altered").run, "models", "verify", MODEL),
        "bad doctor": partial(installation.elsewhere(models__folder=root / "none").run, "doctor"),
    }
    with ThreadPoolExecutor(max_workers=2) as pool:
        futures = {name: pool.submit(command) for name, command in commands.items()}
        for name, refusal in REFUSED.items():
            place = {"root": root, "port": port}
            settings = {key: value.format(**place) for key, value in refusal.settings.items()}
            where = installation.elsewhere(**{"home": root / "refused", **settings})
            futures[name] = pool.submit(where.run, *(argument.format(**place) for argument in refusal.arguments))
        for name, lacking in LACKING.items():
            settings = {key: value.format(root=root) for key, value in lacking.settings.items()}
            where = installation.elsewhere(**{"home": root / "lacking", **settings})
            futures[name] = pool.submit(where.run, "ask", "--json", CASE)
        yield futures
        pool.shutdown(cancel_futures=True)


def one_sentence(said: str) -> bool:
    return said.count("\n") == 1 and said.endswith("\n") and "Traceback" not in said


def controls(text: str) -> set[str]:
    """The control characters of a text but the ends of its lines."""
    return {c for c in text if unicodedata.category(c) == "Cc" and c != "\n"}


def consultations(file: Path) -> list[Status]:
    """How each consultation of a transcript stands, newest first, after every one was proved unaltered."""
    with TranscriptStore.open(file, read_only=True) as store:
        found = store.consultations()
        assert [store.verify(item.id).events for item in found] == [item.events for item in found]
        return [item.status for item in found]


@pytest.fixture(scope="module")
def english(started: Mapping[str, Future[Ran]]) -> dict[str, Any]:
    """The object that `ask --json` printed for the English case."""
    found: dict[str, Any] = json.loads(started["english"].result().out)
    return found


@pytest.fixture(scope="module")
def mixed(started: Mapping[str, Future[Ran]]) -> dict[str, Any]:
    """The object that `ask --json` printed for the case in many scripts."""
    found: dict[str, Any] = json.loads(started["mixed"].result().out)
    return found


def test_ask_prints_one_json_object_and_nothing_else(started: Mapping[str, Future[Ran]]) -> None:
    ran = started["english"].result()

    assert ran.code == 0, ran.err
    assert isinstance(json.loads(ran.out), dict)
    assert ran.out.count("\n") == 1


def test_the_object_has_every_field(english: dict[str, Any]) -> None:
    assert set(english) == FIELDS
    assert set(english["answer"]) >= ANSWER_FIELDS


def test_both_sides_argue_and_name_concepts_which_are_fused(english: dict[str, Any]) -> None:
    assert [english[f"{side}_reasoning"]["status"] for side in ("english", "local")] == ["argued", "argued"]
    named = [c["name"] for side in ("english", "local") for c in english[f"{side}_chain"]["concepts"]]
    fused = [*english["fused_chain"]["concepts"], *english["fused_chain"]["aside"]]
    assert {concept["name"] for concept in fused} <= set(named)
    assert bool(fused) == bool(named)  # a model of this size may list nothing


def test_both_sides_argue_at_the_same_time(english: dict[str, Any]) -> None:
    spans = {(span["agent"], span["phase"]): span for span in english["timings"]["spans"]}
    ours, theirs = spans["EnglishReasoner", "reasoning"], spans["LocalClinician", "reasoning"]

    assert ours["start"] < theirs["end"]
    assert theirs["start"] < ours["end"]


def test_claims_cite_passages_of_the_evidence_and_the_unsupported_ones_are_listed(english: dict[str, Any]) -> None:
    answer, passages = english["answer"], english["evidence"]["passages"]

    assert answer["language"] == english["case"]["language"] == "en"
    assert {n for claim in answer["claims"] for n in claim["passages"]} <= {p["number"] for p in passages}
    assert [c["text"] for c in answer["claims"] if not c["supported"]] == answer["unsupported"]
    assert "Pneumonia in children under five" in {p["passage"]["document_title"] for p in passages}


def test_tokens_and_seconds_are_counted(english: dict[str, Any]) -> None:
    assert english["usage"]["prompt_tokens"] > english["usage"]["completion_tokens"] > 0
    assert english["timings"]["seconds"] >= max(span["end"] for span in english["timings"]["spans"])


def test_every_model_is_named_with_the_hash_of_its_weights(english: dict[str, Any]) -> None:
    registry = Registry.load()

    assert [model["role"] for model in english["models"]] == ["english", "local", "synthesizer", "embedder"]
    assert {(m["name"], m["sha256"]) for m in english["models"]} == {
        (name, registry.card(name).sha256) for name in (MODEL, EMBEDDER)
    }


def test_a_case_is_read_from_standard_input_whatever_bytes_come(mixed: dict[str, Any]) -> None:
    assert mixed["case"]["text"] == MIXED.decode() + "\ufffd"


def test_a_case_in_several_scripts_is_argued_in_its_main_language(mixed: dict[str, Any]) -> None:
    assert (mixed["case"]["language"], mixed["case"]["language_found"]) == ("es", "identified")
    assert (mixed["local_reasoning"]["language"], mixed["answer"]["language"]) == ("es", "es")
    assert {p["passage"]["language"] for p in mixed["evidence"]["passages"]} == {"es", "en"}


def test_a_given_english_rendering_is_what_the_english_reasoner_reads(mixed: dict[str, Any]) -> None:
    # Only the options, which nobody gave in English, are rendered; they follow behind an empty line.
    read = mixed["english_reasoning"]["question"].partition("\n\n")[0]
    assert (mixed["case"]["english"], read) == (ENGLISH, ENGLISH)


def test_the_answer_options_are_part_of_the_case(mixed: dict[str, Any]) -> None:
    assert tuple(mixed["case"]["options"]) == OPTIONS


def test_terminal_orders_in_a_case_are_written_as_escapes(started: Mapping[str, Future[Ran]]) -> None:
    out = started["mixed"].result().out

    assert controls(out) == set()
    assert "\\u001b]0;owned\\u0007" in out
    assert "\\u009b2J" in out


@pytest.fixture(scope="module")
def listed(installation: Installation, english: dict[str, Any], mixed: dict[str, Any]) -> Ran:
    """The list of transcripts with both cases in it."""
    return installation.run("transcripts", "list")


def test_a_consultation_is_listed_and_shown_as_it_was_streamed(
    installation: Installation, listed: Ran, english: dict[str, Any], mixed: dict[str, Any]
) -> None:
    shown = installation.run("transcripts", "show", english["transcript_id"])

    assert {english["transcript_id"], mixed["transcript_id"]} <= set(listed.out.split())
    assert english["english_reasoning"]["text"] in shown.out
    assert english["local_reasoning"]["text"] in shown.out
    assert ", unaltered; head sha256:" in shown.out
    assert (listed.code, shown.code, listed.err, shown.err) == (0, 0, "", "")


def test_a_shown_consultation_cannot_order_the_terminal(
    installation: Installation, listed: Ran, mixed: dict[str, Any]
) -> None:
    shown = installation.run("transcripts", "show", mixed["transcript_id"]).out

    assert controls(shown) == controls(listed.out) == set()
    assert "␛]0;owned␇" in shown


def test_the_models_are_listed_with_their_state(started: Mapping[str, Future[Ran]]) -> None:
    ran = started["models"].result()

    rows = [line.split()[:3] for line in ran.out.splitlines()]
    assert [MODEL, "llm", "ready"] in rows
    assert [EMBEDDER, "embedder", "ready"] in rows
    assert ran.code == 0


def test_weights_are_verified_and_a_single_altered_byte_is_found(started: Mapping[str, Future[Ran]]) -> None:
    sound, altered = started["verified"].result(), started["altered"].result()

    assert (sound.code, sound.out.strip()) == (0, f"{MODEL}: hashes are right")
    assert (altered.code, "not the ones that were" in altered.out) == (1, True)


def test_the_packs_of_the_knowledge_base_are_listed(installation: Installation) -> None:
    ran = installation.run_here("knowledge", "list")

    packs = {word for line in ran.out.splitlines() for word in line.split()[:1] if word.startswith("starter-")}
    assert packs == {f"starter-{language}" for language in LANGUAGES}
    assert ran.code == 0


def test_a_search_finds_passages_in_the_language_that_is_asked_for(installation: Installation) -> None:
    ran = installation.run_here("knowledge", "search", "neumonía niño", "--language", "es", "--limit", "2")

    found = [line for line in ran.out.splitlines() if line.startswith("[")]
    assert [line[:3] for line in found] == ["[1]", "[2]"]
    assert len([line for line in ran.out.splitlines() if line.startswith("    ES, ")]) == 2
    assert "eumonía" in ran.out
    assert ran.code == 0


def test_the_doctor_ends_badly_where_weights_are_missing(started: Mapping[str, Future[Ran]]) -> None:
    ran = started["bad doctor"].result()

    bad = {line.split(":")[0] for line in ran.out.splitlines() if line.startswith("BAD")}
    assert bad == {
        *("BAD  model, english", "BAD  model, local", "BAD  model, synthesizer", "BAD  model, embedder"),
        "BAD  guidelines",
    }
    assert (ran.code, ran.err) == (1, "")


def test_an_emergency_is_told_although_there_are_no_weights(started: Mapping[str, Future[Ran]]) -> None:
    ran = started["emergency"].result()

    assert "Possible heart attack" in ran.out
    assert "coreasoner models pull" in ran.err
    assert ran.code == 0


def test_a_language_without_emergencies_is_told_before_the_case_and_with_the_answer(
    started: Mapping[str, Future[Ran]],
) -> None:
    said = " ".join(started["untabled"].result().out.split())

    assert said.count(phrase("missing_red_flags", "pt")[:40]) == 2


@pytest.mark.parametrize("name", LACKING)
def test_what_is_missing_is_said_loudly_and_the_case_is_argued_without_it(
    started: Mapping[str, Future[Ran]], root: Path, name: str
) -> None:
    ran = started[name].result()

    assert LACKING[name].said in ran.err
    assert all(line.startswith("MISSING: ") for line in ran.err.splitlines())
    assert ran.code == 0
    answer = json.loads(ran.out)["answer"]
    assert {part["part"] for part in answer["missing"]} - {"evidence"} == LACKING[name].parts
    assert (answer["mode"] == "synthesized") <= ("synthesizer" not in LACKING[name].parts)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_is_refused_in_one_sentence(
    started: Mapping[str, Future[Ran]], root: Path, port: int, name: str
) -> None:
    ran = started[name].result()

    assert REFUSED[name].said.format(root=root, port=port) in ran.err
    assert one_sentence(ran.err)
    assert controls(ran.err) == set()
    assert (ran.code, ran.out) == (1, "")


def test_a_refused_case_is_no_consultation_and_a_refused_import_leaves_nothing(
    started: Mapping[str, Future[Ran]], root: Path
) -> None:
    for name in REFUSED:
        started[name].result()

    assert consultations(root / "refused" / "transcripts.db") == []
    assert {path.name for path in (root / "none").iterdir()} <= {".lock"}


def test_ctrl_c_stops_a_case_and_keeps_what_was_said(started: Mapping[str, Future[Ran]], root: Path) -> None:
    ran = started["ctrl-c"].result()

    assert ran.code == 130
    assert ran.err == "Stopped; what was said until then is kept in the transcript.\n"
    assert consultations(root / "stopped" / "transcripts.db") == [Status.CANCELLED]


def test_a_case_whose_reader_has_gone_is_stopped_without_a_word_about_pipes(
    started: Mapping[str, Future[Ran]], root: Path
) -> None:
    ran = started["reader gone"].result()

    assert ran.code == 130
    assert ran.err == "Stopped; what was said until then is kept in the transcript.\n"
    assert consultations(root / "unread" / "transcripts.db") == [Status.CANCELLED]


def test_a_list_whose_reader_has_gone_ends_quietly(started: Mapping[str, Future[Ran]]) -> None:
    ran = started["models unread"].result()

    assert (ran.code, ran.err) == (1, "")


@own_disk
def test_a_full_disk_stops_a_case_and_keeps_its_record_readable(
    installation: Installation, tmp_path: Path, models_folder: Path
) -> None:
    ran = on_a_disk(installation, tmp_path / "disk", "size=300k", "ask", "--json", CASE, taken=150_000)

    assert "the disk is full" in ran.err
    assert one_sentence(ran.err)
    assert (ran.code, ran.out) == (1, "")
    assert consultations(tmp_path / "disk-afterwards" / "transcripts.db") == [Status.INTERRUPTED]


@own_disk
def test_a_full_disk_refuses_an_import_and_keeps_nothing_of_it(
    installation: Installation, tmp_path: Path, models_folder: Path
) -> None:
    arguments = ("models", "import", str(models_folder / GGUF))

    there = installation.elsewhere(models__folder=tmp_path / "disk")
    ran = on_a_disk(there, tmp_path / "disk", "size=1m", *arguments)

    assert "MB short; free that much" in ran.err
    assert one_sentence(ran.err)
    assert (ran.code, ran.out) == (1, "")
    assert {path.name for path in (tmp_path / "disk-afterwards").iterdir()} <= {".lock"}


@own_disk
def test_a_read_only_home_refuses_a_case_before_anything_is_opened(
    installation: Installation, tmp_path: Path, models_folder: Path
) -> None:
    ran = on_a_disk(installation, tmp_path / "disk", "ro", "ask", CASE)

    assert "read-only" in ran.err
    assert one_sentence(ran.err)
    assert (ran.code, ran.out) == (1, "")


def test_after_all_this_every_transcript_is_unaltered_and_the_doctor_finds_nothing_bad(
    started: Mapping[str, Future[Ran]], installation: Installation
) -> None:
    for command in started.values():
        command.result()

    ran = installation.run("doctor")

    assert consultations(installation.home / "transcripts.db") == [Status.FINISHED, Status.FINISHED]
    assert {line[:4] for line in ran.out.splitlines()} <= {"ok  ", "look"}
    assert (ran.code, ran.err) == (0, "")
