"""Word files (.docx) to Markdown text: headings, lists, tables and notes stay; pictures, comments and layout go.

What Word shows to nobody (hidden text) goes too, and is told. It knows nothing of packs or sections.
"""

import html
import re
from collections.abc import Iterator
from io import BytesIO
from xml.etree import ElementTree
from zipfile import BadZipFile, ZipFile

import mammoth

from knowledge.errors import DocumentUnsupported
from knowledge.hypertext import markdown_of_html
from knowledge.untrusted import neutralise

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLD = "it is in Word's old format (.doc), so save it as .docx or PDF"
_BODY = "word/document.xml"
_PROPERTIES = "docProps/core.xml"
_MAX_PARTS = 10_000
_MAX_UNPACKED = 200 * 1024 * 1024
_TITLE = re.compile(r"<dc:title[^<>]*>([^<]{1,1000})</dc:title>")
_STYLES = "word/styles.xml"
_READ = (_BODY, "word/footnotes.xml", "word/endnotes.xml")
_FEW = 20
_TOLD = 60  # characters of a hidden text that are told
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_OFF = ("0", "false", "off")
_ENTITIES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


def markdown_of_word(raw: bytes, file: str) -> tuple[str, tuple[str, ...]]:
    """The document's text as Markdown, and the hidden texts that were left out of it.

    Its title property becomes the first heading where it has no other. Raises DocumentUnsupported where it is
    protected, damaged, or packed to harm.
    """
    title = _checked(raw, file)
    shown, hidden = _without_hidden(raw)
    body = mammoth.convert_to_html(BytesIO(shown), convert_image=lambda image: []).value
    page = f"<html><head><title>{html.escape(title)}</title></head><body>{body}</body></html>"
    return markdown_of_html(page), hidden


def _without_hidden(raw: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The file without the runs of text that Word does not show, and their texts."""
    with ZipFile(BytesIO(raw)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if not any(b"vanish" in parts.get(name, b"") for name in (*_READ, _STYLES)):
        return raw, ()
    styles, hidden = _hiding_styles(parts.get(_STYLES, b"")), dict[str, None]()
    for name in _READ:
        if name in parts:
            tree = ElementTree.fromstring(parts[name])
            hidden.update(dict.fromkeys(_drop_hidden(tree, styles)))
            parts[name] = ElementTree.tostring(tree, "utf-8", xml_declaration=True)
    shown = BytesIO()
    with ZipFile(shown, "w") as rewritten:
        for name, content in parts.items():
            rewritten.writestr(name, content)
    return shown.getvalue(), tuple(hidden)[:_FEW]


def _hiding_styles(styles: bytes) -> frozenset[str]:
    """The names of styles whose text is hidden."""
    found = ElementTree.fromstring(styles).iter(f"{_W}style") if styles else ()
    return frozenset(style.get(f"{_W}styleId", "") for style in found if _vanishes(style))


def _drop_hidden(tree: ElementTree.Element, styles: frozenset[str]) -> Iterator[str]:
    for parent in list(tree.iter()):
        for run in parent.findall(f"{_W}r"):
            named = [style.get(f"{_W}val") for tag in ("r", "p") for style in _styles_of(run, parent, tag)]
            if _vanishes(run) or styles.intersection(filter(None, named)):
                parent.remove(run)
                text = neutralise("".join(part.text or "" for part in run.iter(f"{_W}t"))).text
                if told := " ".join(text.split())[:_TOLD]:
                    yield told


def _styles_of(run: ElementTree.Element, parent: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    """The style that a run (`r`) has itself, or that its paragraph (`p`) gives it."""
    return (run if kind == "r" else parent).findall(f"{_W}{kind}Pr/{_W}{kind}Style")


def _vanishes(element: ElementTree.Element) -> bool:
    marks = element.findall(f"{_W}rPr/{_W}vanish")
    return any(mark.get(f"{_W}val") not in _OFF for mark in marks)


def _checked(raw: bytes, file: str) -> str:
    """The title in the document's properties, after a look at what unpacking it would do."""
    if raw.startswith(_OLE):
        protected = "EncryptedPackage".encode("utf-16-le") in raw
        reason = "it is protected with a password, so save a copy without one" if protected else _OLD
        raise DocumentUnsupported(file, reason)
    try:
        with ZipFile(BytesIO(raw)) as archive:
            _check_parts(archive, file)
            named = archive.read(_PROPERTIES).decode("utf-8", "replace") if _PROPERTIES in archive.namelist() else ""
    except BadZipFile as error:
        raise DocumentUnsupported(file, "it is damaged, so save it anew from Word") from error
    found = _TITLE.search(named)
    return html.unescape(found[1]).strip() if found else ""


def _check_parts(archive: ZipFile, file: str) -> None:
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > _MAX_PARTS or unpacked > _MAX_UNPACKED:
        reason = f"it unpacks to {unpacked // 1024**2} MB in {len(parts)} parts, so save it anew with smaller pictures"
        raise DocumentUnsupported(file, reason)
    if any(part.flag_bits & 1 for part in parts):
        raise DocumentUnsupported(file, "it is protected with a password, so save a copy without one")
    if _BODY not in archive.namelist():
        raise DocumentUnsupported(file, "it is not a Word document, so save it anew from Word")
    for part in parts:
        if part.filename.endswith((".xml", ".rels")) and any(mark in archive.read(part) for mark in _ENTITIES):
            reason = "it declares XML entities, which Word never writes, so save it anew from Word"
            raise DocumentUnsupported(file, reason)
