"""What mail logs say: one understood line, one connection, and one thing that somebody did.

An `Event` is a line. A `Session` is one connection, joined over the daemons that served it. A `Signal` is what the
detections count: an attempt is one signal, however many lines the daemons wrote about it.

Times are microseconds since 1970 in UTC, as in the columns of the lake. Text is "" and a number None where the log
does not tell. Whatever a stranger can write (`name`, `helo`, `user`, `sender`, `recipient`, `reason`) is cut at
`LONGEST` characters and never decides what kind of line it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LONGEST = 256  # characters of a text field; what is longer is cut and ends in …
MICROSECONDS = 1_000_000


class Kind(StrEnum):
    """What a line reports."""

    ABORTED = "aborted"  # lost connection, timeout, too many errors; `reason` names the stage (AUTH, CONNECT …)
    ACCEPTED = "accepted"  # a message was begun: queue id, and the account if it authenticated
    AUTH_DETAIL = "auth-detail"  # why a login failed, from the authentication service: never an attempt of its own
    AUTH_FAILED = "auth-failed"
    BAN = "ban"  # another tool banned or unbanned an address
    BOUNCED = "bounced"  # a notification was made for an undeliverable message
    CERTIFICATE_REJECTED = "certificate-rejected"  # a peer's alert told that it does not like our certificate
    CLEARTEXT_REFUSED = "cleartext-refused"  # a password was offered without TLS and not taken
    CONNECT = "connect"
    DELIVERY = "delivery"  # one recipient: sent, deferred, bounced, expired
    DISCONNECT = "disconnect"
    DNSBL = "dnsbl"
    DROPPED = "dropped"  # a firewall dropped a packet
    EARLY = "early"  # talked before the greeting
    HANGUP = "hangup"  # went away in the tests before the greeting
    HANDSHAKE_FAILED = "handshake-failed"
    LIBRARY = "library"  # what the TLS library said of the failure in the line before
    LOGIN = "login"  # authenticated
    LOGOUT = "logout"
    MAIL_ACTION = "mail-action"  # a mailbox was read or changed: `reason` fetch, delete, expunge, append, copy, sieve …
    MESSAGE_ID = "message-id"
    MILTER = "milter"
    NOT_SMTP = "not-smtp"  # another protocol on a mail port
    NO_ATTEMPT = "no-attempt"  # connected, and left without trying to log in
    PIPELINING = "pipelining"
    PROTOCOL_ERROR = "protocol-error"  # bare line feeds, bad commands, syntax
    QUEUED = "queued"  # sender, size, number of recipients
    RATE_LIMITED = "rate-limited"
    REJECTED = "rejected"
    REMOVED = "removed"
    SAVED = "saved"  # into a mailbox
    SCREENED = "screened"  # passed the tests before the greeting
    SERVICE = "service"  # a daemon started, stopped, or complains about itself
    STATISTICS = "statistics"
    TLS = "tls"  # a handshake with a client succeeded
    TLS_OUT = "tls-out"  # a handshake with a server succeeded
    UNKNOWN = "unknown"  # understood by no pattern


class Result(StrEnum):
    """How it ended, where the line tells."""

    BOUNCED = "bounced"
    DEFERRED = "deferred"
    EXPIRED = "expired"
    FAILED = "failed"
    NONE = ""
    OK = "ok"
    REJECTED = "rejected"
    SENT = "sent"
    VIOLATION = "violation"


class Cover(StrEnum):
    """What protected the connection, as far as a log can tell."""

    LOCAL = "local"  # a client on the server itself, called secured or trusted without TLS
    NONE = "none"  # in clear
    OUTSIDE = "outside"  # TLS ended at a proxy (Dovecot 2.4 writes TSL)
    TLS = "tls"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a log. The fields are the columns of the lake's `events`, in this order."""

    at: int
    host: str
    daemon: str  # smtpd, smtp, lmtp, qmgr, cleanup, postscreen, dovecot, exim, kernel …
    service: str  # service name of the port catalogue as far as the line tells: smtp, submission, imap, pop3 …
    pid: int | None
    kind: Kind
    result: Result = Result.NONE
    client: str = ""  # address in its shortest form, IPv4-mapped as IPv4, without zone id
    client_port: int | None = None
    name: str = ""  # reverse name, written by whoever owns the address
    helo: str = ""
    local: str = ""  # our own address
    port: int | None = None  # our own port
    user: str = ""
    method: str = ""  # SASL mechanism, upper case
    cover: Cover = Cover.UNKNOWN
    tls: str = ""  # TLSv1.3, TLSv1.2, TLSv1.1, TLSv1, SSLv3
    cipher: str = ""
    exchange: str = ""  # key exchange: X25519, ECDHE, RSA (none that keeps a secret) …
    queue: str = ""  # queue id
    sender: str = ""
    recipient: str = ""
    message_id: str = ""
    relay: str = ""  # the server a message went to, or the mailbox
    size: int | None = None  # bytes
    recipients: int | None = None
    commands: str = ""  # counters of a disconnect line: ehlo=2 starttls=1 auth=0/1 …
    attempts: int | None = None  # logins tried in this connection, where the line counts them
    code: str = ""  # SMTP reply and enhanced code, or the daemon's own reason code
    reason: str = ""  # free text, passwords masked
    session: str = ""  # the daemon's own id of the connection
    source: int = 0  # number of the source in the lake's manifest
    offset: int = 0  # of the line in its source, bytes


