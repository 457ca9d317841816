"""Which language a case is in: by its script, by lingua and the words that tell, or the clinician is asked.

Where no language is clearly likelier than the local one, it is the local one. Knows nothing of translation.
"""

import math
from collections.abc import Sequence
from typing import Literal

from lingua import IsoCode639_1, Language, LanguageDetector

from agents.errors import LanguageUnclear
from agents.languages import detector, languages
from agents.messages import Identification
from agents.telling import han_hits, hits, rivals, romanised_hits, romanised_kinds, scripts, telling, words

LATIN = "LATIN"
_WORD_WEIGHT = math.log(6)  # how much likelier a language becomes by each of its words
_FLOOR = 1e-3  # what lingua finds less likely than this is not impossible
_TIE = 0.3  # how much likelier a language must be than the local one
_UNSURE = 0.5  # what is not likelier than this is asked
_RIVAL_WORDS = 2  # words that a text in such a language must have at least
_RIVAL = 0.9  # from here on a language that the product does not speak is believed
_MIXED = 0.15  # share of letters from which another script decides, where no Latin words speak against it
_ROMANISED = 0.3  # share of the words that must belong to the romanised language

_UNCLEAR = "The language of the case could not be recognised; choose it and ask again."
_By = Literal["settings", "script", "words", "romanised", "nothing"]


def given(code: str) -> Identification:
    """The language that the clinician has chosen."""
    return Identification(language=code, found="given", by="clinician", confidence=1.0)


def identification(text: str, among: Sequence[str], local: str | None = None) -> Identification:
    """The language of a text among the given ones, or the local one where none is clearly likelier.

    Raises LanguageUnclear where there is no local one.
    """
    if len(among) == 1:
        return Identification(language=among[0], found="identified", by="settings", confidence=1.0)
    told = telling(text)
    counted = scripts(told)
    if not counted:
        return _assumed(local, among)
    script = _script(told)
    spoken = [code for code in among if script in languages()[code].scripts]
    if script == LATIN:
        return _latin(told, among, local)
    if not spoken:
        return _assumed(local, among)
    if len(spoken) > 1:
        return _han(told, spoken, local)
    _refuse_rivals(told, script, spoken[0], local)
    return _found(spoken[0], "script", 1 - counted[LATIN] / counted.total())


def _script(told: str) -> str:
    """The script that decides: the commonest but Latin, unless that is rare beside English or other Latin words."""
    counted = scripts(told)
    other = counted.total() - counted[LATIN]
    share = other / counted.total()
    if share < _MIXED or (share < _UNSURE and max(hits(words(told)).values(), default=0) > 1):
        return LATIN
    del counted[LATIN]
    kana = counted["HIRAGANA"] + counted["KATAKANA"]
    counted["CJK"] += kana
    script = max(counted, key=lambda script: counted[script])
    return "HIRAGANA" if script == "CJK" and kana > han_hits(told)["zh"] else script


def _han(told: str, spoken: Sequence[str], local: str | None) -> Identification:
    """Chinese or Japanese without kana: by the characters that only one of them uses."""
    found = han_hits(told)
    # Where both are the same: commas as Japanese sets them, else the language that is written in Han alone.
    comma = "ja" if "、" in told and "，" not in told else "zh"
    weights = {code: 2.0 * found[code] + 0.5 * (code == comma) for code in spoken}
    return _decided(_shares(weights), local, "script")


def _latin(told: str, among: Sequence[str], local: str | None) -> Identification:
    listed = words(told)
    known, typed = hits(listed), romanised_hits(listed)
    romanised = max((code for code in typed if code in among), key=lambda code: typed[code], default="")
    if _is_romanised(listed, romanised, typed[romanised], max(known.values(), default=0)):
        return _found(romanised, "romanised", min(1.0, typed[romanised] / len(listed)))
    spoken = [code for code in among if LATIN in languages()[code].scripts]
    if not spoken:
        return _assumed(local, among)
    likely = _likely(told, (*spoken, *rivals(LATIN)))
    strongest = max(likely, key=lambda code: likely[code])
    if (
        strongest not in spoken
        and likely[strongest] > _RIVAL
        and len(listed) >= _RIVAL_WORDS
        and not any(known.values())
    ):
        raise LanguageUnclear(_strange(strongest))
    own = {code: math.log(max(likely[code], _FLOOR)) + _WORD_WEIGHT * known[code] for code in spoken}
    return _decided(_shares(own), local, "words")


def _is_romanised(listed: Sequence[str], code: str, typed: int, known: int) -> bool:
    return romanised_kinds(tuple(listed), code) > 1 and typed >= _ROMANISED * len(listed) and typed > 1.5 * known


def _refuse_rivals(told: str, script: str, code: str, local: str | None) -> None:
    others = rivals(script)
    if not others or code == local:
        return
    likely = _likely(told, (code, *others))
    strongest = max(others, key=lambda other: likely[other])
    if likely[strongest] > _RIVAL:
        raise LanguageUnclear(_strange(strongest))


def _decided(shares: dict[str, float], local: str | None, by: _By) -> Identification:
    """The likeliest language, or the local one where that is not clearly likelier. Raises LanguageUnclear."""
    ranked = sorted(shares, key=lambda code: -shares[code])
    best, second = ranked[0], ranked[1] if len(ranked) > 1 else None
    if local is not None and local in shares and best != local and shares[best] - shares[local] < _TIE:
        return _found(local, by, shares[local], best, shares[best])
    if shares[best] < _UNSURE:
        raise LanguageUnclear(_UNCLEAR)
    return _found(best, by, shares[best], second, shares[second] if second else 0.0)


def _found(code: str, by: _By, share: float, second: str | None = None, next_share: float = 0.0) -> Identification:
    return Identification(
        language=code,
        found="assumed" if next_share > share else "identified",
        by=by,
        confidence=round(share, 3),
        runner_up=second,
        runner_up_confidence=round(next_share, 3),
    )


def _assumed(local: str | None, among: Sequence[str]) -> Identification:
    if local is None or local not in among:
        raise LanguageUnclear(_UNCLEAR)
    return Identification(language=local, found="assumed", by="nothing", confidence=0.0)


def _strange(code: str) -> str:
    name = Language.from_iso_code_639_1(getattr(IsoCode639_1, code.upper())).name.title()
    return f"The case seems to be in {name}, which is not configured; choose its language and ask again."


def _likely(text: str, codes: tuple[str, ...]) -> dict[str, float]:
    if len(codes) == 1:
        return {codes[0]: 1.0}
    found: LanguageDetector = detector(codes)
    values = found.compute_language_confidence_values(text)
    return {value.language.iso_code_639_1.name.lower(): value.value for value in values}


def _shares(logarithms: dict[str, float]) -> dict[str, float]:
    top = max(logarithms.values())
    raised = {code: math.exp(value - top) for code, value in logarithms.items()}
    return {code: value / sum(raised.values()) for code, value in raised.items()}
