"""Which addresses are this machine's own."""

from __future__ import annotations

import socket


def ours(address: str) -> bool:
    """Whether a socket can be bound to it: true without any right, and for every interface."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.bind((address, 0))
    except OSError:
        return False
    return True
