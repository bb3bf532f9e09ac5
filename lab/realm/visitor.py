"""Somebody standing in a zone: sends a message, reads a mailbox, knocks on ports.

`python -m lab.realm.visitor` runs inside a namespace: one request as JSON on standard input, one answer as JSON on
standard output. `lab.realm.visits` is the other side.
"""

from __future__ import annotations

import contextlib
import errno
import imaplib
import json
import smtplib
import socket
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from typing import TypedDict

PATIENCE = 10.0  # seconds until a message must have arrived
IMPATIENCE = 1.0  # seconds a knock may stay unanswered: the way is a few hops inside one kernel
CLIENT = "visitor.realm.test"


class Sending(TypedDict):
    """`login` is a user and password, or nothing. `start`: clear, starttls or tls."""

    address: str
    port: int
    start: str
    ca: str
    login: list[str]
    sender: str
    to: str
    subject: str
    source: str


class Reading(TypedDict):
    address: str
    port: int
    ca: str
    login: list[str]
    subject: str


class Knocking(TypedDict):
    targets: list[tuple[str, int]]


def main() -> None:
    verb, asked = sys.argv[1], json.load(sys.stdin)
    answer = {"send": _send, "read": _read, "knock": _knock}[verb](asked)
    json.dump(answer, sys.stdout)


def _send(asked: Sending) -> str:
    """Empty when the server took it, else what it said."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = asked["sender"], asked["to"], asked["subject"]
    message.set_content(f"This is {asked['subject']}.")
    try:
        with _connected(asked) as smtp:
            if asked["start"] == "starttls":
                smtp.starttls(context=_trusting(asked["ca"]))
            if asked["login"]:
                _log_in(smtp, *asked["login"])
            smtp.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _log_in(smtp: smtplib.SMTP, user: str, password: str) -> None:
    """By PLAIN, as mail programs do inside TLS; `login` would try what hides the password first."""
    smtp.ehlo_or_helo_if_needed()
    smtp.user, smtp.password = user, password
    smtp.auth("PLAIN", smtp.auth_plain)


def _connected(asked: Sending) -> smtplib.SMTP:
    where, source = (asked["address"], asked["port"]), (asked["source"], 0) if asked["source"] else None
    if asked["start"] == "tls":
        context = _trusting(asked["ca"])
        return smtplib.SMTP_SSL(*where, CLIENT, timeout=PATIENCE, source_address=source, context=context)
    return smtplib.SMTP(*where, CLIENT, timeout=PATIENCE, source_address=source)


def _read(asked: Reading) -> str:
    """The message with this subject, as soon as it is there; empty when it does not come."""
    deadline = time.monotonic() + PATIENCE
    with imaplib.IMAP4_SSL(
        asked["address"], asked["port"], ssl_context=_trusting(asked["ca"]), timeout=PATIENCE
    ) as box:
        box.login(*asked["login"])
        while time.monotonic() < deadline:
            box.select("INBOX", readonly=True)
            _said, found = box.search(None, "HEADER", "Subject", f'"{asked["subject"]}"')
            if found and found[0]:
                _said, parts = box.fetch(found[0].split()[-1].decode(), "(BODY.PEEK[])")
                return str(parts[0][1], "utf-8", "replace") if isinstance(parts[0], tuple) else ""
            time.sleep(0.1)
    return ""


def _trusting(ca: str) -> ssl.SSLContext:
    """The realm's own CA. It is visited by address, so the name is not looked at."""
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = False
    return context


def _knock(asked: Knocking) -> list[str]:
    with ThreadPoolExecutor(64) as pool:
        return list(pool.map(_one, asked["targets"]))


def _one(target: tuple[str, int]) -> str:
    """In the words of `gatepost.model.rules.Reach`."""
    try:
        with contextlib.closing(socket.create_connection((target[0], target[1]), timeout=IMPATIENCE)):
            return "reached"
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silent"
    except OSError as error:
        rejected = {errno.EHOSTUNREACH, errno.EACCES, errno.EPERM}
        return "rejected" if error.errno in rejected else "no-route" if error.errno == errno.ENETUNREACH else str(error)


if __name__ == "__main__":
    main()