@dataclass(frozen=True, slots=True)
class Session:
    """One connection, over all daemons that served it. Columns of the lake's `sessions`, in this order."""

    key: str  # host, daemon and pid with the start, or host and the daemon's own id
    started: int
    ended: int
    host: str
    service: str
    port: int | None
    client: str
    client_port: int | None
    name: str
    helo: str
    user: str  # who logged in; else who was tried last
    method: str
    cover: Cover
    starttls: bool | None  # None where it cannot be told
    tls: str
    cipher: str
    exchange: str
    forward_secret: bool | None
    outcome: str  # authenticated, accepted, failed, rejected, violation, handshake-failed, idle, open
    attempts: int
    failures: int
    messages: int
    recipients: int
    read_bytes: int  # sent to the client, as far as a log tells
    queues: tuple[str, ...]
    lines: int


class Act(StrEnum):
    """What somebody did, as the detections count it."""

    CERTIFICATE_REJECTED = "certificate-rejected"
    CLEAR_LOGIN = "clear-login"  # logged in without TLS
    CLEAR_REFUSED = "clear-refused"
    DROPPED = "dropped"
    EARLY = "early"
    HANDSHAKE_FAILED = "handshake-failed"
    LEGACY_TLS = "legacy-tls"
    LOGIN = "login"
    LOGIN_FAILED = "login-failed"
    MESSAGE = "message"  # submitted or relayed inward; `amount` is the number of recipients
    NOT_SMTP = "not-smtp"
    OUTBOUND = "outbound"  # delivered to a peer; `cover` tells how
    PIPELINING = "pipelining"
    PROBE = "probe"  # connected and did nothing
    PROTOCOL_ERROR = "protocol-error"
    QUEUE = "queue"  # deferred, bounced, expired
    RATE_LIMITED = "rate-limited"
    READ = "read"  # fetched from a mailbox; `amount` is bytes
    REJECTED = "rejected"
    RELAY_TRIED = "relay-tried"
    RULE_CHANGED = "rule-changed"  # a Sieve script was stored
    UNKNOWN_RECIPIENT = "unknown-recipient"


@dataclass(frozen=True, slots=True)
class Signal:
    """Columns of the lake's `signals`, in this order. Field names are those the detection rules select on."""

    at: int
    host: str
    service: str
    port: int | None
    act: Act
    client: str
    network: str  # the /24 of an IPv4 client, the /64 of an IPv6 one
    user: str
    method: str
    cover: Cover
    tls: str
    peer: str  # domain or server on the other side of a delivery
    cause: str  # daemon's own word: unknown user, no shared cipher, GET, RCPT …
    amount: int  # 1 where nothing else is counted
    session: str
    source: int
    offset: int
