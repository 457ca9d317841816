"""Languages: which one a case is written in, and what the program knows of each.

Identification is lingua's, restricted to the configured languages. Knows nothing of translation.
"""

import tomllib
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from string import Template
from typing import Literal

from lingua import IsoCode639_1, LanguageDetector, LanguageDetectorBuilder
from pydantic import BaseModel, ConfigDict

from agents.errors import UnknownLanguage


class Language(BaseModel):
    """One language: BCP 47 code, names, direction, scripts, default jurisdiction, and how to ask for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: str
    name: str
    native: str
    direction: Literal["ltr", "rtl"]
    scripts: tuple[str, ...]
    jurisdiction: str
    instruction: str


@cache
def languages() -> dict[str, Language]:
    """All languages by code, in the order of the table."""
    raw = tomllib.loads(files("agents").joinpath("languages.toml").read_text("utf-8"))
    return {code: Language.model_validate({"code": code, **entry}) for code, entry in raw.items()}


def language(code: str) -> Language:
    """The language `code` (a region is ignored: `pt-BR` is `pt`). Raises UnknownLanguage."""
    known = languages()
    base = code.strip().lower().replace("_", "-").split("-")[0]
    if base not in known:
        raise UnknownLanguage(f"The language {code!r} is not supported; choose one of {', '.join(known)}.")
    return known[base]


@cache
def _phrases() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("agents").joinpath("phrases.toml").read_text("utf-8"))


def phrase(key: str, code: str, **names: str) -> str:
    """A fixed sentence of the program in a language, with its $names filled in."""
    return Template(_phrases()[code][key]).substitute(names)


@lru_cache(maxsize=8)
def detector(codes: tuple[str, ...]) -> LanguageDetector:
    """lingua, restricted to these languages (ISO 639-1)."""
    iso = [getattr(IsoCode639_1, code.upper()) for code in codes]
    return LanguageDetectorBuilder.from_iso_codes_639_1(*iso).build()


def identify(text: str, among: Sequence[str]) -> str | None:
    """The code of the most likely language of `text` among the given ones; None where there are no words."""
    if len(among) == 1:
        return among[0]
    found = detector(tuple(among)).detect_language_of(text)
    return found.iso_code_639_1.name.lower() if found else None


def confidence(text: str, code: str, among: Sequence[str]) -> float:
    """How likely `text` is in language `code` among the given ones, 0 to 1."""
    if code not in among or len(among) == 1:
        return 1.0 if code in among else 0.0
    iso = getattr(IsoCode639_1, code.upper())
    values = detector(tuple(among)).compute_language_confidence_values(text)
    return next((v.value for v in values if v.language.iso_code_639_1 == iso), 0.0)
