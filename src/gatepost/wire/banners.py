"""What the first bytes of a peer give away."""

from __future__ import annotations

import re

_BANNERS: tuple[tuple[str, re.Pattern[bytes]], ...] = tuple(
    (protocol, re.compile(pattern, re.DOTALL | re.IGNORECASE))
    for protocol, pattern in (
        ("ssh", rb"SSH-\d"),
        ("http", rb"HTTP/\d"),
        ("mupdate", rb"\* (?:AUTH|MUPDATE)\b"),
        ("imap", rb"\* (?:OK|PREAUTH|BYE)\b"),
        ("pop3", rb"\+OK\b|-ERR (?!wrong number|unknown command)"),
        ("managesieve", rb'"(?:IMPLEMENTATION|SIEVE|SASL|VERSION|STARTTLS|NOTIFY)"|BYE\b'),
        ("redis", rb"-(?:DENIED|NOAUTH|ERR)\b"),
        ("memcached", rb"(?:CLIENT_)?ERROR\b"),
        ("dovecot-auth", rb"VERSION\t(?!doveadm)"),
        ("doveadm", rb"VERSION\tdoveadm"),
        ("spamc", rb"SPAMD/"),
        ("clamd", rb"UNKNOWN COMMAND"),
        ("postfix-policy", rb"action="),
        ("milter", rb"\0\0\0[\x01-\xff]O\0\0\0"),
        ("mysql", rb".{3}\0(?:\x0a|\xff)"),
        ("postgresql", rb"E\0\0.{2}S"),
        ("tls", rb"[\x15\x16]\x03[\0-\x04]"),
        ("ftp", rb"(?:220|421|120)[ -][^\r\n]*\bFTP"),
        ("lmtp", rb"220[ -][^\r\n]*\bLMTP\b"),
        ("nntp", rb"20[01] [^\r\n]*(?:news|nntp|inn)"),
        ("poppassd", rb"200 [^\r\n]*(?:poppassd|hello)"),
        ("tcp-table", rb"[245]00 "),
        ("smtp", rb"(?:[245]\d\d)[ -]"),
    )
)


def protocol_of(first: bytes) -> str:
    """The protocol word of the port catalogue, empty when the bytes fit none. `smtp` may still be LMTP."""
    return next((protocol for protocol, pattern in _BANNERS if pattern.match(first)), "")


def settled(first: bytes) -> bool:
    """Whether more bytes could not change the answer: a line is complete, or a binary greeting is known."""
    return b"\n" in first or protocol_of(first) in {"milter", "mysql", "postgresql", "tls"}
