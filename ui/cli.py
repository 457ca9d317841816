"""The command line. Turns every known error into one sentence and a non-zero exit; never a traceback.

Knows which room does what, and nothing of how.
"""

import asyncio
import errno
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from autogen_core import CancellationToken
from rich.console import Console
from rich.text import Text

from agents.consultation import Outcome, Progress, first_look, prepare, unwatched
from agents.errors import CaseError, InstallationError
from agents.messages import Case
from agents.missing import missing
from agents.settings import Settings, load_settings
from agents.workspace import Workspace, report
from evaluation.errors import EvaluationError
from knowledge.errors import KnowledgeError
from models.errors import ModelError
from transcripts.errors import TranscriptError
from ui import (
    distil_commands,
    evaluate_commands,
    knowledge_commands,
    model_commands,
    rerun_command,
    retention_commands,
    transcript_commands,
)
from ui.adding import add_starter
from ui.doctor import examine
from ui.ports import is_loopback, require_free, require_trusted
from ui.terminal import TerminalView, plain, show_alarm
from ui.translation import DEFAULT, translation

KNOWN_ERRORS = (CaseError, EvaluationError, KnowledgeError, ModelError, TranscriptError, InstallationError)

# JSON leaves these as they are, but a terminal obeys some of them.
_ESCAPED = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Two clinicians argue a case, one in English and one in the local language. Decision support, not a device.",
)
app.add_typer(distil_commands.app, name="distil", help="Train a student on co-reasoned answers.")
app.add_typer(model_commands.app, name="models", help="The weights on this machine.")
app.add_typer(knowledge_commands.app, name="knowledge", help="The guidelines that answers cite.")
retention_commands.add_to(transcript_commands.app)
app.add_typer(transcript_commands.app, name="transcripts", help="The record of consultations.")
app.add_typer(evaluate_commands.app, name="evaluate", help="How good the answers are, measured.")
transcript_commands.app.command("rerun")(rerun_command.rerun_command)


@app.callback()
def configure(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="Settings file; default: coreasoner.toml in the home folder.")
    ] = None,
    home: Annotated[Path | None, typer.Option(help="Folder for weights, guidelines and transcripts.")] = None,
    model: Annotated[str | None, typer.Option(help="Play all three roles with this model.")] = None,
) -> None:
    """Read the settings once, for whatever command follows."""
    flags: dict[str, object] = {"home": home} if home else {}
    if model:
        flags["models"] = {"english": model, "local": model, "synthesizer": model}
    context.obj = load_settings(config, **flags)


