"""What the conclusion of a case may be: one of its options' letters, one of three labels, or a sentence.

The only place that decides it, for the grammar, for what a model wrote and for what is shown. Knows nothing of models
or screens.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, WithJsonSchema, create_model

from agents.errors import BadOptions
from agents.languages import phrase
from agents.messages import MAX_OPTIONS, Case

LABELS = ("entailment", "neutral", "contradiction")
MAX_CHARACTERS = 240
_LABELLED = re.compile(r"^\s*\(?([A-Ja-j])[.):、．]\s*(?=\S)")
_LETTER = re.compile(r"^[\s(\[*\"'「]*([A-Za-zＡ-Ｊ])(?![^\W\d_])")

_Form = TypeVar("_Form", bound=BaseModel)


def admitted(case: Case) -> tuple[str, ...]:
    """The conclusions that a case admits, in order; empty where any sentence may be one."""
    if case.hypothesis:
        return LABELS
    return tuple(chr(ord("A") + number) for number in range(len(case.options)))


def conclusion_type(among: Sequence[str]) -> Any:
    """The type of a conclusion's field, from which the grammar is made."""
    return Annotated[str, WithJsonSchema({"enum": list(among)}) if among else Field(max_length=MAX_CHARACTERS)]


def constrained(form: type[_Form], case: Case) -> type[_Form]:
    """A form whose `conclusion` is one that the case admits."""
    among = admitted(case)
    return create_model(form.__name__, __base__=form, conclusion=(conclusion_type(among), ...)) if among else form


def request(case: Case) -> str:
    """How a model is asked for the conclusion, in English; nothing where it is a sentence."""
    among = admitted(case)
    if not among:
        return ""
    what = "label" if case.hypothesis else "letter"
    return f"The conclusion is one {what} only: {', '.join(among)}."


def read(written: str, case: Case) -> str:
    """The conclusion that a model's text means; empty where the case does not admit it.

    A letter stands first, as in `B`, `B.` or `(B)`, or the option's own words stand in the text, or the label does.
    """
    text, among = written.strip(), admitted(case)
    if not among:
        return text
    if case.hypothesis:
        named = [label for label in among if label in text.casefold()]
        return named[0] if len(named) == 1 else ""
    found = _LETTER.match(text)
    if found and (letter := unicodedata.normalize("NFKC", found[1]).upper()) in among:
        return letter
    plain = _plain(text)
    named = [letter for letter, option in zip(among, case.options, strict=True) if _plain(option) in plain]
    return named[0] if len(named) == 1 else ""


def meaning(conclusion: str, case: Case, language: str) -> str:
    """What a letter or a label stands for, in a language of the phrases; empty for any other conclusion."""
    if case.hypothesis:
        return phrase(f"label_{conclusion}", language) if conclusion in LABELS else ""
    among = admitted(case)
    return case.options[among.index(conclusion)] if conclusion in among else ""


def named(conclusion: str, means: str) -> str:
    """A conclusion with what it stands for beside it, as it is shown."""
    return f"{conclusion}: {means}" if conclusion and means else conclusion


def options(listed: Sequence[str]) -> tuple[str, ...]:
    """Answer options as they are argued: without letters of their own where all have the right ones.

    Raises BadOptions: one or too many, an empty one, or the same twice.
    """
    if not listed:
        return ()
    if not 2 <= len(listed) <= MAX_OPTIONS:
        raise BadOptions(f"There are {len(listed)} answer options; give between 2 and {MAX_OPTIONS}, or none.")
    bare = _without_letters(listed)
    seen: dict[str, int] = {}
    for number, option in enumerate(bare):
        if not option.strip():
            raise BadOptions(f"Answer option {chr(ord('A') + number)} is empty; write it or leave it out.")
        first = seen.setdefault(_plain(option), number)
        if first != number:
            letters = " and ".join(chr(ord("A") + place) for place in (first, number))
            raise BadOptions(f"The answer options {letters} are the same; change one or leave it out.")
    return bare


def _without_letters(listed: Sequence[str]) -> tuple[str, ...]:
    found = [_LABELLED.match(option) for option in listed]
    own = [match[1].upper() if match else "" for match in found]
    if own != [chr(ord("A") + number) for number in range(len(listed))]:
        return tuple(option.strip() for option in listed)
    return tuple(option[match.end() :].strip() for option, match in zip(listed, found, strict=True) if match)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
