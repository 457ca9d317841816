"""Whether a concept is asserted, denied or forbidden, by its own words and by those around it in the argument.

Reads `negations.toml` and `polarity.toml`. Where in doubt it asserts: a wrong denial would hide an agreement and
invent a contradiction. Knows nothing of models or of what the concepts mean.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from agents.folding import unspaced
from agents.negation import table as negations

Polarity = Literal["present", "absent", "contraindicated"]

_LETTER = "[\\w\u0300-\u036f\u064b-\u065f\u0900-\u0963]"
_CLAUSE = re.compile(r"[.,;:!?()\n\[\]،؛؟。、，；：！？（）।]|\s[-–—]\s")
_REACH, _REACH_UNSPACED = 24, 8  # characters between what denies and what is denied
_LOOSE = " \t-–—:,;.、，。：()（）\"'"


class Judged(NamedTuple):
    """What is said of a concept, and the concept without the words that say it."""

    polarity: Polarity
    core: str


class _Cue(NamedTuple):
    kind: str  # "before", "behind", "anywhere" or "forbidden"
    start: int
    end: int


class _Table(NamedTuple):
    pattern: re.Pattern[str]
    kinds: tuple[str, ...]  # of the pattern's groups

    def cues(self, text: str) -> list[_Cue]:
        """What denies or forbids in a folded text, in its order."""
        found = ((self.kinds[(m.lastindex or 0) - 1], m) for m in self.pattern.finditer(text))
        return [_Cue(kind, m.start(), m.end()) for kind, m in found if kind != "never"]


@cache
def _table(language: str) -> _Table | None:
    own = tomllib.loads(files("agents").joinpath("polarity.toml").read_text("utf-8")).get(language)
    denying = negations(language)
    if own is None or denying is None:
        return None
    kinds = {_plain(text): kind for text, kind in (*_denying(denying, own), *_own(own))}
    # The longest first, and of equals what denies nothing: "cannot exclude" is no denial, "do not give" forbids.
    longest = sorted(kinds, key=lambda text: (-len(text.rstrip("*")), kinds[text] != "never"))
    pattern = re.compile("|".join(f"({_written(text)})" for text in longest))
    return _Table(pattern, tuple(kinds[text] for text in longest))


def _denying(table: Mapping[str, Sequence[str]], own: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """The entries of `negations.toml`, of whose words some forbid, as `polarity.toml` says."""
    forbidding = tuple(text.rstrip("*") for text in own["forbidden"])
    denying = [text for kind in ("words", "parts") for text in table.get(kind, ())]
    denying += [f"{text}*" for text in table.get("beginnings", ())]
    kind = "behind" if own.get("postfix") else "before"
    yield from ((text, "forbidden" if text.startswith(forbidding) else kind) for text in denying)
    yield from ((text, "never") for text in table.get("never", ()))


def _own(table: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    kinds = ("before", "behind", "anywhere", "forbidden", "never")
    return ((text, kind) for kind in kinds for text in table.get(kind, ()))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _written(text: str) -> str:
    """The pattern of an entry: a word with its borders, or letters anywhere in a script without spaces."""
    stem = re.escape(text.rstrip("*"))
    if any(map(unspaced, text)):
        return stem
    return f"(?<!{_LETTER}){stem}{f'{_LETTER}*' if text.endswith('*') else f'(?!{_LETTER})'}"


def judge(name: str, language: str, argument: str = "") -> Judged:
    """What is said of the concept `name`: by its own words, else by the clauses of `argument` in which it stands.

    "No chest indrawing" is `absent` with the core "chest indrawing"; so is "chest indrawing" where the argument has it
    only as "no chest indrawing". In a language without a table everything is `present`.
    """
    table = _table(language.split("-")[0])
    if table is None:
        return Judged("present", name)
    composed = unicodedata.normalize("NFKC", name)
    plain = composed.casefold()
    cues = [cue for cue in table.cues(plain) if _in_place(cue, plain)]
    core = _without(composed if len(composed) == len(plain) else plain, cues)
    if not cues or not _lettered(core):
        return Judged(mentioned(name, argument, language) or "present", name)
    return Judged(_verdict(cues), core)


def mentioned(name: str, text: str, language: str) -> Polarity | None:
    """What `text` says of a name wherever it stands there: `present` where one place asserts it, None without any."""
    table, plain, folded = _table(language.split("-")[0]), _plain(name), _plain(text)
    places = [(found.start(), found.end()) for found in re.finditer(_written(plain), folded)]
    said = [_said(folded, start, end, table) if table else "present" for start, end in places]
    if not said or "present" in said:
        return "present" if said else None
    return "contraindicated" if "contraindicated" in said else "absent"


def _in_place(cue: _Cue, name: str) -> bool:
    """Whether a cue stands where it denies the whole concept and not a part of it."""
    first, last = not _lettered(name[: cue.start]), not _lettered(name[cue.end :])
    places = {"before": first, "behind": last, "anywhere": True, "forbidden": first or last}
    return places[cue.kind]


def _verdict(cues: Sequence[_Cue]) -> Polarity:
    return "contraindicated" if any(cue.kind == "forbidden" for cue in cues) else "absent"


def _lettered(text: str) -> bool:
    return any(c.isalpha() for c in text)


def _without(text: str, cues: Sequence[_Cue]) -> str:
    for cue in reversed(cues):
        text = f"{text[: cue.start]} {text[cue.end :]}"
    return " ".join(text.split()).strip(_LOOSE)


def _said(argument: str, start: int, end: int, table: _Table) -> Polarity:
    breaks = [m.end() for m in _CLAUSE.finditer(argument, 0, start)]
    begin = breaks[-1] if breaks else 0
    after = _CLAUSE.search(argument, end)
    clause = argument[begin : after.start() if after else len(argument)]
    cues = [cue for cue in table.cues(clause) if _reaches(cue, start - begin, end - begin, clause)]
    return _verdict(cues) if cues else "present"


def _reaches(cue: _Cue, start: int, end: int, clause: str) -> bool:
    """Whether a cue of a clause denies the concept that stands there from `start` to `end`."""
    reach = _REACH_UNSPACED if unspaced(clause[start]) else _REACH
    if cue.end <= start:
        return cue.kind != "behind" and start - cue.end <= reach
    return cue.kind in ("behind", "forbidden") and 0 <= cue.start - end <= reach
