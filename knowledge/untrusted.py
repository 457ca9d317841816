"""What is done to text from outside before it is stored or shown to a model.

Guidelines are quoted, never obeyed: characters that hide, markup that acts and tokens that end a chat turn are taken
out, and a quotation stands between delimiters that its text can't contain. It does not judge what the text says.
"""

import re
import unicodedata
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from knowledge.passage import Passage

_PASSES = 8
_RECORDED = 100
_JOINERS = "\u200c\u200d"
# Arabic to Sinhala, Khmer, and the Arabic presentation forms: scripts where a joiner changes how a word is written.
_JOINING = "\u0600-\u08ff\u0900-\u0dff\u1780-\u17ff\ufb50-\ufdff\ufe70-\ufefc"
# Arabic, Syriac and Kaithi number signs are format characters (Cf) that are seen.
_SEEN_FORMAT = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
# Letters and marks without any shape: grapheme joiner, Hangul fillers, Khmer inherent vowels, Mongolian selectors.
_SHAPELESS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")

_INLINE = (
    "a|abbr|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|mark|q|s|samp|small|span|strike|strong|sub|sup|tt|u|"
    "var|wbr"
)
_BLOCK = (
    "address|applet|area|article|aside|audio|base|blink|blockquote|body|br|button|canvas|caption|center|col|colgroup|"
    "data|datalist|dd|details|dialog|dir|div|dl|dt|embed|fieldset|figcaption|figure|footer|form|frame|frameset|"
    "h[1-6]|head|header|hgroup|hr|html|iframe|image|img|input|label|legend|li|link|main|map|marquee|math|menu|meta|"
    "meter|nav|noframes|noscript|object|ol|optgroup|option|output|p|param|picture|plaintext|pre|progress|rp|rt|ruby|"
    "script|search|section|select|slot|source|style|summary|svg|table|tbody|td|template|textarea|tfoot|th|thead|"
    "time|title|tr|track|ul|video|xmp"
)
_BARE = (
    "allowfullscreen|async|autofocus|autoplay|checked|controls|defer|disabled|hidden|inert|loop|multiple|muted|open|"
    "readonly|required|reversed|selected"
)
# Attributes are spelt out so that "age <a threshold and RR > 50" stays: prose has no name=value pairs.
_VALUE = r"""(?:"[^"\ufffd]{0,2000}"|'[^'\ufffd]{0,2000}'|[^\s"'<>=`\ufffd]+)"""
_ATTRIBUTES = rf"(?:(?:\s+|(?<=[\"'])|/)(?:[a-z_:@][\w:.@-]*\s*=\s*{_VALUE}|(?:{_BARE})(?![\w-])))*"
_MARKUP = re.compile(
    rf"<!--(?:[^<\ufffd]|<(?!!--))*?-->|<!doctype[^<>\ufffd]*>|<!\[CDATA\[|<\?[a-z][^<>\ufffd]*\?>"
    r"|<(?P<raw>script|style)\b[^<>\ufffd]*>(?:[^<\ufffd]|<(?!script|style|/script|/style))*?</(?P=raw)\s*>"
    rf"|</?(?P<inline>{_INLINE})(?![\w-]){_ATTRIBUTES}\s*/?>"
    rf"|</?(?:{_BLOCK})(?![\w-]){_ATTRIBUTES}\s*/?>"
    # Chat-template tokens of the ChatML, Llama, Mistral, Gemma, DeepSeek, Phi, Command and gpt-oss families.
    r"|(?P<token><[|｜][^<>|｜\n\ufffd]{1,64}[|｜]>|<\|[a-z_]{1,32}>|<[a-z_]{1,32}\|>"
    r"|</?(?:s|bos|eos|pad|unk|mask|think|thinking|tool_call|tool_response|tools|start_of_turn|end_of_turn|"
    r"start_of_image|end_of_image|unused\d{1,4}|extra_id_\d{1,4})>"
    r"|<</?sys>>|\[/?(?:inst|system_prompt|available_tools|tool_calls|tool_results|tool_content|think|args)\])",
    re.IGNORECASE,
)


class Neutralised(BaseModel):
    """Text in NFC without what was dangerous, and the distinct things that were removed, in order (at most 100)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    removed: tuple[str, ...]


def neutralise(text: str) -> Neutralised:
    """Remove hidden characters, HTML and chat-template tokens; comparisons such as "SpO2 <90%" stay as they are."""
    removed: dict[str, None] = {}
    text = _without_markup(_without_hidden(text, removed), removed)
    return Neutralised(text=unicodedata.normalize("NFC", text), removed=tuple(removed)[:_RECORDED])


def _without_hidden(text: str, removed: dict[str, None]) -> str:
    joined = re.sub(rf"(?<=[{_JOINING}])([{_JOINERS}])(?=[{_JOINING}])|[{_JOINERS}]", lambda m: m[1] or "", text)
    if len(joined) != len(text):
        removed.update(dict.fromkeys(_code_point(c) for c in _JOINERS if text.count(c) != joined.count(c)))
    hidden = sorted(c for c in set(joined) if _is_hidden(c))
    removed.update(dict.fromkeys(map(_code_point, hidden)))
    return joined.translate(dict.fromkeys(map(ord, hidden)))


def _is_hidden(character: str) -> bool:
    if character in "\n\t" or character in _JOINERS or character in _SEEN_FORMAT:
        return False
    variation_selector = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    return unicodedata.category(character) in ("Cc", "Cf", "Cs") or variation_selector or character in _SHAPELESS


def _code_point(character: str) -> str:
    return f"U+{ord(character):04X}"


def _without_markup(text: str, removed: dict[str, None]) -> str:
    def note(match: re.Match[str]) -> str:
        removed[match.group()[:60]] = None
        return "" if match["inline"] or match["token"] else " "

    for _ in range(_PASSES):
        text, found = _MARKUP.subn(note, text)
        if not found:
            return text
    # Nested this deep it is an attack on this very loop. No pattern reaches across U+FFFD, so nothing can rejoin.
    return _MARKUP.sub("\ufffd", text)


def quote(passages: Mapping[int, Passage], delimiter: str) -> str:
    """The passages by number as a quotation for a prompt, between lines that only the caller could have written.

    Every line of a passage is prefixed with `> `, so that its text can't pass for the number of another passage.
    Raises ValueError if the delimiter is guessable (under 12 characters) or stands in a passage.
    """
    if len(delimiter) < 12 or any(delimiter in _quotation(p, n) for n, p in passages.items()):
        raise ValueError("The quotation needs a random delimiter of at least 12 characters that no passage holds.")
    quotations = "\n\n".join(_quotation(p, n) for n, p in passages.items())
    return f"<<{delimiter}\n{quotations}\n{delimiter}>>"


def _quotation(passage: Passage, number: int) -> str:
    source = [passage.document_title, *passage.section]
    origin = ", ".join(filter(None, (passage.publisher, passage.edition, passage.jurisdiction)))
    text = "\n".join(f"> {line}" for line in passage.text.split("\n"))
    return f"[{number}] {' / '.join(source)} ({origin})\n{text}"
