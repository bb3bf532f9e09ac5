"""Handing one message to mail, a webhook, syslog or Apprise. What fails is a sentence, and names no secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from gatepost import catalogue
from gatepost.errors import because
from gatepost.model.watching import Delivery
from gatepost.model.words import Severity
from gatepost.report.escape import printable
from gatepost.report.watching import Letter

PATIENCE = 15.0  # seconds for one step of a conversation
LARGEST_SECRET = 4096
LONGEST_DATAGRAM = 2048  # octets; RFC 5424 section 6.1 asks receivers for them
FACILITY = 4  # security and authorization, RFC 5424 section 6.2.1
LEVELS = {Severity.CRITICAL: 2, Severity.HIGH: 3, Severity.MEDIUM: 4, Severity.LOW: 5, Severity.INFO: 6}
SIGNATURE, TIMESTAMP = "X-Gatepost-Signature", "X-Gatepost-Timestamp"


@dataclass(frozen=True, slots=True)
class Poster:
    """`host` is how this machine calls itself. `context` is for tests that have an authority of their own."""

    host: str
    context: ssl.SSLContext | None = None

    def post(self, where: Delivery, letter: Letter, now: datetime) -> str:
        """Empty when it was taken; else why not, in a sentence."""
        way = _ways().get(where.to.partition(":")[0], _apprise)
        try:
            return way(self, where, letter, now)
        except smtplib.SMTPResponseException as error:
            return _refused(error.smtp_code, error.smtp_error)
        except smtplib.SMTPRecipientsRefused as error:
            return _refused(*next(iter(error.recipients.values())))
        except (smtplib.SMTPException, http.client.HTTPException) as error:
            return f"{type(error).__name__}: the other side does not speak as it should"
        except OSError as error:  # before ValueError, which a bad certificate is as well
            return because(error)[:200]
        except ValueError:
            return "the secret is not text, or a name in the message cannot be sent"


def _refused(code: int, said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"the mail server said {code} {printable(text, 200)}"


def _ways() -> dict[str, Callable[[Poster, Delivery, Letter, datetime], str]]:
    return {"mailto": _mail, "https": _webhook, "syslog": _syslog}


def _secret(where: Delivery) -> str:
    """The first line of its file."""
    if not where.secret:
        return ""
    with Path(where.secret).open("rb") as file:
        text = file.read(LARGEST_SECRET).decode()
    return (text.splitlines() or [""])[0].strip()


def _mail(poster: Poster, where: Delivery, letter: Letter, now: datetime) -> str:
    road = urlsplit(where.via or f"smtp://localhost:{catalogue.number('smtp')}")
    user = unquote(road.username or "")
    message = _message(poster, where, letter, now, user)
    with _server(poster, road, user) as server:
        if user:
            server.login(user, unquote(road.password or "") or _secret(where))
        server.send_message(message)
    return ""


def _message(poster: Poster, where: Delivery, letter: Letter, now: datetime, user: str) -> EmailMessage:
    """The library refuses line breaks in a header; RFC 3834 section 5 keeps vacation programs from answering."""
    message = EmailMessage()
    message["From"] = user if "@" in user else f"gatepost@{poster.host}"
    message["To"] = where.to.partition(":")[2]
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(now.astimezone(UTC))
    message["Message-ID"] = make_msgid("gatepost", poster.host)
    message["Auto-Submitted"] = "auto-generated"
    message["Precedence"] = "list"
    message.set_content(letter.text)
    return message


def _server(poster: Poster, road: SplitResult, user: str) -> smtplib.SMTP:
    """A password goes only through verified TLS. Without one, TLS is used where offered, as between mail servers."""
    host, name = road.hostname or "", poster.host
    strict = poster.context or ssl.create_default_context()
    if road.scheme == "smtps":
        port = road.port or catalogue.number("submissions")
        return smtplib.SMTP_SSL(host, port, local_hostname=name, timeout=PATIENCE, context=strict)
    port = road.port or catalogue.number("submission" if user else "smtp")
    server = smtplib.SMTP(host, port, local_hostname=name, timeout=PATIENCE)
    try:
        server.ehlo()
        if user:
            server.starttls(context=strict)
        elif server.has_extn("starttls"):
            server.starttls(context=_any())
        server.ehlo()
    except BaseException:
        server.close()
        raise
    return server


def _any() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _webhook(poster: Poster, where: Delivery, letter: Letter, now: datetime) -> str:
    """The signature covers the time, so that a message that was overheard cannot be played again later."""
    parts = urlsplit(where.to)
    body = json.dumps(dict(letter.payload) | {"subject": letter.subject, "text": letter.text}).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "gatepost", TIMESTAMP: str(int(now.timestamp()))}
    if key := _secret(where):
        headers[SIGNATURE] = signature(key, headers[TIMESTAMP], body)
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    context = poster.context or ssl.create_default_context()
    port = parts.port or catalogue.number("https")
    connection = http.client.HTTPSConnection(parts.hostname or "", port, timeout=PATIENCE, context=context)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return "" if 200 <= answer.status < 300 else f"the webhook answered {answer.status} {answer.reason[:100]}"
    finally:
        connection.close()


def signature(key: str, timestamp: str, body: bytes) -> str:
    """What the receiver computes again: HMAC-SHA256 over the timestamp, a full stop, and the body."""
    return "sha256=" + hmac.new(key.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def _syslog(poster: Poster, where: Delivery, letter: Letter, now: datetime) -> str:
    parts = urlsplit(where.to)
    place = (parts.hostname or "", parts.port or catalogue.number("syslog"))
    lines = [_rfc5424(poster, letter, text, now) for text in _lines(letter)]
    if parts.query == "tcp":
        with socket.create_connection(place, PATIENCE) as stream:
            stream.sendall(b"".join(b"%d %b" % (len(line), line) for line in lines))  # RFC 6587 section 3.4.1
        return ""
    family, kind, _, _, address = socket.getaddrinfo(*place, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind) as sender:
        for line in lines:
            sender.sendto(line, address)
    return ""


def _lines(letter: Letter) -> list[str]:
    alerts = letter.payload["alerts"]
    if not isinstance(alerts, list) or not alerts:
        return [letter.subject]
    return [
        " ".join(
            (f"alert={one['id']} severity={one['severity']} count={one['count']}",
             f"clients={','.join(one['clients'][:8])} accounts={json.dumps(','.join(one['accounts'][:8]))}",
             f"title={json.dumps(one['title'])} because={json.dumps(one['because'])}")
        )
        for one in alerts
    ]  # fmt: skip


def _rfc5424(poster: Poster, letter: Letter, text: str, now: datetime) -> bytes:
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    priority = FACILITY * 8 + LEVELS[letter.severity]
    plain = "".join(c if c.isprintable() else "?" for c in text)
    line = f"<{priority}>1 {stamp} {poster.host} gatepost {os.getpid()} alert - \ufeff{plain}".encode()
    return line[:LONGEST_DATAGRAM].decode(errors="ignore").encode()


def _apprise(_: Poster, where: Delivery, letter: Letter, _now: datetime) -> str:
    try:
        import apprise
    except ImportError:
        scheme = where.to.partition(":")[0]
        return f"{scheme}: needs Apprise, which is not installed: pip install 'gatepost[alerts]'"
    told = apprise.Apprise()
    with suppress(TypeError):  # what it raises for what is no text of a URL
        if told.add(where.to):
            return "" if told.notify(title=letter.subject, body=letter.text) else "Apprise could not deliver it"
    return "Apprise does not know this URL"
