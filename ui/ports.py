"""Is a port free? Asked before seconds are spent on loading models."""

import socket

from ui.errors import PortInUse


def require_free(host: str, port: int) -> None:
    """Raises PortInUse where somebody listens on the port already, or the address is not this machine's."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUse(
                f"The chat cannot listen on {host}:{port} ({error.strerror}); free it or give another --port."
            ) from None
