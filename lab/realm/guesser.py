"""Somebody in a zone who tries passwords, and somebody who just stays connected.

`python -m lab.realm.guesser` runs inside a namespace and goes on for as long as it is asked: a request a line as JSON
on standard input, an answer a line on standard output. `lab.realm.guesses` is the other side.
"""

from __future__ import annotations

import base64
import imaplib
import json
import poplib
import smtplib
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypedDict

PATIENCE = 3.0  # seconds for an answer
KNOCK = 1.0  # seconds a connection that stays may be unanswered
BEAT = 0.004  # seconds between two questions of whoever stays connected
CLIENT = "guesser.realm.test"


class Asked(TypedDict):
    """`what` is login, stay or left. `tls`: clear, starttls or tls."""

    what: str
    address: str
    port: int
    speaks: str
    tls: str
    user: str
    password: str


class Told(TypedDict):
    """`said` is in, refused (the password), silent, unreached (a reset), or how it ended.

    `at` is on the clock that all processes share, CLOCK_MONOTONIC.
    """

    said: str
    at: float


def main() -> None:
    stays = Stay()
    doing: dict[str, Callable[[Asked], Told]] = {"left": stays.left, "login": _login, "stay": stays.begin}
    for line in sys.stdin:
        asked: Asked = json.loads(line)
        sys.stdout.write(json.dumps(doing[asked["what"]](asked)) + "\n")
        sys.stdout.flush()


def _login(asked: Asked) -> Told:
    try:
        said = "in" if SPEAKING[asked["speaks"]](asked) else "refused"
    except ConnectionRefusedError:
        said = "unreached"
    except TimeoutError:
        said = "silent"
    except (OSError, EOFError, imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPException) as error:
        said = f"ended: {type(error).__name__}"
    return {"said": said, "at": time.monotonic()}


def _smtp(asked: Asked) -> bool:
    where = (asked["address"], asked["port"], CLIENT)
    tls = asked["tls"] == "tls"
    with (
        smtplib.SMTP_SSL(*where, timeout=PATIENCE, context=_any())
        if tls
        else smtplib.SMTP(*where, timeout=PATIENCE) as smtp
    ):
        if asked["tls"] == "starttls":
            smtp.starttls(context=_any())
        smtp.ehlo()
        smtp.user, smtp.password = asked["user"], asked["password"]
        try:
            smtp.auth("PLAIN", smtp.auth_plain)
        except smtplib.SMTPAuthenticationError:
            return False
        return True


def _imap(asked: Asked) -> bool:
    where = (asked["address"], asked["port"])
    tls = asked["tls"] == "tls"
    with (
        imaplib.IMAP4_SSL(*where, ssl_context=_any(), timeout=PATIENCE)
        if tls
        else imaplib.IMAP4(*where, timeout=PATIENCE) as imap
    ):
        if asked["tls"] == "starttls":
            imap.starttls(_any())
        try:
            imap.login(asked["user"], asked["password"])
        except imaplib.IMAP4.error:
            return False
        return True


def _pop3(asked: Asked) -> bool:
    where = (asked["address"], asked["port"])
    tls = asked["tls"] == "tls"
    pop = poplib.POP3_SSL(*where, context=_any(), timeout=PATIENCE) if tls else poplib.POP3(*where, timeout=PATIENCE)
    try:
        if asked["tls"] == "starttls":
            pop.stls(_any())
        pop.user(asked["user"])
        pop.pass_(asked["password"])
        pop.quit()
    except poplib.error_proto:
        return False
    finally:
        pop.close()
    return True


def _sieve(asked: Asked) -> bool:
    """RFC 5804. Replies end with a line that begins with OK, NO or BYE."""
    with socket.create_connection((asked["address"], asked["port"]), PATIENCE) as plain:
        talk = plain.makefile("rwb")
        _reply(talk)
        talk.write(b"STARTTLS\r\n")
        talk.flush()
        _reply(talk)
        with _any().wrap_socket(plain) as secret:
            inner = secret.makefile("rwb")
            _reply(inner)
            word = base64.b64encode(f"\0{asked['user']}\0{asked['password']}".encode()).decode()
            inner.write(f'AUTHENTICATE "PLAIN" "{word}"\r\n'.encode())
            inner.flush()
            return _reply(inner)


def _reply(talk: object) -> bool:
    while line := talk.readline():  # type: ignore[attr-defined]  # a file over a socket
        if line[:2] in (b"OK", b"NO") or line[:3] == b"BYE":
            return bool(line[:2] == b"OK")
    raise EOFError


def _any() -> ssl.SSLContext:
    """Who guesses does not look at certificates."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


SPEAKING: dict[str, Callable[[Asked], bool]] = {"imap": _imap, "pop3": _pop3, "sieve": _sieve, "smtp": _smtp}


@dataclass(slots=True)
class Stay:
    """A connection in IMAP that asks NOOP over and over, and notes when it was answered last."""

    answered: float = 0.0
    ended: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def begin(self, asked: Asked) -> Told:
        call = socket.create_connection((asked["address"], asked["port"]), KNOCK)
        call.recv(1024)
        threading.Thread(target=self._talk, args=(call,), daemon=True).start()
        return {"said": "in", "at": time.monotonic()}

    def left(self, _asked: Asked) -> Told:
        """Waits for its end. `at` is the last answer."""
        return {"said": self.ended if self.over.wait(10 * KNOCK) else "alive", "at": self.answered}

    def _talk(self, call: socket.socket) -> None:
        try:
            while True:
                call.sendall(b"a NOOP\r\n")
                if not call.recv(1024):
                    self.ended = "closed"
                    break
                self.answered = time.monotonic()
                time.sleep(BEAT)
        except TimeoutError:
            self.ended = "silent"
        except OSError:
            self.ended = "reset"
        self.over.set()


if __name__ == "__main__":
    main()
