"""Word files (.docx) to Markdown text: headings, lists, tables and notes stay; pictures, comments and layout go.

It knows nothing of packs or sections.
"""

import html
import re
from io import BytesIO
from zipfile import BadZipFile, ZipFile

import mammoth

from knowledge.errors import DocumentUnsupported
from knowledge.hypertext import markdown_of_html

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLD = "it is in Word's old format (.doc), so save it as .docx or PDF"
_BODY = "word/document.xml"
_PROPERTIES = "docProps/core.xml"
_MAX_PARTS = 10_000
_MAX_UNPACKED = 200 * 1024 * 1024
_TITLE = re.compile(r"<dc:title[^<>]*>([^<]{1,1000})</dc:title>")
_ENTITIES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


def markdown_of_word(raw: bytes, file: str) -> str:
    """The document's text as Markdown; its title property becomes the first heading where it has no other.

    Raises DocumentUnsupported where it is protected, damaged, or packed to harm.
    """
    title = _checked(raw, file)
    body = mammoth.convert_to_html(BytesIO(raw), convert_image=lambda image: []).value
    return markdown_of_html(f"<html><head><title>{html.escape(title)}</title></head><body>{body}</body></html>")


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
