"""Is a port free, and who can reach it? Asked before seconds are spent on loading models."""

import socket
from ipaddress import ip_address

from ui.errors import HeaderUntrusted, PortInUse


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


def require_trusted(host: str, header: str) -> None:
    """Raises HeaderUntrusted where a `header` names who asks and others than this machine's proxy could send it."""
    if header and not is_loopback(host):
        raise HeaderUntrusted(
            f"Whoever reaches {host} could call themselves anybody in the header {header}; "
            "let the chat listen on 127.0.0.1 and put the proxy on this machine, or leave out chat.user_header."
        )


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
