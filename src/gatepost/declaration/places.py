"""Where something listens, and where alerts go: addresses with ports, and URLs whose secrets are never repeated."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from gatepost.declaration.names import plain_name
from gatepost.errors import UsageError

LONGEST = 1000  # characters of a URL
ROADS = ("smtp", "smtps")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_MAILBOX = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,253}")


def listener(text: str) -> str:
    """`ADDR:PORT` in its usual spelling, IPv6 in brackets. Raises UsageError with what is wrong."""
    address, _, port = text.rpartition(":")
    try:
        plain = ip_address(address.removeprefix("[").removesuffix("]"))
    except ValueError:
        raise UsageError("begins with no IP address; expected ADDR:PORT like 127.0.0.1:9117 or [::1]:9117") from None
    if plain.version == 6 and not address.startswith("["):
        raise UsageError("an IPv6 address stands in brackets: [::1]:9117")
    if not (port.isascii() and port.isdecimal() and len(port) < 6 and 0 < int(port) < 65536):
        raise UsageError("ends in no port number, which go from 1 to 65535")
    return f"[{plain}]:{int(port)}" if plain.version == 6 else f"{plain}:{int(port)}"


def destination(text: str) -> str:
    """A URL that alerts can go to. The sentence of the UsageError repeats nothing of it but the scheme."""
    scheme = _plain(text)
    if scheme == "mailto":
        mailbox = text.partition(":")[2]
        if not _MAILBOX.fullmatch(mailbox) or plain_name(mailbox.rpartition("@")[2]) is None:
            raise UsageError("mailto: needs one plain mail address behind it, like mailto:postmaster@example.org")
        return text
    if scheme == "http":
        raise UsageError("http:// would send alerts in clear; expected https://")
    if scheme in {"https", "syslog"}:
        parts = _parts(text, scheme)
        if scheme == "syslog" and (parts.username or parts.path.strip("/")):
            raise UsageError("syslog:// takes a host and a port, nothing else")
        if scheme == "syslog" and parts.query not in {"", "tcp", "udp"}:
            raise UsageError("syslog:// may end in ?tcp or ?udp, nothing else")
    return text


def road(text: str) -> str:
    """`smtp://[USER@]HOST[:PORT]` or `smtps://…`: the server that takes alerts by mail."""
    scheme = _plain(text)
    if scheme not in ROADS:
        raise UsageError(f"expected smtp:// or smtps:// with a host, got {scheme}:")
    parts = _parts(text, scheme)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise UsageError(f"{scheme}:// takes a user, a host and a port, nothing else")
    return text


def masked(text: str) -> str:
    """As it may be printed: a webhook's path and query are as good as a password, a user name is not."""
    scheme, _, rest = text.partition(":")
    if scheme == "mailto":
        return text
    if not rest.startswith("//") or scheme not in {"https", "syslog", *ROADS}:
        return f"{scheme}:***"
    authority, _, beyond = rest[2:].partition("/")
    authority, asked, query = authority.partition("?")
    user, at, host = authority.rpartition("@")
    name, colon, _ = user.partition(":")
    shown = f"{scheme}://{name}{colon}{'***' if colon else ''}{at}{host}"
    if scheme == "syslog":
        return f"{shown}{asked}{query}"
    return f"{shown}/***" if beyond or query else shown


def _plain(text: str) -> str:
    """The scheme, once nothing in the text can break a line or a header."""
    scheme, colon, rest = text.partition(":")
    if not colon or not rest or not _SCHEME.fullmatch(scheme):
        raise UsageError("is no URL; expected mailto:…, https://…, syslog://HOST[:PORT] or one that Apprise knows")
    if len(text) > LONGEST or not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"a {scheme[:20]}: URL has at most {LONGEST} printable ASCII characters and no space")
    if scheme != scheme.lower():
        raise UsageError(f"write {scheme.lower()[:20]}: in lower case")
    return scheme


def _parts(text: str, scheme: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UsageError(f"{scheme}:// needs a host, and behind it a port from 1 to 65535 or none") from None
    if not text.startswith(f"{scheme}://") or not parts.hostname or plain_name(parts.hostname) is None or port == 0:
        raise UsageError(f"{scheme}:// needs a host, and behind it a port from 1 to 65535 or none")
    return parts
