"""What the conclusion of a case may be: a letter or several of its options, one of three labels, or a sentence.

The only place that decides it, for the grammar, for what a model wrote and for what is shown. Knows nothing of models
or screens.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import combinations
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, WithJsonSchema, create_model

from agents.errors import BadOptions
from agents.languages import phrase
from agents.messages import MAX_OPTIONS, Case

LABELS = ("entailment", "neutral", "contradiction")
MAX_CHARACTERS = 240
_SEPARATOR = ", "
_LABELLED = re.compile(r"^\s*\(?([A-Ja-j])[.):、．]\s*(?=\S)")
_LETTER = re.compile(r"^[\s(\[*\"'「]*([A-Za-zＡ-Ｊ])(?![^\W\d_])")
# What a last line is dressed in; in it a letter alone, or with words behind a mark, and several letters.
_MARKS = " \t*_#()[]\"'.「」"
_ANSWER = "answer"
_ALONE = re.compile(r"([A-J])")
_LETTERED = re.compile(r"([A-J])(?:(?:\s*[.):\]*\"'」]|\s+-).*)?")
_LISTED = re.compile(r"[A-J](?:(?:\s*[,;/&+、]\s*|\s+and\s+|\s+)[A-J])*")

_Form = TypeVar("_Form", bound=BaseModel)


def admitted(case: Case) -> tuple[str, ...]:
    """The conclusions that a case admits, in order; empty where any sentence may be one."""
    if case.hypothesis:
        return LABELS
    single = letters(case)
    counts = range(1, len(single) + 1) if case.several else range(1, 2)
    return tuple(_SEPARATOR.join(chosen) for count in counts for chosen in combinations(single, count))


def letters(case: Case) -> tuple[str, ...]:
    """The letters of a case's options, in order."""
    return tuple(chr(ord("A") + number) for number in range(len(case.options)))


def positions(conclusion: str) -> tuple[int, ...]:
    """The options, from 0, that a conclusion of letters names."""
    return tuple(ord(letter) - ord("A") for letter in conclusion.split(_SEPARATOR) if letter)


def conclusion_type(among: Sequence[str]) -> Any:
    """The type of a conclusion's field, from which the grammar is made."""
    return Annotated[str, WithJsonSchema({"enum": list(among)}) if among else Field(max_length=MAX_CHARACTERS)]


def constrained(form: type[_Form], case: Case, conclusion: str) -> type[_Form]:
    """A form whose `conclusion` is the given one, or else, where that is empty, one that the case admits.

    A weak model that has argued for D and is asked for the letter in a form often writes the letter of its habit: give
    what its argument states.
    """
    among = (conclusion,) if conclusion else admitted(case)
    return create_model(form.__name__, __base__=form, conclusion=(conclusion_type(among), ...)) if among else form


def request(case: Case) -> str:
    """How a model is asked for the conclusion, in English; nothing where it is a sentence."""
    among = admitted(case)
    if not among:
        return ""
    if case.several:
        some = _SEPARATOR.join(letters(case)[:2])
        return f"The conclusion is the letters of all right options, one or more, such as {among[0]} or {some}."
    what = "label" if case.hypothesis else "letter"
    return f"The conclusion is one {what} only: {', '.join(among)}."


def stating(conclusion: str) -> str:
    """The last line of an argument that states a letter, letters or a label."""
    return f"{_ANSWER.capitalize()}: {conclusion}"


def last_line(case: Case) -> str:
    """What the last line of an argument is to be, in English; nothing for a sentence."""
    among = admitted(case)
    if not among:
        return ""
    if case.several:
        what = f"the letters of all right options, such as {among[0]} or {_SEPARATOR.join(letters(case)[:2])}"
    else:
        what = f"one {'label' if case.hypothesis else 'letter'}: {', '.join(among)}"
    return f'"{stating("")}" and {what}'


