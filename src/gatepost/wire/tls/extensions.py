"""Hello extensions: building those we send, reading those a client sent.

An extension is a pair of its IANA number and its body, so that any list, order and oddity can be sent and is
read back unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable

from gatepost.errors import PeerGarbled
from gatepost.wire.tls.octets import Octets, numbers, read_numbers, read_vectors, vector

SERVER_NAME = 0
STATUS_REQUEST = 5
SUPPORTED_GROUPS = 10
EC_POINT_FORMATS = 11
SIGNATURE_ALGORITHMS = 13
HEARTBEAT = 15
ALPN = 16
SCT = 18
PADDING = 21
ENCRYPT_THEN_MAC = 22
EXTENDED_MASTER_SECRET = 23
SESSION_TICKET = 35
EARLY_DATA = 42
SUPPORTED_VERSIONS = 43
COOKIE = 44
PSK_MODES = 45
SIGNATURE_ALGORITHMS_CERT = 50
KEY_SHARE = 51
RENEGOTIATION_INFO = 0xFF01

Extension = tuple[int, bytes]
Extensions = tuple[Extension, ...]


def server_name(name: str) -> Extension:
    """RFC 6066 section 3; a name beyond ASCII goes as IDNA, or as it is where that is impossible."""
    try:
        host = name.encode("ascii") if name.isascii() else name.encode("idna")
    except UnicodeError:
        host = name.encode()
    return SERVER_NAME, vector(b"\0" + vector(host, 2), 2)


def supported_groups(codes: Iterable[int]) -> Extension:
    return SUPPORTED_GROUPS, vector(numbers(codes), 2)


def signature_algorithms(codes: Iterable[int]) -> Extension:
    return SIGNATURE_ALGORITHMS, vector(numbers(codes), 2)


def signature_algorithms_cert(codes: Iterable[int]) -> Extension:
    return SIGNATURE_ALGORITHMS_CERT, vector(numbers(codes), 2)


def supported_versions(codes: Iterable[int]) -> Extension:
    return SUPPORTED_VERSIONS, vector(numbers(codes), 1)


def key_share(shares: Iterable[tuple[int, bytes]] = ()) -> Extension:
    """Without any share the server has to name the group it wants: a HelloRetryRequest (RFC 8446 section 4.2.8)."""
    body = b"".join(group.to_bytes(2, "big") + vector(key, 2) for group, key in shares)
    return KEY_SHARE, vector(body, 2)


def alpn(*protocols: str) -> Extension:
    names = b"".join(vector(protocol.encode("ascii"), 1) for protocol in protocols)
    return ALPN, vector(names, 2)


def padding(size: int) -> Extension:
    return PADDING, bytes(size)


POINT_FORMATS: Extension = (EC_POINT_FORMATS, b"\1\0")  # uncompressed
STAPLE_WANTED: Extension = (STATUS_REQUEST, b"\1\0\0\0\0")  # OCSP, any responder
HEARTBEAT_ALLOWED: Extension = (HEARTBEAT, b"\1")  # RFC 6520: peer_allowed_to_send
PSK_WITH_DHE: Extension = (PSK_MODES, b"\1\1")
NO_TICKET_YET: Extension = (SESSION_TICKET, b"")
NEVER_NEGOTIATED: Extension = (RENEGOTIATION_INFO, b"\0")
SCT_WANTED: Extension = (SCT, b"")
EMS: Extension = (EXTENDED_MASTER_SECRET, b"")
ETM: Extension = (ENCRYPT_THEN_MAC, b"")


def render_extensions(extensions: Iterable[Extension]) -> bytes:
    return vector(b"".join(number.to_bytes(2, "big") + vector(body, 2) for number, body in extensions), 2)


def read_extensions(octets: Octets) -> Extensions | None:
    """The block at the end of a hello; None when there is none at all (SSL 3.0 and old clients)."""
    if not octets.more:
        return None
    block = Octets(octets.vector(2), "the extension block")
    found = []
    while block.more:
        number = block.number(2)
        found.append((number, block.vector(2)))
    return tuple(found)


def read_server_name(body: bytes) -> str:
    """The first DNS name of the list. Raises PeerGarbled."""
    entry = Octets(Octets(body, "server_name").vector(2), "server_name")
    if entry.number(1) != 0:
        raise PeerGarbled("TLS: server_name without a host name")
    return entry.vector(2).decode("latin-1")


def read_list(body: bytes, what: str, *, width: int = 2) -> tuple[int, ...]:
    """A vector of 16-bit numbers; `width` is that of its length."""
    octets = Octets(body, what)
    found = read_numbers(octets.vector(width), what)
    octets.end()
    return found


def read_alpn(body: bytes) -> tuple[str, ...]:
    names = Octets(body, "ALPN").vector(2)
    return tuple(name.decode("latin-1") for name in read_vectors(names, "ALPN", 1))


def read_shares(body: bytes) -> tuple[int, ...]:
    """The groups a client sent keys for."""
    octets = Octets(Octets(body, "key_share").vector(2), "key_share")
    found = []
    while octets.more:
        found.append(octets.number(2))
        octets.vector(2)
    return tuple(found)
