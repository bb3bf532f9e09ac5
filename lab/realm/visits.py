"""What people in the zones do with the mail host: send, read back, knock."""

from __future__ import annotations

import json
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lab.realm import ground
from lab.realm.host import Realm
from lab.realm.postfix import DOMAIN, MAILBOX
from lab.realm.visitor import Knocking, Reading, Sending

STRANGER = "somebody@elsewhere.test"
SMTP, SUBMISSIONS, SUBMISSION, IMAPS = 25, 465, 587, 993


@dataclass(frozen=True, slots=True)
class Way:
    """One way for a message into the host. `start`: clear, starttls or tls; `family` 4 or 6."""

    zone: str
    port: int
    start: str
    login: bool = False
    family: int = 4
    source: str = ""
    to: str = MAILBOX
    sender: str = ""  # nothing: whose address it is


ARRIVING = Way("internet", SMTP, "clear")
# What the house promises: all of these work before a change and after it.
PROMISED = (
    ARRIVING,
    Way("internet", SMTP, "starttls", family=6),
    Way("office", SUBMISSION, "starttls", login=True),
    Way("office", SUBMISSION, "starttls", login=True, family=6),
    Way("internet", SUBMISSIONS, "tls", login=True),
    Way("office", SMTP, "clear", source="203.0.113.20"),  # the scanner
)
LEAVING = (
    Way("office", SUBMISSION, "starttls", login=True, to=STRANGER),
    Way("office", SMTP, "clear", source="203.0.113.20", to=STRANGER),
)


def flows(realm: Realm) -> str:
    """Sends a message every promised way and reads each back. Empty when mail flows, else what does not."""
    with ThreadPoolExecutor() as pool:
        told = pool.map(lambda way: _stopped(realm, way), (*PROMISED, *LEAVING))
        return next(filter(None, told), "")


def _stopped(realm: Realm, way: Way) -> str:
    subject, refusal = send(realm, way)
    if refusal:
        return f"{way}: {refusal}"
    arrived = left(realm, subject) if way in LEAVING else read(realm, subject)
    return "" if arrived else f"{way}: accepted, and never arrived"


def send(realm: Realm, way: Way = ARRIVING) -> tuple[str, str]:
    """The subject of the message, and what the host said against it (nothing when it took it)."""
    subject = f"letter {secrets.token_hex(8)}"
    asked: Sending = {
        "address": ground.PUBLIC[way.family == 6],
        "port": way.port,
        "start": way.start,
        "ca": str(realm.ca),
        "login": ["alice", realm.password] if way.login else [],
        "sender": way.sender or (MAILBOX if way.login else f"scanner@{DOMAIN}" if way.source else STRANGER),
        "to": way.to,
        "subject": subject,
        "source": way.source,
    }
    return subject, str(_visit(realm, way.zone, "send", asked))


def read(realm: Realm, subject: str, zone: str = "office") -> str:
    """The message in alice's mailbox, over IMAP; empty when it does not come."""
    asked: Reading = {
        "address": ground.PUBLIC[0],
        "port": IMAPS,
        "ca": str(realm.ca),
        "login": ["alice", realm.password],
        "subject": subject,
    }
    return str(_visit(realm, zone, "read", asked))


def left(realm: Realm, subject: str, patience: float = 10.0) -> bool:
    """The message went out into the world."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if any(subject in file.read_text(errors="replace") for file in realm.sink.iterdir()):
            return True
        time.sleep(0.1)
    return False


def knock(realm: Realm, zone: str, *ports: int, address: str = ground.PUBLIC[0]) -> dict[int, str]:
    """What becomes of a connection from a zone: reached, refused, silent, rejected or no-route."""
    asked: Knocking = {"targets": [(address, port) for port in ports]}
    told = _visit(realm, zone, "knock", asked)
    assert isinstance(told, list)  # noqa: S101 - the visitor answers in the shape of the question
    return dict(zip(ports, map(str, told), strict=True))


def _visit(realm: Realm, zone: str, verb: str, asked: Sending | Reading | Knocking) -> object:
    done = realm.run(zone, sys.executable, "-m", "lab.realm.visitor", verb, stdin=json.dumps(asked))
    if done.returncode:
        raise SystemExit(f"lab: {verb} from {zone}: {done.stderr.strip()}")
    return json.loads(done.stdout)
