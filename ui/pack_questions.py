"""What a person is asked about documents that come without a manifest: whose they are and how long they hold.

Each answer is checked as a manifest's field would be and asked for again where it can't be one. Knows no store.
"""

from collections.abc import Callable, Mapping
from datetime import date

import typer

from knowledge.errors import PackInvalid
from knowledge.pack import Manifest, restated
from ui.terminal import plain

_NONE = "-"
QUESTIONS = {
    "title": "Title of the pack",
    "publisher": "Publisher",
    "jurisdiction": "Country where it holds (ISO code such as JP, or INT)",
    "language": "Language (code such as es)",
    "edition": "Edition",
    "effective": "In force since (YYYY-MM-DD)",
    "expires": "Expires (YYYY-MM-DD)",
    "licence": "Licence",
}
_HINT = f"Nothing says whose these documents are. Enter accepts what is in brackets, {_NONE} leaves it open."

Prompt = Callable[[str, str], str]  # question and default -> answer


def on_terminal(question: str, default: str) -> str:
    """Ask on the terminal; raises typer.Abort at the end of input and on Ctrl-C."""
    return str(typer.prompt(question, default=default, show_default=bool(default), err=True))


def asked(
    manifest: Manifest,
    given: Mapping[str, str],
    prompt: Prompt = on_terminal,
    say: Callable[[str], object] = lambda words: typer.echo(words, err=True),
) -> Manifest:
    """The manifest as a person completes it; what is in `given` is not asked for."""
    questions = {field: words for field, words in QUESTIONS.items() if field not in given}
    if questions:
        say(_HINT)
    for field, words in questions.items():
        manifest = _answered(manifest, field, words, prompt, say)
    return manifest


def _answered(manifest: Manifest, field: str, words: str, prompt: Prompt, say: Callable[[str], object]) -> Manifest:
    value: str | date | None = getattr(manifest, field)
    while True:
        answer = prompt(words, "" if value is None else str(value)).strip()
        try:
            return restated(manifest, {field: "" if answer == _NONE else answer})
        except PackInvalid as error:
            say(f"That can't be used: {plain(error.problem)}.")