def closing(case: Case) -> str:
    """How a model is asked to end its argument, in English, so that `stated` finds it; nothing for a sentence."""
    line = last_line(case)
    return f"End with a last line that is {line}." if line else ""


def line_conclusion(line: str, case: Case) -> str:
    """The conclusion of a last line that was asked for by itself, with or without its "Answer"; empty without one."""
    return stated(line, case) or stated(stating(line.strip()), case)


def stated(argument: str, case: Case) -> str:
    """The conclusion that the last line of a whole argument names behind a colon.

    Stricter than `read`, since nothing forces an argument's form: behind any word a letter, an option's own words or a
    label with nothing else; behind "Answer", as `closing` asks for it, also words behind a letter, and several letters.
    """
    lines = [line for line in unicodedata.normalize("NFKC", argument).splitlines() if line.strip(_MARKS)]
    word, colon, rest = lines[-1].partition(":") if lines else ("", "", "")
    bare = rest.strip(_MARKS)
    if not colon or not _bare(word):
        return ""
    if case.hypothesis:
        return _bare(bare) if _bare(bare) in LABELS else ""
    asked_for = _bare(word).endswith(_ANSWER)
    if case.several and asked_for:
        return _several(bare, case) if _LISTED.fullmatch(bare) else ""
    if found := (_LETTERED if asked_for else _ALONE).fullmatch(bare):
        return read(found[1], case)
    whole = [one for one, option in zip(letters(case), case.options, strict=True) if _bare(option) == _bare(bare)]
    return whole[0] if len(whole) == 1 else ""


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
    if case.several:
        return _several(text, case)
    found = _LETTER.match(text)
    if found and (letter := unicodedata.normalize("NFKC", found[1]).upper()) in among:
        return letter
    plain = _plain(text)
    named = [letter for letter, option in zip(among, case.options, strict=True) if _plain(option) in plain]
    return named[0] if len(named) == 1 else ""


def _several(text: str, case: Case) -> str:
    """The letters that are listed alone, in order; else those of the options whose own words stand in the text."""
    listed = re.split(r"[\s,;/&+]+|\band\b", unicodedata.normalize("NFKC", text).strip(" .()[]"))
    found = {word.upper() for word in listed if word}
    if not found <= set(letters(case)):
        plain = _plain(text)
        found = {one for one, option in zip(letters(case), case.options, strict=True) if _plain(option) in plain}
    return _SEPARATOR.join(sorted(found))


def meaning(conclusion: str, case: Case, language: str) -> str:
    """What a letter or a label stands for, in a language of the phrases; empty for any other conclusion."""
    if case.hypothesis:
        return phrase(f"label_{conclusion}", language) if conclusion in LABELS else ""
    return "; ".join(case.options[place] for place in positions(conclusion)) if conclusion in admitted(case) else ""


def agreed(english: str, local: str, synthesizer: str) -> str:
    """The letter or label that at least two of the three agents came to; empty where there is none."""
    return english if english in (local, synthesizer) else local if local == synthesizer else ""


def named(conclusion: str, means: str) -> str:
    """A conclusion with what it stands for beside it, as it is shown."""
    return f"{conclusion}: {means}" if conclusion and means else conclusion


def lettered(listed: Sequence[str]) -> str:
    """Answer options as they are read, one a line behind its letter."""
    return "\n".join(f"{chr(ord('A') + place)}. {option}" for place, option in enumerate(listed))


def unlettered(text: str, count: int) -> tuple[str, ...]:
    """The options of such lines in another language; none where they are not `count`, or not in order."""
    found = [_LABELLED.match(line) for line in text.splitlines() if line.strip()]
    bare = tuple(match.string[match.end() :].strip() for match in found if match)
    in_order = [match[1].upper() for match in found if match] == [chr(ord("A") + place) for place in range(count)]
    return bare if in_order and len(found) == count and all(bare) else ()


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


def _bare(text: str) -> str:
    return _plain(text).strip(_MARKS)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
