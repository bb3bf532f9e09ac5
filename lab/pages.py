"""What the lab's web server serves: MTA-STS policies and client settings, each in order or odd in one way."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from gatepost.demo.authority import Flaw
from lab.oddities import ODD_STS
from lab.site import DOMAIN

POLICY = "/.well-known/mta-sts.txt"
SETTINGS = "/mail/config-v1.1.xml"
DISCOVER = "/autodiscover/autodiscover.xml"
HUGE = 1024 * 1024  # octets; RFC 8461 section 3.3 lets a sender stop at 64 KB
FLAWS = {"expired": Flaw.EXPIRED, "wrong-name": Flaw.WRONG_NAME, "unknown-ca": Flaw.UNKNOWN_CA}


@dataclass(frozen=True, slots=True)
class Page:
    """`body` repeated `times`."""

    body: str
    status: str = "200 OK"
    type: str = "text/plain"
    location: str = ""
    times: int = 1


Pages = dict[str, dict[str, Page]]  # by host and path


def certificates() -> dict[str, Flaw]:
    """The web hosts, and what is wrong with the certificate of each."""
    odd = {f"mta-sts.{name}.sts.test": FLAWS.get(name, Flaw.NONE) for name in ODD_STS}
    return {f"{name}.{DOMAIN}": Flaw.NONE for name in ("mta-sts", "autoconfig", "autodiscover")} | odd


def pages(mail: str) -> Pages:
    """`mail` is the exchanger of every domain that has a policy."""
    return {
        f"mta-sts.{DOMAIN}": {POLICY: Page(_policy(mail))},
        f"autoconfig.{DOMAIN}": {SETTINGS: Page(_autoconfig(mail), type="text/xml")},
        f"autodiscover.{DOMAIN}": {DISCOVER: Page(_autodiscover(mail), type="text/xml")},
        **{f"mta-sts.{name}.sts.test": _odd(name, mail) for name in ODD_STS},
    }


def _policy(mx: str, mode: str = "enforce") -> str:
    return f"version: STSv1\r\nmode: {mode}\r\nmx: {mx}\r\nmax_age: 1209600\r\n"


def _odd(name: str, mail: str) -> dict[str, Page]:
    match name:
        case "missing":
            return {}
        case "wrong-mx":
            return {POLICY: Page(_policy("mx.elsewhere.test"))}
        case "redirect":
            return {POLICY: Page("", "301 Moved Permanently", location=f"https://mta-sts.{DOMAIN}{POLICY}")}
        case "huge":
            return {POLICY: Page("x: y\r\n", times=HUGE // 6)}
        case "page":
            return {POLICY: Page("<!DOCTYPE html><title>Welcome</title>", type="text/html")}
        case "testing":
            return {POLICY: Page(_policy(mail, "testing"))}
        case _:
            return {POLICY: Page(_policy(mail))}


def _autoconfig(mail: str) -> str:
    def server(kind: str, protocol: str, port: int) -> str:
        return (
            f'<{kind}Server type="{protocol}"><hostname>{mail}</hostname><port>{port}</port>'
            f"<socketType>SSL</socketType><authentication>password-cleartext</authentication></{kind}Server>"
        )

    servers = server("incoming", "imap", 993) + server("incoming", "pop3", 995) + server("outgoing", "smtp", 465)
    return f'<clientConfig version="1.1"><emailProvider id="{DOMAIN}">{servers}</emailProvider></clientConfig>'


def _autodiscover(mail: str) -> str:
    rows = "".join(
        f"<Protocol><Type>{kind}</Type><Server>{mail}</Server><Port>{port}</Port><SSL>on</SSL></Protocol>"
        for kind, port in (("IMAP", 993), ("POP3", 995), ("SMTP", 465))
    )
    return f"<Autodiscover><Response><Account>{rows}</Account></Response></Autodiscover>"


def write(file: Path, made: Pages) -> None:
    file.write_text(json.dumps({host: {path: asdict(page) for path, page in of.items()} for host, of in made.items()}))


def read(file: Path) -> Pages:
    told = json.loads(file.read_text())
    return {host: {path: Page(**page) for path, page in of.items()} for host, of in told.items()}
