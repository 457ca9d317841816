"""HTML to Markdown text: headings, lists and tables stay, everything that is not shown to a reader goes.

It fetches nothing and knows nothing of packs or sections.
"""

import re

from bs4 import BeautifulSoup, Tag
from bs4.dammit import EncodingDetector
from markdownify import MarkdownConverter

from knowledge.errors import DocumentUnsupported

_UNSEEN = (
    *("head", "title", "script", "style", "template", "noscript", "svg", "math", "iframe", "object", "embed", "canvas"),
    *("audio", "video", "map", "form", "button", "input", "select", "textarea", "dialog", "nav"),
)
# Their text stays; the marks that Markdown has for them would stand in a citation.
_PLAIN = ["a", "img", "b", "strong", "i", "em", "u", "del", "s", "ins", "mark", "code", "kbd", "samp", "q", "small"]
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|(?:font-size|opacity)\s*:\s*0(?![.\d])")
# Browsers take these names for Windows' supersets, and so do the programs that write them.
_AS_BROWSERS_READ = {"iso-8859-1": "cp1252", "us-ascii": "cp1252", "shift_jis": "cp932", "gb2312": "gb18030"}
_RAISED = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_LOWERED = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")


def decoded(raw: bytes, file: str) -> str:
    """The text of an HTML file in the encoding that it declares, UTF-8 where it declares none.

    Raises DocumentUnsupported rather than guess: a wrong guess gives wrong letters that nobody notices.
    """
    content, marked = EncodingDetector.strip_byte_order_mark(raw)
    named = (marked or EncodingDetector.find_declared_encoding(content, is_html=True) or "utf-8").lower()
    try:
        return content.decode(_AS_BROWSERS_READ.get(named, named))
    except (LookupError, UnicodeError) as error:
        raise DocumentUnsupported(file, f"its text is not in {named}, so save it as UTF-8") from error


def markdown_of_html(html: str) -> str:
    """What a reader of the page sees, as Markdown; a title that no heading repeats becomes the first heading."""
    soup = BeautifulSoup(html, "html.parser")
    title = " ".join(soup.title.get_text().split()) if soup.title else ""
    _drop_unseen(soup)
    for tag in soup.find_all(["sup", "sub"]):
        tag.replace_with(_shifted(tag))
    text = MarkdownConverter(
        heading_style="ATX",
        bullets="-",
        strip=_PLAIN,
        escape_asterisks=False,
        escape_underscores=False,
        table_infer_header=True,
    ).convert_soup(soup)
    text = re.sub(r"[ \t]+\n", "\n", text)
    text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
    has_heading = soup.find(["h1", "h2", "h3", "h4", "h5", "h6"]) is not None
    return text if has_heading or not title else f"# {title}\n\n{text}"


def _drop_unseen(soup: BeautifulSoup) -> None:
    for tag in soup.find_all(_UNSEEN):
        tag.decompose()
    for tag in soup.find_all(_is_hidden):
        tag.decompose()


def _is_hidden(tag: Tag) -> bool:
    style = str(tag.get("style") or "").lower()
    return tag.has_attr("hidden") or tag.get("aria-hidden") == "true" or bool(_HIDING.search(style))


def _shifted(tag: Tag) -> str:
    """10<sup>9</sup> must not become 109."""
    text = tag.get_text().strip()
    table = _RAISED if tag.name == "sup" else _LOWERED
    shifted = text.translate(table)
    if all(ord(character) in table.values() or ord(character) > 0x7F for character in shifted):
        return shifted
    return f"^{text}" if tag.name == "sup" else f"_{text}"
