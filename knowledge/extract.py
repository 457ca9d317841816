"""A file's bytes to a document, whatever its kind.

It runs in the worker, where anything may hang or crash. It knows nothing of packs, chunks or the store.
"""

from collections.abc import Callable

from knowledge.document import Document
from knowledge.errors import DocumentUnsupported
from knowledge.kinds import HTML, PDF, WORD, check_kind, suffix_of
from knowledge.parse import neutral_text, parse, read_text
from knowledge.untrusted import Neutralised

Step = Callable[[], None]  # called before every page, or every stage of what has no pages: its time starts


def extract(raw: bytes, file: str, step: Step) -> Document:
    """The document in `raw`; raises DocumentUnsupported, and whatever a parser raises over a broken file."""
    check_kind(file)
    # A parser is imported when a file needs it: reading text then starts in half the time.
    if suffix_of(file) in PDF:
        from knowledge.pdf import read_pdf

        document = read_pdf(raw, file, step)
    elif suffix_of(file) in WORD:
        from knowledge.word import markdown_of_word

        document = _from_markdown(*markdown_of_word(raw, file), step=step)
    elif suffix_of(file) in HTML:
        from knowledge.hypertext import decoded, markdown_of_html

        document = _from_markdown(markdown_of_html(decoded(raw, file)), step=step)
    else:
        document = _parsed(read_text(raw, file), file)
    if not any(character.isalnum() for character in document.text):
        raise DocumentUnsupported(file, "it holds no text, so look whether it is the right file")
    return document


def _from_markdown(text: str, hidden: tuple[str, ...] = (), *, step: Step) -> Document:
    step()
    document = _parsed(neutral_text(text), "converted.md")
    return document.model_copy(update={"removed": (*document.removed, *hidden)})


def _parsed(stored: Neutralised, file: str) -> Document:
    return parse(stored.text, file).model_copy(update={"removed": stored.removed})
