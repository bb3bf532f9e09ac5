# ruff: noqa: E501, ISC004 - what a daemon writes stands here as it writes it
"""The sentences that Postfix and Dovecot write, as (seconds after the first line, tag, pid, text)."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush

from lab.dice import Dice

Said = tuple[float, str, int, str]
LOCAL = {False: "192.0.2.25", True: "2001:db8:25::25"}
TLS13 = (
    "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519"
    " server-signature RSA-PSS (2048 bits) server-digest SHA256"
)
TLS12 = "TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)"
TLS10 = "TLSv1 with cipher ECDHE-RSA-AES256-SHA (256/256 bits)"
LIBRARY = (
    "0A000102:SSL routines::unsupported protocol:../ssl/statem/statem_srvr.c:1657:",
    "0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2220:",
)
SCREEN = "postfix/postscreen"
SMTPD, SUBMISSION, SUBMISSIONS = "postfix/smtpd", "postfix/submission/smtpd", "postfix/submissions/smtpd"
DOORS = (SMTPD, SUBMISSION, SUBMISSIONS)


@dataclass(slots=True)
class Processes:
    """Process numbers. A daemon that serves one peer at a time keeps its number free until it is done."""

    dice: Dice
    now: float = 0.0
    host: str = "mx1"
    _long: dict[str, int] = field(default_factory=dict)
    _free: dict[tuple[str, str], list[tuple[float, int]]] = field(default_factory=dict)

    def serving(self, tag: str, busy: float = 120) -> int:
        idle = self._free.setdefault((tag, self.host), [])
        pid = heappop(idle)[1] if idle and idle[0][0] <= self.now else 1000 + self.dice.below(4_000_000)
        heappush(idle, (self.now + busy, pid))
        return pid

    def one(self, name: str) -> int:
        pid = self._long.get(name)
        if pid is None or self.dice.chance() < 0.02:
            pid = self._long[name] = 1000 + self.dice.below(4_000_000)
        return pid


class Dovecot:
    def __init__(self, dice: Dice, processes: Processes, version: str) -> None:
        self.dice, self.processes = dice, processes
        self.new = version == "2.4"

    def login(self, user: str, client: str, service: str, tls: str) -> list[Said]:
        dice, pid, session = self.dice, self.processes.one("dovecot"), self.dice.letters(16)
        mailbox = self.processes.one(service)
        word = "Logged in" if self.new else "Login"
        method = "PLAIN" if dice.chance() < 0.9 else "LOGIN"
        here = LOCAL[":" in client]
        told = [(
            0.0, "dovecot", pid,
            f"{service}-login: {word}: user=<{user}>, method={method}, rip={client}, lip={here}, mpid={mailbox}{tls},"
            f" session=<{session}>",
        )]  # fmt: skip
        if service == "imap":
            told.append((
                1.0 + dice.below(400), "dovecot", pid,
                f"imap({user})<{mailbox}><{session}>: Disconnected: Logged out in={dice.below(9999)}"
                f" out={dice.below(999_999)} deleted=0 expunged=0 trashed=0 hdr_count={dice.below(9)}"
                f" hdr_bytes={dice.below(9999)} body_count=0 body_bytes=0",
            ))  # fmt: skip
        elif service == "pop3":
            told.append((
                2.0, "dovecot", pid,
                f"pop3({user})<{mailbox}><{session}>: Disconnected: Logged out top=0/0,"
                f" retr={dice.below(4)}/{dice.below(99_999)}, del=0/{dice.below(99)}, size={dice.below(9_999_999)}",
            ))  # fmt: skip
        return told

    def failure(self, user: str, client: str, service: str, tls: str, tries: int = 1) -> list[Said]:
        dice, pid, session = self.dice, self.processes.one("dovecot"), self.dice.letters(16)
        seconds = 2 + dice.below(18)
        what, code = (
            ("Login aborted: Connection closed", " (auth_failed)")
            if self.new
            else ("Disconnected: Connection closed", "")
        )
        end = (
            float(seconds), "dovecot", pid,
            f"{service}-login: {what} (auth failed, {tries} attempts in {seconds} secs){code}: user=<{user}>,"
            f" method=PLAIN, rip={client}, lip={LOCAL[':' in client]}{tls}, session=<{session}>",
        )  # fmt: skip
        if dice.chance() < 0.5:
            return [end]
        one, other = self.processes.one("auth-worker"), self.processes.one("auth")
        why = (
            f"auth-worker({one}): conn unix:auth-worker (pid={other},uid=97): auth-worker<{dice.below(999)}>:"
            f" sql({user},{client},<{session}>): Password mismatch"
        )
        return [(0.0, "dovecot", pid, why), end]

    def probe(self, client: str, service: str) -> list[Said]:
        session, pid = self.dice.letters(16), self.processes.one("dovecot")
        how = (
            "Login aborted: Connection closed (no auth attempts in 1 secs) (no_auth_attempts)"
            if self.new
            else "Disconnected (no auth attempts in 1 secs)"
        )
        here = LOCAL[":" in client]
        return [
            (1.0, "dovecot", pid, f"{service}-login: {how}: user=<>, rip={client}, lip={here}, session=<{session}>")
        ]

    def handshake(self, client: str, service: str) -> list[Said]:
        session, pid, here = self.dice.letters(16), self.processes.one("dovecot"), LOCAL[":" in client]
        error = "SSL_accept() failed: error:" + self.dice.pick((
            "0A000102:SSL routines::unsupported protocol", "0A0000C1:SSL routines::no shared cipher",
            "0A00009C:SSL routines::http request",
        ))  # fmt: skip
        how = (
            f"Login aborted: Connection closed: {error} (disconnected during TLS handshake) (tls_handshake_not_finished)"
            if self.new
            else f"Disconnected: Connection closed: {error} (no auth attempts in 0 secs)"
        )
        return [(
            0.0, "dovecot", pid,
            f"{service}-login: {how}: user=<>, rip={client}, lip={here}, TLS handshaking: {error}, session=<{session}>",
        )]  # fmt: skip

    def saved(self, user: str, domain: str) -> tuple[str, int, str]:
        dice = self.dice
        return (
            "dovecot", self.processes.one("dovecot"),
            f"lmtp({user})<{self.processes.one('lmtp')}><{dice.letters(16)}>: msgid=<{dice.letters(16)}@{domain}>:"
            " saved mail to INBOX",
        )  # fmt: skip


class Postfix:
    def __init__(self, dice: Dice, processes: Processes, version: str, peers: list[tuple[str, str]]) -> None:
        self.dice, self.processes, self.peers = dice, processes, peers
        self.nothing = "NOQUEUE: " if version == "3.10" else ""  # since 3.10 in front of a broken session

    def refused_login(self, client: str, tag: str, user: str) -> list[Said]:
        dice, who, pid = self.dice, self._who(client), self.processes.serving(tag)
        begun = "" if tag == SUBMISSIONS else " starttls=1"
        why = "UGFzc3dvcmQ6" if dice.chance() < 0.5 else "(reason unavailable)"
        done = 1 + bool(begun)
        return [
            (0.0, tag, pid, f"connect from {who}"),
            (0.2, tag, pid, f"Anonymous TLS connection established from {who}: {self._tls()}"),
            (2.0, tag, pid, f"warning: {who}: SASL LOGIN authentication failed: {why}, sasl_username={user}"),
            (6.0, tag, pid, f"{self.nothing}lost connection after AUTH from {who}"),
            (6.0, tag, pid, f"disconnect from {who} ehlo=1{begun} auth=0/1 commands={done}/{done + 1}"),
        ]

    def submission(self, user: str, client: str, tag: str, tls: str = "", recipients: int = 1) -> list[Said]:
        dice, who, pid, queue = self.dice, self._who(client, 0.2), self.processes.serving(tag), self.dice.queue()
        begun = "" if tag == SUBMISSIONS else " starttls=1"
        told = [
            (0.0, tag, pid, f"connect from {who}"),
            (0.1, tag, pid, f"Anonymous TLS connection established from {who}: {tls or TLS13}"),
            (0.5, tag, pid, f"{queue}: client={who}, sasl_method=PLAIN, sasl_username={user}"),
            (0.6, "postfix/cleanup", self.processes.one("cleanup"), f"{queue}: message-id=<{dice.letters(16)}@example.org>"),
            (0.7, "postfix/qmgr", 811, f"{queue}: from=<{user}>, size={800 + dice.below(99_199)}, nrcpt={recipients} (queue active)"),
            (0.9, tag, pid, f"disconnect from {who} ehlo={2 if begun else 1}{begun} auth=1 mail=1 rcpt={recipients} data=1 quit=1 commands={7 if begun else 6}"),
        ]  # fmt: skip
        sender = self.processes.serving("postfix/smtp", 20)
        for turn in range(recipients):
            name, address = dice.pick(self.peers)
            peer = f"{name}[{address}]:25"
            if not turn:
                trust = "Trusted" if dice.chance() < 0.8 else "Untrusted"
                told.append(
                    (1.1, "postfix/smtp", sender, f"{trust} TLS connection established to {peer}: {self._tls()}")
                )
            told.append(
                (
                    1.5 + 0.1 * turn,
                    "postfix/smtp",
                    sender,
                    self._delivery(queue, f"peer{dice.below(99_999)}@{name}", peer),
                )
            )
        told.append((1.6 + 0.1 * recipients, "postfix/qmgr", 811, f"{queue}: removed"))
        return told

    def inbound(self, user: str, dovecot: Dovecot) -> list[Said]:
        dice, queue, pid = self.dice, self.dice.queue(), self.processes.serving(SMTPD)
        name, address = dice.pick(self.peers)
        who = f"{name}[{address}]"
        secure = dice.chance() < 0.9
        trust = "Trusted" if dice.chance() < 0.3 else "Anonymous"
        told = [
            (0.0, SMTPD, pid, f"connect from {who}"),
            (0.4, SMTPD, pid, f"{queue}: client={who}"),
            (0.5, "postfix/cleanup", self.processes.one("cleanup"), f"{queue}: message-id=<{dice.letters(16)}@{name}>"),
            (0.6, "postfix/qmgr", 811, f"{queue}: from=<news{dice.below(999)}@{name}>, size={800 + dice.below(99_199)}, nrcpt=1 (queue active)"),
            (0.7, SMTPD, pid, f"disconnect from {who} ehlo={1 + secure}{' starttls=1' if secure else ''} mail=1 rcpt=1 data=1 quit=1 commands={5 + 2 * secure}"),
            (0.9, *dovecot.saved(user, name)),
            (1.0, "postfix/lmtp", self.processes.one("delivering"), f"{queue}: to=<{user}>, relay=mx1.example.org[private/dovecot-lmtp], delay=0.5, delays=0.1/0/0.01/0.4, dsn=2.0.0, status=sent (250 2.0.0 <{user}> {dice.letters(16)} Saved)"),
            (1.1, "postfix/qmgr", 811, f"{queue}: removed"),
        ]  # fmt: skip
        if secure:
            told.insert(1, (0.1, SMTPD, pid, f"{trust} TLS connection established from {who}: {self._tls()}"))
        return told

    def rejects(self, client: str, answer: str, recipients: list[str]) -> list[Said]:
        """`answer` is a form with {to} for the recipient and {ip} for the client."""
        dice, who, pid, tried = self.dice, self._who(client), self.processes.serving(SMTPD), len(recipients)
        sender = f"x{dice.below(999)}@spam.example"
        greeting = f"[IPv6:{client}]" if ":" in client else f"[{client}]"
        told = [(0.0, SMTPD, pid, f"connect from {who}")]
        for turn, to in enumerate(recipients):
            text = answer.format(to=to, ip=client)
            told.append((0.5 + 0.3 * turn, SMTPD, pid, f"NOQUEUE: reject: RCPT from {who}: {text}; from=<{sender}> to=<{to}> proto=ESMTP helo=<{greeting}>"))  # fmt: skip
        told.append((0.7 + 0.3 * tried, SMTPD, pid, f"disconnect from {who} ehlo=1 mail=1 rcpt=0/{tried} quit=1 commands=3/{3 + tried}"))  # fmt: skip
        return told

    def violation(self, client: str) -> list[Said]:
        dice, who = self.dice, self._who(client)
        tag = dice.pick((SMTPD, SUBMISSION))
        pid = self.processes.serving(tag)
        what = dice.pick((
            f"warning: non-SMTP command from {who}: GET / HTTP/1.1",
            f"improper command pipelining after CONNECT from {who}: GET / HTTP/1.1\\r\\nHost: 192.0.2.25\\r\\n",
            f"{self.nothing}too many errors after UNKNOWN from {who}",
            f"{self.nothing}lost connection after CONNECT from {who}",
            f"{self.nothing}timeout after CONNECT from {who}",
        ))  # fmt: skip
        return [
            (0.0, tag, pid, f"connect from {who}"),
            (0.5, tag, pid, what),
            (0.6, tag, pid, f"disconnect from {who} unknown=0/1 commands=0/1"),
        ]

    def handshake(self, client: str, tag: str = SMTPD) -> list[Said]:
        who, pid = self._who(client), self.processes.serving(tag)
        return [
            (0.0, tag, pid, f"connect from {who}"),
            (0.2, tag, pid, f"SSL_accept error from {who}: -1"),
            (0.2, tag, pid, f"warning: TLS library problem: error:{self.dice.pick(LIBRARY)}"),
            (0.3, tag, pid, f"{self.nothing}lost connection after STARTTLS from {who}"),
            (0.3, tag, pid, f"disconnect from {who} ehlo=1 starttls=0/1 commands=1/2"),
        ]

    def screened(self, client: str) -> list[Said]:
        dice, pid = self.dice, self.processes.one(SCREEN)
        who = f"[{client}]:{1024 + dice.below(64_511)}"
        told = [(0.0, SCREEN, pid, f"CONNECT from {who} to [{LOCAL[':' in client]}]:25")]
        luck = dice.chance()
        if luck < 0.3:
            told.append((2.0, SCREEN, pid, f"PREGREET 11 after 0.05 from {who}: EHLO User\\r\\n"))
        elif luck < 0.6:
            told.append((3.0, "postfix/dnsblog", self.processes.one("dnsblog"), f"addr {client} listed by domain zen.example as 127.0.0.4"))  # fmt: skip
            told.append((6.0, SCREEN, pid, f"DNSBL rank 3 for {who}"))
        elif luck < 0.8:
            told.append((1.0, SCREEN, pid, f"HANGUP after 0.9 from {who} in tests before SMTP handshake"))
        else:
            told.append((6.0, SCREEN, pid, f"PASS NEW {who}"))
        told.append((7.0, SCREEN, pid, f"DISCONNECT {who}"))
        return told

    def _delivery(self, queue: str, to: str, peer: str) -> str:
        dice, luck = self.dice, self.dice.chance()
        if luck < 0.95:
            end = f"dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {dice.queue()})"
        elif luck < 0.975:
            end = f"dsn=5.1.1, status=bounced (host {peer.removesuffix(':25')} said: 550 5.1.1 User unknown (in reply to RCPT TO command))"
        else:
            end = f"dsn=4.4.1, status=deferred (connect to {peer}: Connection timed out)"
        return f"{queue}: to=<{to}>, relay={peer}, delay={1 + dice.chance():.2f}, delays=0.1/0.01/0.5/{dice.chance():.2f}, {end}"

    def _who(self, client: str, nameless: float = 0.6) -> str:
        if ":" in client or self.dice.chance() < nameless:
            return f"unknown[{client}]"
        return f"host-{client.replace('.', '-')}.dyn.example.net[{client}]"

    def _tls(self) -> str:
        return TLS13 if self.dice.chance() < 0.7 else TLS12
