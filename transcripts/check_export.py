"""Check an exported consultation: python check_export.py EXPORT.jsonl record.pub (Python 3.9 and `cryptography`)."""

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

EVENT = re.compile(rb'\{"hash":"(sha256:[0-9a-f]{64})","event":(\{.*\})\}')
PROOF = re.compile(
    rb'\A\{"signature":"ed25519:([0-9a-f]{128})","path":(\[.*\]),"head":(\{.*?\}),"checkpoint":(\{.*\})\}\Z'
)


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        sys.exit(f"ALTERED: {otherwise}")


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def read(line: bytes, which: str) -> "tuple[str, dict[str, Any]]":
    found = EVENT.fullmatch(line)
    if not found or found[1].decode() != sha256(found[2]):
        sys.exit(f"ALTERED: event {which} is not the one that was written")
    return found[1].decode(), json.loads(found[2])


def root(head: bytes, path: "list[list[str]]") -> str:
    node = hashlib.sha256(b"\x00" + head).digest()
    for side, neighbour in path:
        pair = bytes.fromhex(neighbour) + node if side == "left" else node + bytes.fromhex(neighbour)
        node = hashlib.sha256(b"\x01" + pair).digest()
    return "sha256:" + node.hex()


about, *lines, proof = Path(sys.argv[1]).read_bytes().splitlines()
opening = json.loads(about)
name = opening["consultation"]
declared = lines.pop() if opening.get("redacted") and lines else b""
fields = json.dumps({field: opening[field] for field in ("consultation", "schema", "started")}, separators=(",", ":"))
head, events = sha256(fields.encode()), len(lines)
for seq, line in enumerate(lines):
    hash_, event = read(line, f"{seq} of {name}")
    same = (event["consultation"], event["seq"], event["previous"]) == (name, seq, head)
    require(same, f"event {seq} of {name} is not the one that was written")
    head = hash_
if declared:  # these events are another chain, whose end this event of the original chain names
    hash_, event = read(declared, f"that declares what was redacted of {name}")
    said = (event["body"].get("redacted") or {}) if event["kind"] == "exported" else {}
    same = (said.get("events"), said.get("head"), event["consultation"]) == (events, head, name)
    require(same, f"these {events} events are not those that were declared")
    head, events = hash_, event["seq"] + 1
signature, path, ending, text = (PROOF.findall(proof) or sys.exit("ALTERED: the last line is no signature"))[0]
checkpoint, leaf = json.loads(text), json.loads(ending)
signed = leaf == {"consultation": name, "events": events, "head": head}
require(signed, f"{leaf['events']} events are signed, and these {events} are not those")
require(root(ending, json.loads(path)) == checkpoint["root"], "the signature is over another consultation")
try:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(checkpoint["key"][8:]))
    key.verify(bytes.fromhex(signature.decode()), text)
except (InvalidSignature, ValueError):
    sys.exit("ALTERED: the signature is not over this checkpoint")
pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip()
if pem not in Path(sys.argv[2]).read_bytes():
    sys.exit("UNKNOWN: the signature is by a key that the second file does not have")
print(f"{'REDACTED, ' if declared else ''}UNALTERED: {len(lines)} events, signed at {checkpoint['time']}; head {head}")
