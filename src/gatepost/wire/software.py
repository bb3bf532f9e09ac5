"""Names and versions of mail software, read out of its own words."""

from __future__ import annotations

import re
from collections.abc import Iterable

_VERSION = r"v?(?P<version>\d+(?:\.\d+)+[\w.+-]*)"
_NEAR = rf"(?:[\s(/:;,-]{{1,3}}{_VERSION})?"  # right behind the name
_LATER = rf"(?:[^\d\r\n]{{1,40}}{_VERSION})?"  # within a few words: `Zimbra IMAP4 server 8.8`


def _row(name: str, pattern: str) -> tuple[str, re.Pattern[str]]:
    return name, re.compile(pattern, re.IGNORECASE)


# First match wins, so the narrower product stands before the one it contains.
_SOFTWARE = (
    _row("Pigeonhole", rf"Dovecot(?: \([^)]*\))? Pigeonhole{_NEAR}"),
    _row("Zimbra", rf"\bZimbra\b(?: (?:IMAP4rev1|POP3|LMTP|SMTP)?(?: server)?)?{_NEAR}"),
    _row("Postfix", rf"\bPostfix\b{_NEAR}"),
    _row("Exim", rf"\bExim\b{_NEAR}"),
    _row("OpenSMTPD", rf"\bOpenSMTPD\b{_NEAR}"),
    _row("Sendmail", rf"\bSendmail\b{_NEAR}"),
    _row("Dovecot", rf"\bDovecot\b(?: \([^)\d]*\))?{_NEAR}"),
    _row("Cyrus", rf"\bCyrus\b(?: (?:IMAP4?|POP3|LMTP|timsieved|NNTP|JMAP|MUPDATE))*{_NEAR}"),
    _row("Courier", rf"\bCourier(?:[- ](?:IMAP|POP3|MTA|ESMTP))?\b{_NEAR}|^\+?(?:OK )?Hello there\.$"),
    _row("Exchange", rf"Microsoft Exchange|Microsoft ESMTP MAIL Service(?:, Version: {_VERSION})?"),
    _row("Domino", rf"\bDomino\b[^\r\n]{{0,40}}?\bRelease {_VERSION}|\bDomino\b"),
    _row("Stalwart", rf"\bStalwart\b{_LATER}"),
    _row("Haraka", rf"\bHaraka\b{_NEAR}"),
    _row("hMailServer", rf"\bhMailServer\b{_NEAR}"),
    _row("MailEnable", rf"\bMailEnable\b(?: Service)?(?:,? Version:? ?{_VERSION})?"),
    _row("IceWarp", rf"\bIceWarp\b{_NEAR}"),
    _row("Kerio Connect", rf"\bKerio (?:Connect|MailServer)\b{_NEAR}"),
    _row("MDaemon", rf"\bMDaemon\b{_NEAR}"),
    _row("Axigen", rf"\bAxigen\b{_LATER}"),
    _row("James", rf"\bJAMES\b(?: (?:SMTP|IMAP|POP3|LMTP|ManageSieve)\S*)?(?: Server)?{_NEAR}"),
    _row("maddy", rf"\bmaddy\b{_NEAR}"),
    _row("CommuniGate Pro", rf"\bCommuniGate Pro\b{_LATER}"),
    _row("SmarterMail", rf"\bSmarterMail\b{_LATER}"),
    _row("Mailman", rf"GNU Mailman LMTP runner{_NEAR}"),
    _row("MailHog", rf"\bMailHog\b{_NEAR}"),
    _row("Mailpit", rf"\bMailpit\b{_NEAR}"),
    _row("aiosmtpd", rf"\bPython SMTP{_NEAR}"),
    _row("WildDuck", rf"\bWildDuck\b{_NEAR}"),
    _row("Citadel", rf"\bCitadel\b{_NEAR}"),
    _row("Gmail", r"\bgsmtp\b|\bGimap\b|\bGpop\b"),
    _row("qmail", rf"\b(?:net|not|s/)?qmail(?:-smtpd)?\b{_NEAR}"),
    _row("Qpopper", rf"\bQpopper \(version {_VERSION}\)|\bQpopper\b"),
    _row("UW IMAP", r"\bIMAP4rev1 (?P<version>20\d\d[a-z]?\.\d+)"),
    _row("OpenSSH", r"^SSH-[\d.]+-OpenSSH_(?P<version>[\w.]+)"),
)


def software(text: str) -> tuple[str, str]:
    """Name and version, each empty when the text does not tell."""
    for name, pattern in _SOFTWARE:
        if found := pattern.search(text):
            return name, (found.groupdict().get("version") or "").rstrip(".-")
    return "", ""


_HOST = re.compile(r"(?=.{4,255}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{1,62}")


def own_name(text: str) -> str:
    """The host name a greeting begins with (RFC 5321 section 4.2), empty when it begins otherwise."""
    first = text.split(maxsplit=1)[0].rstrip(".") if text.strip() else ""
    return first.lower() if _HOST.fullmatch(first) else ""


# Sentences and orders of words that stay when an operator changes the banner.
_HABITS = (
    ("Postfix", re.compile(r"Error: (?:command not recognized|need (?:MAIL|RCPT) command)|VRFY command is disabled")),
    ("Dovecot", re.compile(r"Begin TLS negotiation now\.|CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE")),
    ("Dovecot", re.compile(r"(?:Plaintext|Cleartext) authentication disallowed on non-secure")),
    ("Exim", re.compile(r"^TLS go ahead$|AUTH command used when not advertised|relay not permitted")),
    ("Exchange", re.compile(r"^2\.0\.0 SMTP server ready$|5\.3\.3 Unrecognized command")),
    ("OpenSMTPD", re.compile(r"^2\.0\.0: Ready to start TLS$|5\.5\.1 Invalid command: ")),
)


def by_habit(answers: Iterable[str]) -> str:
    """The software whose stock sentences are among the answers of one port; empty when none is."""
    said = tuple(answers)
    return next((name for name, pattern in _HABITS if any(pattern.search(text) for text in said)), "")
