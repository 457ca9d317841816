"""What is taken away proves itself: the lines by the program that ships with them, the page without any other file."""

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from transcripts.event import EventKind
from transcripts.export import check_script, page, write
from transcripts.keys import KeyRing
from transcripts.seal import Seal
from transcripts.store import TranscriptStore

SPOKEN = 'ألم في الصدر 🫀 <script>alert("x")</script> \u2028 \x1b[2J 1e20'


@pytest.fixture
def exported(signed: TranscriptStore, ring: KeyRing, tmp_path: Path) -> Path:
    """An export beside the program and the keys that check it."""
    names = []
    for _ in range(3):
        recorder = signed.begin()
        names.append(recorder.consultation_id)
        recorder.record(EventKind.CASE, {"text": SPOKEN, "language": "ar", "scores": [1e20, 0.1, 3.0]})
        with recorder.stream("local clinician") as stream:
            stream.add("فكر")
        recorder.record(EventKind.ANSWER, {"text": "5 mg"})
        recorder.finish()
    for name in names:
        signed.annotate(name, EventKind.VIEWED, {"by": "auditor"})
    signed.sign()
    write(tmp_path, "check.py", [check_script()])
    return write(tmp_path, "export.jsonl", signed.export(names[1]))


def check(file: Path, keys: Path) -> subprocess.CompletedProcess[str]:
    """Run the program as another hospital would: in no environment of ours, but for its one package."""
    script = file.with_name("check.py")
    return subprocess.run(
        [sys.executable, str(script), str(file), str(keys)], cwd=file.parent, capture_output=True, text=True
    )


def test_an_untouched_export_is_proved_without_the_product(exported: Path, ring: KeyRing) -> None:
    checked = check(exported, ring.public_file)

    assert checked.stdout.startswith("UNALTERED: 5 events, signed at 20"), checked.stderr
    assert checked.returncode == 0


def test_every_line_is_json_and_holds_the_whole_event(exported: Path) -> None:
    about, *events, proof = [json.loads(line) for line in exported.read_bytes().splitlines()]

    assert about["coreasoner_transcript"] == 1
    assert [line["event"]["kind"] for line in events] == ["case", "stream", "answer", "finished", "viewed"]
    assert events[0]["event"]["body"]["text"] == SPOKEN
    assert proof["head"]["head"] == events[-1]["hash"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"5 mg", b"9 mg", "event 2 of"),
        ("فكر".encode(), "فكز".encode(), "event 1 of"),
        (b'"started":"20', b'"started":"21', "event 1 of|event 0 of"),
        (b'"path":[["', b'"path":[["x', "another consultation|last line"),
        (b'"signature":"ed25519:', b'"signature":"ed25519:0', "no signature"),
        (b'"number":', b'"number":1', "not over this checkpoint"),
    ],
)
def test_an_altered_export_is_found_and_named(exported: Path, ring: KeyRing, old: bytes, new: bytes, told: str) -> None:
    content = exported.read_bytes()
    assert old in content
    exported.write_bytes(content.replace(old, new))

    checked = check(exported, ring.public_file)

    assert checked.returncode == 1
    assert checked.stderr.startswith("ALTERED: ")
    assert any(part in checked.stderr for part in told.split("|"))


@pytest.mark.parametrize(("gone", "told"), [(1, "event 0 of"), (3, "event 2 of"), (5, "5 events are signed"), (6, "")])
def test_a_line_taken_out_is_missed(exported: Path, ring: KeyRing, gone: int, told: str) -> None:
    lines = exported.read_bytes().splitlines(keepends=True)
    exported.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))

    checked = check(exported, ring.public_file)

    assert checked.returncode == 1
    assert f"ALTERED: {told}" in checked.stderr


def test_an_export_signed_by_someone_else_is_refused(exported: Path, tmp_path: Path) -> None:
    other = KeyRing(tmp_path / "other")
    assert other.signing

    assert check(exported, other.public_file).stderr.startswith("UNKNOWN: ")


def test_a_consultation_alone_in_its_checkpoint_is_proved_too(path: Path, ring: KeyRing, tmp_path: Path) -> None:
    with TranscriptStore.open(path, seal=Seal(ring)) as store:
        with store.begin() as recorder:
            recorder.record(EventKind.CASE, {"text": "fever"})
        write(tmp_path, "check.py", [check_script()])
        file = write(tmp_path, "export.jsonl", store.export(recorder.consultation_id))

    assert check(file, ring.public_file).returncode == 0


def test_an_export_is_private_and_never_overwrites(exported: Path) -> None:
    assert exported.stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):
        write(exported.parent, exported.name, ["something else"])


class Page(HTMLParser):
    """The text, the elements and the attributes of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text = ""
        self.elements: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= dict(attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_what_was_said_as_text_and_needs_no_other_file(signed: TranscriptStore) -> None:
    with signed.begin() as recorder:
        recorder.record(EventKind.CASE, {"text": SPOKEN, "language": "ar"})
    name = recorder.consultation_id

    source = page(signed.events(name), signed.verify(name))
    shown = Page(source)

    assert SPOKEN.replace("\x1b", "␛") in shown.text
    assert "2 of them signed" in " ".join(shown.text.split())
    assert not {"script", "img", "link", "iframe"} & set(shown.elements)
    assert '<html lang="ar" dir="rtl">' in source
    assert source.count('dir="auto"') == 2
    assert not {"src", "href"} & set(shown.attributes)
