"""What the reading of documents survives: thousands of files that were spoiled, one after the other.

`python -m evaluation.hostile_documents --count 2000 --data FOLDER` spoils the PDF and Word files below FOLDER at
random, the same way every time, and prints how each kind ended and how long the slowest took. Knows nothing of text.
"""

import argparse
import random
import re
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from io import BytesIO
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict

from knowledge.errors import DocumentUnsupported
from knowledge.extractor import Extractor
from knowledge.protocol import Limits

_SUFFIXES = (".pdf", ".docx")
_SAID = re.compile(r"\d[\d.]*|\(.*?\)")


class Survived(BaseModel):
    """How a run of spoiled files went: endings with their counts, seconds and bytes at most, and reader processes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int
    endings: dict[str, int]
    slowest_s: float
    seconds: float
    parent_growth_bytes: int


def spoiled(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    """The file with one thing wrong: bytes changed, its end missing, parts swapped, repeated, or from another file."""
    changed = bytearray(content)
    a, b = sorted(chance.randrange(len(changed)) for _ in range(2))
    kind = chance.randrange(6)
    if kind == 0:
        for _ in range(chance.choice((1, 8, 64, 512))):
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    elif kind == 1:
        del changed[a:]
    elif kind == 2:
        middle = (a + b) // 2
        changed[a:b] = changed[middle:b] + changed[a:middle]
    elif kind == 3:
        changed[b:b] = changed[a:b] * chance.randrange(1, 4)
    elif kind == 4:
        start = chance.randrange(len(donor))
        changed[a:b] = donor[start : start + b - a]
    else:
        _change_numbers(changed, chance)
    return bytes(changed)


def _change_numbers(content: bytearray, chance: random.Random) -> None:
    """Lengths, counts and references in plain sight become absurd ones of as many digits."""
    numbers = [match.span() for match in re.finditer(rb"\d+", content)]
    for start, end in chance.sample(numbers, min(len(numbers), 20)):
        content[start:end] = chance.choice((b"9" * (end - start), b"0" * (end - start), b"1".rjust(end - start, b"0")))


def spoiled_inside(content: bytes, donor: bytes, chance: random.Random) -> bytes:
    """A Word file that still unpacks, with one of its parts spoiled, swapped with another, or missing."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    target, other = chance.choice(list(parts)), chance.choice(list(parts))
    kind = chance.randrange(4)
    if kind == 0:
        parts[target], parts[other] = parts[other], parts[target]
    elif kind == 1:
        del parts[target]
    else:
        parts[target] = spoiled(parts[target] or b" ", donor, chance)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


def survive(originals: Sequence[Path], count: int, limits: Limits | None = None) -> Survived:
    """Read `count` spoiled files; raises whatever the reader lets through, which is what it must never do."""
    chance, endings, slowest = random.Random(7), Counter[str](), 0.0
    contents = {path: path.read_bytes() for path in sorted(originals)}
    paths, began = list(contents), time.perf_counter()
    before = psutil.Process().memory_info().rss
    with tempfile.TemporaryDirectory() as folder, closing(Extractor(limits)) as extractor:
        for number in range(count):
            path = paths[number % len(paths)]
            inside = path.suffix == ".docx" and chance.random() < 0.7
            content = (spoiled_inside if inside else spoiled)(contents[path], contents[chance.choice(paths)], chance)
            file = Path(folder) / f"{number}{path.suffix}"
            file.write_bytes(content)
            start = time.perf_counter()
            endings[f"{path.suffix}: {_ending(extractor, file)}"] += 1
            slowest = max(slowest, time.perf_counter() - start)
            file.unlink()
    return Survived(
        count=count,
        endings=dict(endings.most_common()),
        slowest_s=slowest,
        seconds=time.perf_counter() - began,
        parent_growth_bytes=psutil.Process().memory_info().rss - before,
    )


def _ending(extractor: Extractor, file: Path) -> str:
    try:
        extractor.extract(file, file.name)
    except DocumentUnsupported as error:
        return _SAID.sub("…", error.reason)
    return "read"


def originals_below(folder: Path) -> list[Path]:
    """The PDF and Word files below a folder."""
    return [path for path in folder.rglob("*") if path.suffix in _SUFFIXES]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder with sound PDF and Word files")
    parser.add_argument("--count", type=int, default=2000)
    given = parser.parse_args(arguments)
    survived = survive(originals_below(given.data), given.count)
    print(
        f"{survived.count} spoiled files in {survived.seconds:.0f} s, the slowest {survived.slowest_s:.1f} s; "
        f"this process grew by {survived.parent_growth_bytes / 1e6:.0f} MB"
    )
    for ending, count in survived.endings.items():
        print(f"{count:6}  {ending}")


if __name__ == "__main__":
    main()
