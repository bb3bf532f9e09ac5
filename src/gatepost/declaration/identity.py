"""What a domain says about itself: one value as written, in the spelling that records are made of.

Each function raises UsageError with the sentence for a value that is wrong.
"""

from __future__ import annotations

import re
from datetime import date
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from gatepost.declaration.expand import far_off
from gatepost.declaration.names import LABEL, LONGEST, domain_name, plain_name
from gatepost.declaration.paper import Paper
from gatepost.declaration.positions import Path
from gatepost.declaration.shapes import DomainShape, SelectorShape
from gatepost.declaration.wording import clipped, did_you_mean, shown
from gatepost.errors import UsageError
from gatepost.model.architecture import Selector

Network = IPv4Network | IPv6Network

MACRO = re.compile(r"%\{[a-zA-Z][0-9]*r?[-.+,/_=]*\}")  # RFC 7208 section 7.1
LOCAL_PART = re.compile(r"[A-Za-z0-9#$%&'*+./=?^_`{|}~-]{1,64}")  # of a dot-atom, without what a URI list splits at
URI = re.compile(r"[A-Za-z0-9._~:/?#\[\]@$&'()*+=%-]+")  # RFC 8460 section 3: no comma, semicolon, exclamation mark


def sender(text: str, hosts: frozenset[str]) -> str:
    """An address, a network or a declared host."""
    network = _network(text)
    if network is not None:
        return _public(text, network)
    name = plain_name(text)
    if name in hosts and name is not None:
        return name
    if name is None or name.replace(".", "").isdecimal():
        raise UsageError(f"{shown(text)} is no address, network or name of a host")
    near = did_you_mean(name, sorted(hosts)) or "; write its addresses, or what others publish under includes"
    raise UsageError(f"{clipped(name)} is not declared under [hosts]{near}")


def _network(text: str) -> Network | None:
    """An address is a network of one."""
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        return None
    raise UsageError(f"{shown(text)} has bits set behind the prefix; did you mean {meant}?")


def _public(text: str, network: Network) -> str:
    if "%" in text:
        raise UsageError(f"{shown(text)} has a scope, which means something on one machine only")
    if network.prefixlen == 0:
        raise UsageError(f"{network} would let the whole internet send for the domain")
    if why := _nobody(network.network_address):
        raise UsageError(f"{shown(text)} is {why}: no other site sees mail come from there")
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def _nobody(address: IPv4Address | IPv6Address) -> str:
    """Private networks are not refused: a declaration may describe an island."""
    if address.is_loopback:
        return "loopback"
    if address.is_multicast:
        return "multicast"
    if address.is_link_local:
        return "link-local"
    return "unspecified" if address.is_unspecified else ""


def included(text: str, domain: str | None) -> str:
    """The target of an `include:`; macros are allowed there and kept as written."""
    plain = text.removeprefix("include:")
    if plain != text:
        raise UsageError(f"write the domain alone: {shown(plain)}")
    if _is_address(text):
        raise UsageError(f"{shown(text)} is an address: addresses go under senders")
    macros = bool(MACRO.search(text))
    name = domain_name(MACRO.sub("x", text) if macros else text)
    if name is None:
        raise UsageError(f"{shown(text)} is no domain whose SPF could be included")
    if name == domain:
        raise UsageError(f"{name} cannot include itself")
    return text if macros else name


def selectors(page: Paper, shape: DomainShape, path: Path, domain: str, today: date) -> tuple[Selector, ...]:
    found: list[Selector] = []
    for n, one in enumerate(shape.dkim):
        here: Path = (*path, "dkim", n)
        far_off(page, one.until, (*here, "until"), today)
        selector = _selector(page, one, here, domain)
        if selector and any(selector.name == other.name for other in found):
            page.problem(here, f"selector {selector.name} is listed twice")
        elif selector:
            found.append(selector)
    return tuple(found)


def _selector(page: Paper, one: SelectorShape, path: Path, domain: str) -> Selector | None:
    """One label or several (RFC 6376 section 3.1)."""
    name = one.selector.lower()
    bare = re.sub(r"\._domainkey(\..*)?$", "", name)
    if bare != name:
        page.problem((*path, "selector"), f"write the selector alone: {shown(bare)}")
        return None
    if not all(map(LABEL.fullmatch, name.split("."))):
        page.problem((*path, "selector"), f"{shown(one.selector)} is no selector: letters, digits, - and _ make one")
        return None
    if len(f"{name}._domainkey.{domain}") > LONGEST:
        page.problem((*path, "selector"), f"with the domain its name is longer than {LONGEST} characters")
        return None
    return Selector(name, one.key, one.until, page.line(path))


def report_mailbox(text: str) -> str:
    """Where DMARC reports go: `mailto:` may stand in front, as in the record."""
    plain = text[7:] if text[:7].lower() == "mailto:" else text
    if _scheme(plain) in {"http", "https"}:
        raise UsageError(f"{shown(text)} is no mail address, and DMARC reports go nowhere else")
    local, _, domain = plain.rpartition("@")
    name = domain_name(domain)
    if not LOCAL_PART.fullmatch(local) or name is None or "." not in name:
        raise UsageError(f"{shown(text)} is no mail address")
    return f"{local}@{name}"


def report_uri(text: str) -> str:
    """Where TLS reports go (RFC 8460 section 3): a mail address, or an HTTPS URI that takes a POST."""
    match _scheme(text):
        case "https" if URI.fullmatch(text) and _host_of(text):
            return text
        case "https":
            raise UsageError(f"{shown(text)} is no https URI that fits into a record")
        case "http":
            raise UsageError(f"{shown(text)} is not safe: reports go to https URIs or mail addresses")
        case _:
            return report_mailbox(text)


def _scheme(text: str) -> str:
    return text.partition("://")[0].lower() if "://" in text else ""


def _host_of(uri: str) -> str | None:
    try:
        host = urlsplit(uri).hostname
    except ValueError:
        return None
    return plain_name(host) if host else None


def caa_issuer(text: str) -> str:
    """The domain an authority answers to in CAA records (RFC 8659 section 4.2)."""
    name = domain_name(text)
    if name is None or "." not in name:
        raise UsageError(f"{shown(text)} is no issuer; authorities go by a domain there, like ca.example.net")
    return name


def _is_address(text: str) -> bool:
    try:
        ip_address(text.partition("/")[0])
    except ValueError:
        return False
    return True
