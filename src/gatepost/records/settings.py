"""Client settings published as XML: Thunderbird's autoconfig and Outlook's autodiscover.

The text comes from a stranger's web server. A document type declaration is refused before any parsing, which
leaves no entities to expand.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from gatepost import catalogue
from gatepost.errors import PeerGarbled
from gatepost.model.architecture import Endpoint
from gatepost.model.observation import Advertised
from gatepost.model.words import Mode

MAX_TEXT = 262144  # characters
MAX_SERVERS = 50

PROTOCOLS = frozenset({"imap", "pop3", "smtp"})
SOCKETS = {"SSL": Mode.IMPLICIT, "STARTTLS": Mode.STARTTLS, "PLAIN": Mode.NONE}
ENCRYPTIONS = {"SSL": Mode.IMPLICIT, "TLS": Mode.STARTTLS, "NONE": Mode.NONE}


def autoconfig(text: str, domain: str) -> tuple[Advertised, ...]:
    """`config-v1.1.xml`. Raises PeerGarbled."""
    root = _tree(text)
    if _plain(root) != "clientConfig":
        raise PeerGarbled(f"not a client configuration but <{_plain(root)[:40]}>")
    servers = [one for one in root.iter() if _plain(one) in {"incomingServer", "outgoingServer"}]
    return _kept(_autoconfigured(one, domain, n) for n, one in enumerate(servers[:MAX_SERVERS]))


def autodiscover(text: str, domain: str) -> tuple[Advertised, ...]:
    """The answer of an `autodiscover.xml` (POX). Exchange's own protocols are passed over. Raises PeerGarbled."""
    root = _tree(text)
    if _plain(root) != "Autodiscover":
        raise PeerGarbled(f"not an autodiscover answer but <{_plain(root)[:40]}>")
    protocols = [one for one in root.iter() if _plain(one) == "Protocol"]
    return _kept(_autodiscovered(one, domain, n) for n, one in enumerate(protocols[:MAX_SERVERS]))


def _kept(found: Iterator[Advertised | None]) -> tuple[Advertised, ...]:
    return tuple(one for one in found if one is not None)


def _autoconfigured(server: ET.Element, domain: str, n: int) -> Advertised | None:
    protocol = server.get("type", "").lower()
    mode = SOCKETS.get(_text(server, "socketType").upper(), Mode.NONE)
    target = _text(server, "hostname").replace("%EMAILDOMAIN%", domain)
    return _advertised(domain, "autoconfig", protocol, target, _text(server, "port"), mode, n)


def _autodiscovered(protocol: ET.Element, domain: str, n: int) -> Advertised | None:
    """`Encryption` wins over `SSL`, whose default is on."""
    spoken = _text(protocol, "Type").lower()
    encryption = _text(protocol, "Encryption").upper()
    usual = Mode.NONE if _text(protocol, "SSL").lower() == "off" else Mode.IMPLICIT
    mode = ENCRYPTIONS.get(encryption, usual)
    return _advertised(domain, "autodiscover", spoken, _text(protocol, "Server"), _text(protocol, "Port"), mode, n)


def _advertised(domain: str, via: str, protocol: str, target: str, port: str, mode: Mode, n: int) -> Advertised | None:
    """None for what is no mail server, or has no usable host and port."""
    number = int(port) if port.isascii() and port.isdecimal() and len(port) <= 5 else 0
    name = "".join(c for c in target if c.isprintable()).rstrip(".").lower()[:253]
    if protocol not in PROTOCOLS or not name or not 0 < number < 65536:
        return None
    row = catalogue.port_numbered(number)
    service = row.id if row and row.protocol == protocol else ""
    return Advertised(Endpoint(domain), via, service, name, number, mode, n)


def _tree(text: str) -> ET.Element:
    if len(text) > MAX_TEXT:
        raise PeerGarbled(f"a document longer than {MAX_TEXT} characters")
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise PeerGarbled("XML with a document type declaration")
    try:
        return ET.fromstring(text)  # noqa: S314 - no declaration, no entities
    except (ET.ParseError, ValueError) as error:
        raise PeerGarbled(f"not XML: {str(error)[:100]}") from None


def _plain(element: ET.Element) -> str:
    """The name without its namespace, which both formats are published with and without."""
    return str(element.tag).rpartition("}")[2]


def _text(element: ET.Element, name: str) -> str:
    found = next((one for one in element if _plain(one) == name), None)
    return (found.text or "").strip() if found is not None else ""
