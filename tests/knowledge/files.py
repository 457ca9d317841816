"""PDF and Word files for tests, written by hand, so that the product's parsers meet nothing of their own making."""

import zipfile
import zlib
from collections.abc import Collection, Mapping, Sequence
from io import BytesIO

_A4 = (595, 842)
Print = tuple[float, float, float, str]  # x, y, size, text in Latin letters
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_TYPES = (
    f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/'
    'vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
_RELATIONS = (
    f'{_HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
    ' Target="word/document.xml"/></Relationships>'
)


def pdf(
    pages: Sequence[Sequence[Print]],
    *,
    outline: Sequence[tuple[str, int]] = (),
    title: str = "",
    rotate: int = 0,
    inkless: Collection[str] = (),
) -> bytes:
    """A PDF in Helvetica on A4; `outline` has titles and the pages, from 0, that they lead to. `inkless` texts are
    there and not drawn.

    Where the page has to be turned by `rotate` degrees to be read, the text is set so that it then stands upright.
    """
    objects: dict[int, str] = {3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"}
    kids = []
    for number, page in enumerate(pages):
        own = 10 + 2 * number
        kids.append(f"{own} 0 R")
        content = "\n".join(
            f"BT {'3 Tr ' if text in inkless else ''}/F1 {size} Tf {_placed(rotate, x, y)} Tm ({_escaped(text)}) Tj ET"
            for x, y, size, text in page
        )
        objects[own] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Rotate {rotate} "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {own + 1} 0 R >>"
        )
        objects[own + 1] = f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"
    objects[2] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    objects[1] = f"<< /Type /Catalog /Pages 2 0 R {'/Outlines 4 0 R' if outline else ''} >>"
    objects[5] = f"<< /Title ({_escaped(title)}) >>"
    first = 10 + 2 * len(pages)
    if outline:
        objects[4] = f"<< /Type /Outlines /First {first} 0 R /Last {first + len(outline) - 1} 0 R >>"
    for number, (name, page_number) in enumerate(outline, first):
        following = f"/Next {number + 1} 0 R" if number < first + len(outline) - 1 else ""
        objects[number] = (
            f"<< /Title ({_escaped(name)}) /Parent 4 0 R /Dest [{10 + 2 * page_number} 0 R /Fit] {following} >>"
        )
    return _file(objects)


def pdf_of_content(content: bytes) -> bytes:
    """A PDF of one page that is drawn by these operators, packed."""
    packed = zlib.compress(content)
    return _file(
        {
            1: "<< /Type /Catalog /Pages 2 0 R >>",
            2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
            4: f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n{packed.decode('latin-1')}\nendstream",
            5: "<< >>",
        }
    )


def _placed(rotate: int, x: float, y: float) -> str:
    """The matrix that puts text at (x, y) as the page is seen once it is turned."""
    width, height = _A4
    return {
        0: f"1 0 0 1 {x} {y}",
        90: f"0 1 -1 0 {width - y} {x}",
        180: f"-1 0 0 -1 {width - x} {height - y}",
        270: f"0 -1 1 0 {y} {height - x}",
    }[rotate]


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _file(objects: Mapping[int, str]) -> bytes:
    written = bytearray(b"%PDF-1.4\n")
    offsets = {}
    for number in sorted(objects):
        offsets[number] = len(written)
        written += f"{number} 0 obj\n{objects[number]}\nendobj\n".encode("latin-1")
    start, size = len(written), max(objects) + 1
    written += f"xref\n0 {size}\n0000000000 65535 f \n".encode()
    for number in range(1, size):
        written += f"{offsets[number]:010} 00000 n \n".encode() if number in offsets else b"0000000000 65535 f \n"
    written += f"trailer << /Size {size} /Root 1 0 R /Info 5 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(written)


def prose(x: float, y: float, lines: Sequence[str], *, size: float = 10, leading: float = 12) -> list[Print]:
    """Lines one under the other, from `y` downwards."""
    return [(x, y - leading * number, size, line) for number, line in enumerate(lines)]


def word(body: str, *, title: str = "", parts: Mapping[str, bytes] | None = None) -> bytes:
    """A Word file; `body` is the XML inside w:body, and `parts` are added or put in the place of others."""
    core = (
        f'{_HEAD}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></cp:coreProperties>'
    )
    document = f"{_HEAD}<w:document {_W}><w:body>{body}</w:body></w:document>"
    contents = {
        "[Content_Types].xml": _TYPES.encode(),
        "_rels/.rels": _RELATIONS.encode(),
        "word/document.xml": document.encode(),
        "docProps/core.xml": core.encode(),
        **(parts or {}),
    }
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return packed.getvalue()


def paragraph(text: str, *, style: str = "", run: str = "") -> str:
    """A paragraph of Word's XML, in a style and with properties of its run."""
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{properties}<w:r><w:rPr>{run}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table of Word's XML."""
    cells = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"
