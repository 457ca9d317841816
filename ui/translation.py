"""The page's and the terminal's fixed words in the languages that have a file in `translations/`."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

Translation = Mapping[str, str]
DEFAULT = "en"


@cache
def translations() -> dict[str, Translation]:
    """All translations by language code."""
    folder = files("ui").joinpath("translations")
    found = {f.name.removesuffix(".toml"): f for f in folder.iterdir() if f.name.endswith(".toml")}
    return {code: tomllib.loads(found[code].read_text("utf-8")) for code in sorted(found)}


def translation(code: str | None) -> Translation:
    """The words in a language; English where there is no translation."""
    return translations().get(code or DEFAULT, translations()[DEFAULT])


def preferred(accept_language: str) -> str:
    """The best translated language of an HTTP Accept-Language header (RFC 9110, section 12.5.4)."""
    ranked = []
    for position, item in enumerate(accept_language.split(",")):
        name, _, quality = item.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        ranked.append((-weight, position, name.split("-")[0].lower()))
    return next((code for weight, _, code in sorted(ranked) if weight < 0 and code in translations()), DEFAULT)
