"""The way in: as small as it can be, so that Ctrl-C gets a sentence also while the libraries are being read."""

import sys


def main() -> None:
    """The `coreasoner` command."""
    try:
        from ui.cli import main as run
    except KeyboardInterrupt:
        sys.exit(_stopped())
    run()


def _stopped() -> int:
    print("Stopped.", file=sys.stderr)
    return 130
