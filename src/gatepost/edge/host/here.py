"""Whether a host is this machine."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from gatepost.model.architecture import Host


def way(host: Host) -> str:
    """How to get onto it: as declared, or `local` where an address of it is this machine's. Empty: nobody said."""
    return host.via or ("local" if any(map(is_here, host.addresses)) else "")


def is_here(address: str) -> bool:
    """The system lets nobody bind to an address it does not have. Loopback addresses are everybody's."""
    try:
        asked = ip_address(address)
        family = socket.AF_INET6 if asked.version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as bound:
            bound.bind((str(asked), 0))
    except (OSError, ValueError):
        return False
    return not (asked.is_loopback or asked.is_unspecified or asked.is_multicast)
