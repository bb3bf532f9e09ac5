"""HAProxy and nginx in front of mail servers. What they say of other ports than those of mail is left unread."""

from __future__ import annotations

import re

from gatepost.logs.dialects.doors import placed
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import Dialect, Part, Table, row
from gatepost.model.event import Cover, Kind, Result

PEER = r"\[?(?P<client>[0-9A-Fa-f:.]+?)\]?:(?P<client_port>\d{1,5})"
STAMP = r"\[\d\d/\w{3}/\d{4}[:\d.]+\]"
MAIL = re.compile(r"(smtps?|submissions?|imaps?|pop3s?|sieve|mail)", re.IGNORECASE)
_PORTS = {"smtp": "smtp", "smtps": "submissions", "sieve": "managesieve", "mail": ""}


def named(draft: Draft, match: re.Match[str]) -> None:
    """A frontend is called as its administrator likes; most names hold the protocol."""
    found = MAIL.search(match["front_"])
    if found is None:
        draft.kind = Kind.UNKNOWN
        return
    word = found[1].lower()
    draft.service = _PORTS.get(word, word)


def broken(draft: Draft, match: re.Match[str]) -> None:
    named(draft, match)
    if "PROXY" in draft.reason:
        draft.kind, draft.result = Kind.PROTOCOL_ERROR, Result.VIOLATION


def denied(draft: Draft, match: re.Match[str]) -> None:
    """In nginx TLS is told only where it was begun by a command; a server for TLS alone says nothing."""
    placed(draft, match)
    draft.cover = Cover.TLS if match["tls_"] else Cover.UNKNOWN


HAPROXY = Table(
    row(
        "session",
        Kind.DISCONNECT,
        rf"{PEER} {STAMP} (?P<front_>\S+?)~? (?P<relay>\S+) [\d/+-]+"
        rf" (?P<size>\d+) (?P<code>\S{{2,4}}) .*",
        literal=" [",
        finish=named,
    ),
    row(
        "broken",
        Kind.HANDSHAKE_FAILED,
        rf"{PEER} {STAMP} (?P<front_>[^\s/]+)/\S+ ?:? (?P<reason>(?:SSL handshake failure|Connectio"
        r"n (?:closed|error) during SSL handshake|.*PROXY.*).*)",
        literal=" [",
        result=Result.FAILED,
        finish=broken,
    ),
    row(
        "connect",
        Kind.CONNECT,
        rf"Connect from {PEER} to \[?(?P<local>[0-9A-Fa-f:.]+?)\]?:"
        r"(?P<port>\d+) \((?P<front_>[^\s/]+)/TCP\)",
        starts="Connect",
        finish=named,
    ),
    row(
        "service",
        Kind.SERVICE,
        r"(?P<reason>(?:Server|Proxy|backend|Health check) .*)",
        starts="Server|Proxy|backend|Health",
    ),
)
NGINX = Table(
    row(
        "login failed",
        Kind.AUTH_FAILED,
        r"\*\d+ client login failed: \"(?P<reason>[^\"]*)\" while in http auth state, client:"
        r" (?P<client>[0-9A-Fa-f:.]+)(?P<tls_> using starttls)?, server: \[?"
        r"(?P<local>[0-9A-Fa-f:.]+?)\]?:(?P<port>\d+)(?:, login: \""
        r"(?P<user>[^\"]*)\")?.*",
        literal=" client login failed: ",
        result=Result.FAILED,
        finish=denied,
    ),
    row(
        "login",
        Kind.LOGIN,
        r"\*\d+ client logged in, client: (?P<client>[0-9A-Fa-f:.]+)"
        r"(?P<tls_> using starttls)?, server: \[?(?P<local>[0-9A-Fa-f:.]+?)\]?:"
        r"(?P<port>\d+)(?:, login: \"(?P<user>[^\"]*)\")?.*",
        literal=" client logged in, ",
        result=Result.OK,
        finish=denied,
    ),
    row(
        "connect",
        Kind.CONNECT,
        rf"\*\d+ client {PEER} connected to \[?(?P<local>[0-9A-Fa-f:.]+?)\]?:(?P<port>\d+)",
        literal=" connected to ",
        finish=placed,
    ),
    row(
        "done",
        Kind.DISCONNECT,
        r"\*\d+ proxied session done, client: (?P<client>[0-9A-Fa-f:.]+)"
        r"(?: using starttls)?, server: \[?(?P<local>[0-9A-Fa-f:.]+?)\]?:"
        r"(?P<port>\d+).*",
        literal=" proxied session done, ",
        finish=placed,
    ),
    row(
        "handshake failed",
        Kind.HANDSHAKE_FAILED,
        r"\*\d+ SSL_do_handshake\(\) failed \(SSL: (?P<reason>[^()]*"
        r"(?:\([^()]*\)[^()]*)?)\) while SSL handshaking, client:"
        r" (?P<client>[0-9A-Fa-f:.]+), server: \[?(?P<local>[0-9A-Fa-f:.]+?)\]?:"
        r"(?P<port>\d+).*",
        literal="SSL_do_handshake() failed",
        result=Result.FAILED,
        finish=placed,
    ),
)


def claims(tag: str) -> Part | None:
    if tag == "haproxy":
        return Part("haproxy", "", HAPROXY)
    return Part("nginx", "", NGINX) if tag == "nginx" else None


PROXIES = Dialect("proxies", claims, (("haproxy", HAPROXY), ("nginx", NGINX)))