@app.command()
def ask(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="The case; `-` reads it from standard input.")],
    language: Annotated[str | None, typer.Option(help="Language of the case, such as ja; default: detect.")] = None,
    english: Annotated[str | None, typer.Option(help="The case in English, if you have it.")] = None,
    options: Annotated[str | None, typer.Option(help="Answer options, separated by |.")] = None,
    hypothesis: Annotated[
        str | None, typer.Option(help="A statement: does it follow from the case, contradict it, or neither?")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Argue one case in the terminal."""
    settings: Settings = context.obj
    typed = sys.stdin.buffer.read().decode("utf-8", "replace") if text == "-" else text
    listed = [option.strip() for option in _well_formed(options).split("|")] if options else []
    rendering, statement = (_well_formed(given) if given else None for given in (english, hypothesis))
    local = settings.local_language or None
    # An emergency is told whatever happens then: no weights, no guidelines, no language.
    if found := first_look(typed, spoken=language, configured=settings.languages, local=local):
        show_alarm(Console(stderr=as_json), found)
    if told := unwatched(typed, spoken=language, configured=settings.languages, local=local):
        Console(stderr=as_json).print(Text(told, style="yellow"))
    case = prepare(
        typed,
        spoken=language,
        english=rendering,
        options=listed,
        hypothesis=statement,
        configured=settings.languages,
        local=local,
    )
    with Workspace(settings) as workspace:
        _make_ready(workspace)
        outcome = asyncio.run(_argue(workspace, case, as_json=as_json))
        if as_json:
            printed = json.dumps(report(outcome, workspace.loaded()), ensure_ascii=False)
            sys.stdout.write(printed.translate(_ESCAPED) + "\n")
            sys.stdout.flush()


def _make_ready(workspace: Workspace) -> None:
    """Open what a case needs, and say loudly what it will have to do without."""
    for part, reason in workspace.ready().items():
        sys.stderr.write(plain(f"MISSING: {missing(part, DEFAULT).text} {reason}") + "\n")
    sys.stderr.flush()


def _well_formed(argument: str) -> str:
    # Bytes of the command line that are no UTF-8 arrive as lone surrogates, which cannot be written anywhere.
    return argument.encode("utf-8", "replace").decode()


async def _argue(workspace: Workspace, case: Case, *, as_json: bool) -> Outcome:
    console = Console(stderr=as_json)
    view = TerminalView(console, translation(case.language), live=console.is_terminal)
    token = CancellationToken()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, token.cancel)
    try:
        async for progress in workspace.consult(case, token):
            if not as_json or console.is_terminal:
                _show(view, progress, token)
    finally:
        view.close()
    assert isinstance(progress, Outcome)
    return progress


def _show(view: TerminalView, progress: Progress, token: CancellationToken) -> None:
    try:
        view.take(progress)
    except SystemExit:
        # So says rich that nobody reads standard output any more.
        token.cancel()


@app.command()
def chat(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: this machine only.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    starter: Annotated[
        bool, typer.Option(help="First pull the starter models and add the starter guidelines.")
    ] = False,
) -> None:
    """Open the chat in a browser."""
    settings: Settings = context.obj
    host, port = host or settings.chat.host, port or settings.chat.port
    require_trusted(host, settings.chat.user_header)
    require_free(host, port)
    if not is_loopback(host):
        sys.stderr.write(f"Whoever reaches {host} can put cases and read past ones as the account that runs this.\n")
    with Workspace(settings) as workspace:
        if starter:
            model_commands.pull_with_progress(workspace, "starter")
            add_starter(workspace)
        _make_ready(workspace)
        # Gradio takes seconds to import; the checks above should not wait for it.
        from ui.chat import serve

        serve(workspace, host, port)


@app.command()
def doctor(context: typer.Context) -> None:
    """Check this installation and say what is missing."""
    console = Console()
    findings = examine(Workspace(context.obj))
    for finding in findings:
        mark = {"good": "ok  ", "warning": "look", "bad": "BAD "}[finding.state]
        console.print(Text(f"{mark} {finding.subject}: {plain(finding.words)}"), soft_wrap=True)
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)


def _fail(sentence: str, code: int = 1) -> NoReturn:
    sys.stderr.write(plain(sentence) + "\n")
    sys.stderr.flush()
    # Native threads of the embedder or the engine have nothing left to say.
    os._exit(code)


def _sentence(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "The disk is full; nothing was lost, free some space and run the command again."
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return f"{error.filename or 'A file'} may not be written; check the folder's permissions."
    return f"The system refused: {error.strerror or error} ({error.filename or 'no file'})."


def run(command: Callable[[], None]) -> None:
    """Run the command line; known errors become a sentence on standard error and exit code 1."""
    try:
        command()
    except KNOWN_ERRORS as error:
        _fail(str(error))
    except OSError as error:
        _fail(_sentence(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        _fail("Stopped; what was said until then is kept in the transcript.", 130)


def main() -> None:
    """The `coreasoner` command."""
    # Set before any library reads them: nothing may ask the network at run time.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    # AutoGen and asyncio log as a traceback what is said here as a sentence and kept in the transcript.
    logging.getLogger().addHandler(logging.NullHandler())
    # AutoGen logs a traceback for every stopped agent; what went wrong reaches the user as a sentence.
    logging.getLogger("autogen_core").setLevel(logging.CRITICAL + 1)
    run(app)
