"""Check an exported consultation: python check_export.py EXPORT.jsonl record.pub (Python 3.9 and `cryptography`)."""

import hashlib
import json
import re
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

EVENT = re.compile(rb'\A\{"hash":"(sha256:[0-9a-f]{64})","event":(\{.*\})\}\Z')
PROOF = re.compile(rb'\A\{"signature":"ed25519:(\w{128})","path":(\[.*\]),"head":(\{.*?\}),"checkpoint":(\{.*\})\}\Z')


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        sys.exit(f"ALTERED: {otherwise}")


about, *lines, last = Path(sys.argv[1]).read_bytes().splitlines()
opening = json.loads(about)
name, redacted = opening["consultation"], bool(opening.get("redacted"))
count = max(len(lines) - redacted, 0)
fields = json.dumps({field: opening[field] for field in ("consultation", "schema", "started")}, separators=(",", ":"))
end, head = count, "sha256:" + hashlib.sha256(fields.encode()).hexdigest()
for seq, line in enumerate(lines):
    which = f"{seq} of {name}" if seq < count else f"that declares what was redacted of {name}"
    hash_, text = (EVENT.findall(line) or [(b"", b"")])[0]
    own = "sha256:" + hashlib.sha256(text).hexdigest()
    require(hash_.decode() == own, f"event {which} is not the one that was written")
    event = json.loads(text)
    if seq < count:
        same = (event["consultation"], event["seq"], event["previous"]) == (name, seq, head)
        require(same, f"event {which} is not the one that was written")
    else:  # what came before is another chain, whose end this event of the original chain names
        said = (event["body"].get("redacted") or {}) if event["kind"] == "exported" else {}
        same = (said.get("events"), said.get("head"), event["consultation"]) == (count, head, name)
        require(same, f"these {count} events are not those that were declared")
        end = event["seq"] + 1
    head = own
signature, path, leaf, text = (PROOF.findall(last) or sys.exit("ALTERED: the last line is no signature"))[0]
checkpoint, signed = json.loads(text), json.loads(leaf)
same = signed == {"consultation": name, "events": end, "head": head}
require(same, f"{signed['events']} events are signed, and these {end} are not those")
node = hashlib.sha256(b"\x00" + leaf).digest()
for side, other in json.loads(path):
    pair = bytes.fromhex(other) + node if side == "left" else node + bytes.fromhex(other)
    node = hashlib.sha256(b"\x01" + pair).digest()
require(checkpoint["root"] == "sha256:" + node.hex(), "the signature is over another consultation")
try:
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(checkpoint["key"][8:]))
    key.verify(bytes.fromhex(signature.decode()), text)
except (InvalidSignature, ValueError):
    sys.exit("ALTERED: the signature is not over this checkpoint")
pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip()
if pem not in Path(sys.argv[2]).read_bytes():
    sys.exit("UNKNOWN: the signature is by a key that the second file does not have")
print(f"{'REDACTED, ' * redacted}UNALTERED: {count} events, signed at {checkpoint['time']}; head {head}")
