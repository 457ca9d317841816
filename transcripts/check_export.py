"""Check an exported consultation without the product that wrote it: python check_export.py EXPORT.jsonl record.pub

Needs Python 3.9 and, for the signature, the package `cryptography`. Says where the first wrong event stands.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

EVENT = re.compile(rb'\{"hash":"(sha256:[0-9a-f]{64})","event":(\{.*\})\}')
PROOF = re.compile(rb'\{"signature":"ed25519:([0-9a-f]{128})","path":(\[.*\]),"head":(\{.*?\}),"checkpoint":(\{.*\})\}')
FIELDS = b'{"consultation":"%b","schema":%d,"started":"%b"}'


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def root(head: bytes, path: "list[list[str]]") -> str:
    node = hashlib.sha256(b"\x00" + head).digest()
    for side, neighbour in path:
        pair = bytes.fromhex(neighbour) + node if side == "left" else node + bytes.fromhex(neighbour)
        node = hashlib.sha256(b"\x01" + pair).digest()
    return "sha256:" + node.hex()


def chain(about: bytes, lines: "list[bytes]") -> str:
    opening = json.loads(about)
    name = opening["consultation"]
    head = sha256(FIELDS % (name.encode(), opening["schema"], opening["started"].encode()))
    for seq, line in enumerate(lines):
        found = EVENT.fullmatch(line)
        event = json.loads(found[2]) if found and found[1].decode() == sha256(found[2]) else {}
        if not found or (event.get("consultation"), event.get("seq"), event.get("previous")) != (name, seq, head):
            sys.exit(f"ALTERED: event {seq} of {name} is not the one that was written")
        head = found[1].decode()
    return head


def signed(proof: bytes, name: str, events: int, head: str, known: bytes) -> str:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    found = PROOF.fullmatch(proof) or sys.exit("ALTERED: the last line is no signature")
    checkpoint, leaf = json.loads(found[4]), json.loads(found[3])
    if leaf != {"consultation": name, "events": events, "head": head}:
        sys.exit(f"ALTERED: {leaf['events']} events are signed, and these {events} are not those")
    if root(found[3], json.loads(found[2])) != checkpoint["root"]:
        sys.exit("ALTERED: the signature is over another consultation")
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(checkpoint["key"].removeprefix("ed25519:")))
        key.verify(bytes.fromhex(found[1].decode()), found[4])
    except (InvalidSignature, ValueError):
        sys.exit("ALTERED: the signature is not over this checkpoint")
    if key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip() not in known:
        sys.exit("UNKNOWN: the signature is by a key that the second file does not have")
    return str(checkpoint["time"])


if __name__ == "__main__":
    about, *lines = Path(sys.argv[1]).read_bytes().splitlines()
    *events, proof = lines
    head = chain(about, events)
    time = signed(proof, json.loads(about)["consultation"], len(events), head, Path(sys.argv[2]).read_bytes())
    print(f"UNALTERED: {len(events)} events, signed at {time}; head {head}")
