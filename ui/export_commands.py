"""`coreasoner transcripts` that take something away: export, check-redaction, consent."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple, Protocol

import typer
from pydantic import JsonValue
from rich.console import Console
from rich.text import Text

from agents.workspace import Workspace
from transcripts.consent import Consent, body
from transcripts.consultation import Verified
from transcripts.event import Body, Event, EventKind
from transcripts.export import check_script, page, write
from transcripts.fhir import bundle
from transcripts.redacted import export_redacted, prove_redacted
from transcripts.show import visible
from transcripts.store import TranscriptStore
from transcripts.training import training

_VIA = "command line"
_BY: Body = {"by": _VIA}
_PAGE = 500  # consultations that are listed at once

_Id = Annotated[str, typer.Argument(help="Its id.")]


class _Made(NamedTuple):
    lines: tuple[str, ...]
    html: str
    events: tuple[Event, ...]
    head: str
    said: str


class _Maker(Protocol):
    """Makes an export and leaves its trace in the record."""

    def __call__(self, store: TranscriptStore, transcript: str, by: Body, also: tuple[str, ...]) -> _Made: ...


def register(app: typer.Typer) -> None:
    """Add these commands to those of the transcripts."""
    app.command()(export)
    app.command("check-redaction")(check_redaction)
    app.command()(consent)


def export(
    context: typer.Context,
    transcript: Annotated[str | None, typer.Argument(help="Its id.")] = None,
    folder: Annotated[Path | None, typer.Argument(help="Where a folder with the files is made.")] = None,
    redact: Annotated[bool, typer.Option("--redact", help="Without what tells who somebody is.")] = False,
    also: Annotated[list[str] | None, typer.Option(help="Redact, and take this word out too; repeatable.")] = None,
    fhir: Annotated[bool, typer.Option("--fhir", help="Also a FHIR R4 bundle of AuditEvent and Provenance.")] = False,
    training_file: Annotated[
        Path | None, typer.Option("--training", help="Instead: all consented consultations, redacted, to train on.")
    ] = None,
    unredacted: Annotated[bool, typer.Option(help="With --training, as they are.")] = False,
) -> None:
    """Write a consultation as JSON lines and as a page, with the public keys and a program that checks it."""
    with Workspace(context.obj) as workspace:
        if training_file:
            if transcript or folder or redact or fhir:
                raise typer.BadParameter("--training takes no transcript; it writes all that may be trained on")
            _training(workspace.transcripts, training_file, not unredacted)
        elif transcript and folder:
            _export(workspace, transcript, folder, _redacted if redact or also else _plain, tuple(also or ()), fhir)
        else:
            raise typer.BadParameter("name a transcript and a folder, or --training and a file")


def _export(
    workspace: Workspace, transcript: str, folder: Path, make: _Maker, also: tuple[str, ...], fhir: bool
) -> None:
    workspace.transcripts.verify(transcript)
    formats: list[JsonValue] = ["jsonl", "html", *(["fhir"] if fhir else [])]
    made = make(workspace.transcripts, transcript, {**_BY, "formats": formats}, also)
    target = folder / transcript
    target.mkdir(parents=True)
    file = write(target, f"{transcript}.jsonl", made.lines)
    write(target, f"{transcript}.html", [made.html])
    write(target, "record.pub", [workspace.keys.public_file.read_text("utf-8").strip()])
    write(target, "check_export.py", [check_script().strip()])
    if fhir:
        resources = bundle(made.events, made.head, made.lines[-1])
        write(target, f"{transcript}.fhir.json", [json.dumps(resources, ensure_ascii=False, indent=1)])
    _say(f"{made.said} in {target}.")
    _say(f"Check them anywhere with: python check_export.py {file.name} record.pub")


def _plain(store: TranscriptStore, transcript: str, by: Body, also: tuple[str, ...]) -> _Made:
    store.annotate(transcript, EventKind.EXPORTED, by)
    store.sign()
    verified, events = store.verify(transcript), tuple(store.events(transcript))
    lines = tuple(store.export(transcript))
    return _Made(lines, page(events, verified), events, verified.head, f"{verified.events} events are")


def _redacted(store: TranscriptStore, transcript: str, by: Body, also: tuple[str, ...]) -> _Made:
    made = export_redacted(store, transcript, by, also)
    told = _counted(made.kinds) or "nothing"
    verified = Verified(events=len(made.events), head=made.declared.hash, signed=len(made.events))
    html = page(made.events, verified, made.kinds)
    said = f"{len(made.events)} events, with {told} taken out, are"
    return _Made(made.lines, html, made.events, made.declared.hash, said)


def _training(store: TranscriptStore, file: Path, redact: bool) -> None:
    made = training(store, _all(store), _BY, redact)
    file.parent.mkdir(parents=True, exist_ok=True)
    write(file.parent, file.name, made.lines)
    _say(f"{len(made.lines)} turns of {made.consultations} consultations are in {file}.")
    if made.left_out:
        _say(f"Left out: {_counted(made.left_out)}.")


def _all(store: TranscriptStore) -> Iterator[str]:
    before: str | None = None
    while listed := store.consultations(_PAGE, before):
        yield from (item.id for item in listed)
        before = listed[-1].id


def check_redaction(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The .jsonl file of a redacted export of this installation.")],
) -> None:
    """Prove against the record that a redacted export is its original, and only what was recorded was taken out."""
    try:
        lines = file.read_text("utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}") from error
    with Workspace(context.obj) as workspace:
        events = prove_redacted(workspace.transcripts, lines)
    _say(f"All {events} events are as recorded but for what was taken out.")


def consent(
    context: typer.Context,
    transcript: _Id,
    by: Annotated[str, typer.Option(help="Who consents or withdraws: a pseudonym or the number of a form.")],
    withdraw: Annotated[bool, typer.Option("--withdraw", help="No longer.")] = False,
) -> None:
    """Record that a consultation may be used to train models, or may no longer be."""
    said = Consent.WITHDRAWN if withdraw else Consent.GIVEN
    with Workspace(context.obj) as workspace:
        workspace.transcripts.verify(transcript)
        workspace.transcripts.annotate(transcript, EventKind.FEEDBACK, body(said, by, _VIA))
    _say(f"Consent to train on {transcript}: {said.value}.")


def _counted(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))


def _say(text: str) -> None:
    Console().print(Text(visible(text)), soft_wrap=True)
