"""A consultation to take away: JSON lines that prove themselves, and a page to read and print.

The lines hold the hashed text of every event as it stands in the file, and the way from the last hash to the signed
root, so `check_export.py` needs no more than them and the public key. Knows nothing of who may export.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from transcripts import audit, chain
from transcripts.consultation import Verified
from transcripts.database import Session
from transcripts.event import Event, EventKind
from transcripts.merkle import path
from transcripts.seal import stored_heads
from transcripts.show import playback

FORMAT = 1

_RIGHT_TO_LEFT = ("ar", "fa", "he", "ur")

_PROOF = """
    SELECT number, content, signature FROM checkpoints
    WHERE number = (SELECT max(checkpoint) FROM signed_heads WHERE consultation = ?1)
"""


def json_lines(read: Session, consultation: str) -> Iterator[str]:
    """The lines of an export: what it is, every event with its hash, and the signature where there is one.

    Raises TranscriptMissing, and TranscriptAltered for a consultation that cannot be read.
    """
    started, schema, _, _ = audit.consultation(read, consultation)
    about = {"coreasoner_transcript": FORMAT, "consultation": consultation, "started": started, "schema": schema}
    yield json.dumps(about)
    for hash_, text in chain.contents(read.stream(audit.EVENTS, (consultation,))):
        yield f'{{"hash":"{hash_}","event":{text}}}'
    if audit.is_signed(read):
        yield from _proof(read, consultation)


def check_script() -> str:
    """The program that checks an export without this product."""
    return resources.files("transcripts").joinpath("check_export.py").read_text("utf-8")


def page(events: Iterable[Event], verified: Verified, taken_out: Mapping[str, int] | None = None) -> str:
    """The consultation as one HTML page that needs no other file. Raises TranscriptAltered.

    `taken_out` is given for a redacted one: how many things of which kind.
    """
    read = tuple(events)
    case = next((event.body for event in read if event.kind is EventKind.CASE), {})
    template = resources.files("transcripts").joinpath("transcript.html").read_text("utf-8")
    # Everything on the page comes from people, models and guidelines.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        consultation=read[0].consultation if read else "",
        began=read[0].time if read else None,
        language=str(case.get("language") or ""),
        lines=list(playback(read)),
        events=read,
        verified=verified,
        taken_out=taken_out,
        rtl=case.get("language") in _RIGHT_TO_LEFT,
    )


def write(folder: Path, name: str, lines: Iterable[str]) -> Path:
    """Write the lines to a new file that only its owner may read; raises OSError, FileExistsError included."""
    file = folder / name
    with open(file, "x", encoding="utf-8", newline="\n", opener=_private) as opened:
        opened.writelines(f"{line}\n" for line in lines)
    return file


def _private(file: str, flags: int) -> int:
    return os.open(file, flags, 0o600)


def _proof(read: Session, consultation: str) -> Iterator[str]:
    for number, content, signature in read.execute(_PROOF, (consultation,)):
        heads = tuple(stored_heads(read, number))
        index = next(place for place, head in enumerate(heads) if head.consultation == consultation)
        steps = json.dumps(path([head.leaf() for head in heads], index))
        leaf = heads[index].leaf().decode()
        yield f'{{"signature":"{signature}","path":{steps},"head":{leaf},"checkpoint":{content}}}'
