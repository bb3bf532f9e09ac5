"""How one port is encrypted, in a few words: the mode that was seen and the TLS versions it answered."""

from __future__ import annotations

from enum import StrEnum

from gatepost.model.architecture import Endpoint
from gatepost.model.observation import (
    Capabilities,
    Handshake,
    Hello,
    Identified,
    Seen,
    Tried,
    Upgrade,
    Vantage,
)
from gatepost.model.words import Mode

_VERSIONS = ("SSLv2", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_IN_CLEAR = frozenset({"auth-in-clear", "login-in-clear", "user-pass-in-clear"})
_BEFORE_TLS = _IN_CLEAR | {"mail-before-tls", "mail-before-auth"}
_PASSWORDS = frozenset({"LOGIN", "PLAIN"})


class Word(StrEnum):
    """The verdict of a row of the port truth table."""

    AS_DECLARED = "as-declared"  # by the host and its rules; the port itself was not asked
    BLOCKED = "blocked"  # declared, and kept from whom it is declared for
    BYPASS = "bypass"  # published past the rules of the host
    CLOSED = "closed"
    FILTERED = "filtered"
    IMPLICIT = "implicit"
    LOOPBACK = "loopback"
    MISSING = "missing"
    NO_TLS = "no-tls"
    PLAINTEXT_LOGIN = "plaintext-login"
    STARTTLS_ENFORCED = "starttls-enforced"
    STARTTLS_OPTIONAL = "starttls-optional"
    STARTTLS_REFUSED = "starttls-refused"
    STARTTLS_STRIPPED = "starttls-stripped"
    TOO_OPEN = "too-open"  # for more than it is declared for
    UNDECLARED = "undeclared"
    UNKNOWN = "unknown"
    WRONG_MODE = "wrong-mode"


def encryption(at: Endpoint, seen: Seen) -> tuple[str, Word]:
    """The column's text (`STARTTLS 1.2-1.3`, `TLS 1.3`, `SSH`, `no`, `?`) and what it amounts to."""
    if any(one.protocol == "ssh" for one in seen.at(Identified, at)):
        return "SSH", Word.IMPLICIT
    word = _word(at, seen)
    spoken = versions(at, seen)
    if word is Word.UNKNOWN:
        return "?", word
    if _mode(at, seen) is Mode.IMPLICIT:
        return f"TLS {_span(spoken)}".rstrip(), word
    if any(u.offered for u in seen.at(Upgrade, at)):
        return f"STARTTLS {_span(spoken)}".rstrip(), word
    return "no", word


def versions(at: Endpoint, seen: Seen) -> tuple[str, ...]:
    """Protocol versions the port was seen to accept, oldest first."""
    told = {h.version for h in seen.at(Handshake, at) if not h.error}
    told |= {h.version for h in seen.at(Hello, at) if not h.refused}
    return tuple(v for v in _VERSIONS if v in told)


def _span(told: tuple[str, ...]) -> str:
    names = [v.removeprefix("TLSv") for v in told]
    if len(names) < 2:
        return names[0] if names else ""
    return f"{names[0]}-{names[-1]}"


def _mode(at: Endpoint, seen: Seen) -> Mode | None:
    if found := seen.at(Identified, at):
        return found[-1].mode
    return Mode.STARTTLS if seen.at(Upgrade, at) else None


def _word(at: Endpoint, seen: Seen) -> Word:
    mode, upgrades = _mode(at, seen), seen.at(Upgrade, at)
    if mode is Mode.IMPLICIT:
        return Word.IMPLICIT
    if _password_in_clear(at, seen):
        return Word.PLAINTEXT_LOGIN
    if any(u.mangled for u in upgrades):
        return Word.STARTTLS_STRIPPED
    if any(u.offered for u in upgrades):
        if not any(u.accepted for u in upgrades):
            return Word.STARTTLS_REFUSED
        return Word.STARTTLS_ENFORCED if _enforced(at, seen) else Word.STARTTLS_OPTIONAL
    return Word.UNKNOWN if mode is None or not (upgrades or mode is Mode.NONE) else Word.NO_TLS


def _password_in_clear(at: Endpoint, seen: Seen) -> bool:
    """Not from the server's own address: there Dovecot calls the session secured and offers everything."""
    if any(v.same_host for v in seen.at(Vantage, at)):
        return False
    if any(t.accepted and not t.encrypted and t.what in _IN_CLEAR for t in seen.at(Tried, at)):
        return True
    tried = any(t.what in _IN_CLEAR and not t.encrypted for t in seen.at(Tried, at))
    before = [c for c in seen.at(Capabilities, at) if not c.encrypted]
    return not tried and any(_PASSWORDS & set(c.mechanisms()) and not c.has("LOGINDISABLED") for c in before)


def _enforced(at: Endpoint, seen: Seen) -> bool:
    """Something was tried before TLS and nothing was let through."""
    before = [t for t in seen.at(Tried, at) if not t.encrypted and t.what in _BEFORE_TLS]
    closed = any(c.has("LOGINDISABLED") for c in seen.at(Capabilities, at) if not c.encrypted)
    return closed or (bool(before) and not any(t.accepted for t in before))
