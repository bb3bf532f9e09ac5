"""Whether an address is one of this machine's."""

from __future__ import annotations

import socket


def is_here(address: str) -> bool:
    """The system lets nobody bind to an address it does not have. Multicast and wildcards are not asked for."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as bound:
            bound.bind((address, 0))
    except (OSError, UnicodeError, ValueError):
        return False
    return address not in {"0.0.0.0", "::"}
