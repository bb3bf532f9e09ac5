"""What counts as one connection, one attempt, one message: said once, for the SQL of the lake and for the live watch.

**Connection.** A Postfix `smtpd` serves one client at a time: (host, service, daemon, pid) from connect to disconnect
is one connection. It also ends where the pid connects anew, speaks of another client, or was silent for `SILENCE`.
Daemons with an id of their own (Dovecot, OpenSMTPD) are joined by it. `postscreen` and `tlsproxy` serve many at a
time: client address and port join them. Others (Exim, Sendmail …) are joined by client, account and `NEARBY`: a guess.

**Attempt.** A client that is refused with one mechanism tries the next one with the same password: of failures in
one connection that are at most `FALLBACK` apart, a failure with a *later* mechanism (`ORDER`) for the same account
belongs to the attempt before it. A person who types again comes with the same mechanism, and counts again. Dovecot
counts for itself (`2 attempts in 4 secs`). Lines of an authentication service explain attempts and are none.

**Day.** Whatever goes over midnight belongs to the day it began on and is followed until `FOLLOWED` after that
midnight; what still goes on then is cut there. So a day can be derived from itself and `FOLLOWED` on either side,
and comes out the same however often and together with whichever other days that is done.
"""

from __future__ import annotations

from gatepost.model.event import MICROSECONDS, Kind

DAY = 86_400 * MICROSECONDS
SILENCE = 3600 * MICROSECONDS
NEARBY = 60 * MICROSECONDS
FALLBACK = 10 * MICROSECONDS
FOLLOWED = 6 * 3600 * MICROSECONDS

BY_PROCESS = frozenset({"smtpd"})  # one client at a time, so the pid is the connection
BY_PEER = frozenset({"postscreen", "tlsproxy"})  # many at a time; both speak of the same connections
FAMILY = "postscreen"  # the name under which those two are joined

ORDER = {"DIGEST-MD5": 1, "CRAM-MD5": 2, "PLAIN": 3, "LOGIN": 4}  # others come first; RFC 4954's implementations agree
LEGACY = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1")

# Kinds that are part of a connection of their process; other lines of a process do not move it.
OF_CONNECTION = frozenset(
    {
        Kind.ABORTED, Kind.ACCEPTED, Kind.AUTH_FAILED, Kind.CERTIFICATE_REJECTED, Kind.CLEARTEXT_REFUSED,
        Kind.CONNECT, Kind.DISCONNECT, Kind.EARLY, Kind.HANDSHAKE_FAILED, Kind.HANGUP, Kind.LIBRARY, Kind.LOGIN,
        Kind.NOT_SMTP, Kind.NO_ATTEMPT, Kind.PIPELINING, Kind.PROTOCOL_ERROR,
        Kind.RATE_LIMITED, Kind.REJECTED, Kind.SCREENED,
        Kind.TLS,
    }
)  # fmt: skip
# After one of these a connection did something: going away is no probe any more.
DID_SOMETHING = OF_CONNECTION - {Kind.ABORTED, Kind.CONNECT, Kind.DISCONNECT, Kind.LIBRARY, Kind.SCREENED, Kind.TLS}
IDLE_STAGES = ("CONNECT", "EHLO", "HELO")  # a connection lost after one of these was a probe
IDLE = "commands=0/0"  # a disconnect line of a client that said nothing

RELAY = ("relay access denied", "relaying denied", "relay not permitted", "relay denied", "unable to relay")
NOBODY = (
    "user unknown", "unknown user", "no such user", "no such recipient", "no such mailbox", "unknown recipient",
    "recipient unknown", "invalid recipient", "mailbox not found", "does not exist", "unrouteable address",
    "unrouteable recipient", "user doesn't exist", "undeliverable address",
)  # fmt: skip
NOBODY_CODE = "5.1.1"  # RFC 3463: bad destination mailbox address

# What TLS libraries say, shortest useful words; the first that is found in the text is the cause.
CERTIFICATE = (
    "bad certificate", "unknown ca", "certificate unknown", "certificate expired", "certificate revoked",
    "unsupported certificate",
)  # fmt: skip
HANDSHAKE = (
    "unsupported protocol", "no shared cipher", "http request", "https proxy request", "wrong version number",
    "version too low", "no suitable signature algorithm", "inappropriate fallback", "unexpected eof",
    "no protocols available", "protocol version", "handshake failure", "internal error", "unrecognized name",
    "packet length too long", "bad record type", "connection reset by peer", "lost connection", "timed out",
)  # fmt: skip
REASONS = (
    "unknown user", "user unknown", "password mismatch", "password expired", "user disabled", "account disabled",
    "authentication failure", "not allowed",
)  # fmt: skip

INSIDE = frozenset({"dovecot", "lda", "lmtp", "local", "pipe", "virtual"})  # deliver to mailboxes here, not to a peer

RULES = "sieve"  # the mail action that stores a script
CAUSE = 96  # characters of a cause

NO_MESSAGE = "no message"  # a login that only the counters of a disconnect line tell of
NOT_CHECKED = "refused unchecked"  # AUTH that was refused before a password was looked at, or whose line is missing


def found(text: str, words: tuple[str, ...]) -> str:
    """The first of these words that the text has, else ""."""
    low = text.lower()
    return next((one for one in words if one in low), "")


def peer(recipient: str) -> str:
    """The domain mail goes to, in lower case."""
    return recipient.rpartition("@")[2].lower() if "@" in recipient else ""


def server(relay: str) -> str:
    """The name in mx.example.net[192.0.2.7]:25, in lower case."""
    return relay.partition("[")[0].lower()


def inside(relay: str) -> bool:
    """A filter on this machine, not a peer: relay=127.0.0.1[127.0.0.1]:10024."""
    return any(one in relay for one in HERE)


def local(client: str) -> bool:
    return client.startswith(_LOOPBACK) or client == "::1"


def since(at: int) -> int:
    """What came before this is not joined to a line of `at`: the bound that makes days independent."""
    return at // DAY * DAY - FOLLOWED


HERE = ("[127.", "[::1]", "[private/", "[local")
_LOOPBACK = "127."
