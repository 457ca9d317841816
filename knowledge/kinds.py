"""Which files can be read, by the ends of their names, and what to do with those that can't.

It opens nothing.
"""

from pathlib import PurePath

from knowledge.errors import DocumentUnsupported

MARKDOWN = frozenset({".md", ".markdown"})
PLAIN = frozenset({".txt", ".text"})
HTML = frozenset({".html", ".htm", ".xhtml"})
WORD = frozenset({".docx"})
PDF = frozenset({".pdf"})
_OFFICE = frozenset({".doc", ".dot", ".odt", ".rtf", ".ppt", ".pptx", ".odp", ".xls", ".xlsx", ".ods", ".epub"})
_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".gif", ".bmp", ".webp", ".heic"})


def suffix_of(file: str) -> str:
    """The end of the file's name from the last dot, in small letters."""
    return PurePath(file).suffix.lower()


def check_kind(file: str) -> None:
    """Raise DocumentUnsupported, with the next step, unless files that are named like this can be read."""
    suffix = suffix_of(file)
    if suffix in _OFFICE:
        raise DocumentUnsupported(file, f"{suffix} files can't be read, so save it as PDF or Word (.docx)")
    if suffix in _IMAGES:
        raise DocumentUnsupported(file, "it is an image, so recognise its text (OCR) and add the PDF that this gives")
    if suffix not in MARKDOWN | PLAIN | HTML | WORD | PDF:
        raise DocumentUnsupported(file, "it is none of PDF, Word (.docx), HTML, Markdown (.md) and plain text (.txt)")
