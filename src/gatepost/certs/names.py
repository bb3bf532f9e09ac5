"""Does a certificate stand for a name? RFC 9525: subjectAltName alone decides, the common name never does."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from gatepost.model.certificate import Certificate


def covers(cert: Certificate, name: str) -> bool:
    """DNS-ID or IP-ID (RFC 9525 section 6). A wildcard is a whole leftmost label and matches exactly one."""
    address = _address(name)
    if address is not None:
        return address in {_address(one) for one in cert.ip_addresses}
    wanted = a_labels(name)
    return wanted is not None and any(matches(pattern, wanted) for pattern in cert.dns_names)


def covers_only_by_common_name(cert: Certificate, name: str) -> bool:
    """Old clients take it, current ones refuse it (RFC 9525 section 2): worth its own sentence."""
    if cert.common_name is None or covers(cert, name):
        return False
    wanted = a_labels(name)
    return cert.common_name == name or (wanted is not None and matches(cert.common_name, wanted))


def matches(pattern: str, name: str) -> bool:
    """`name` is in A-labels already. Only ASCII patterns count: a U-label is a broken certificate."""
    if not pattern.isascii():
        return False
    presented = pattern.lower().removesuffix(".").split(".")
    wanted = name.split(".")
    if presented[0] != "*":
        return presented == wanted
    return len(wanted) > 2 and presented[1:] == wanted[1:]


def a_labels(name: str) -> str | None:
    """Lower-case ASCII form without the final dot; None for what cannot be a host name."""
    plain = name.removesuffix(".")
    if plain.isascii():
        return plain.lower() or None
    try:
        return plain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
