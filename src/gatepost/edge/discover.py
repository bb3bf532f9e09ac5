"""From a name to the mail hosts behind it: MX, SRV and published client settings.

    example.org       a mail domain: its exchangers, and the hosts its SRV records name
    mx1.example.org   a host: itself, whatever else its name may have
    192.0.2.25        an address

Client settings are read where a web server offers them over HTTPS; their absence is normal and says nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gatepost import catalogue
from gatepost.certs.chain import Roots
from gatepost.certs.names import a_labels
from gatepost.edge.https import Ask, fetch
from gatepost.edge.resolve import Found, Resolver, literal
from gatepost.errors import PeerError, PeerUnresolved, UsageError
from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Presence
from gatepost.model.observation import Advertised, Unobserved
from gatepost.model.reasons import reason
from gatepost.records import mx, settings, srv

MAX_HOSTS = 50  # of one domain
AUTODISCOVER = "/autodiscover/autodiscover.xml"
OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
REQUEST = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"


@dataclass(frozen=True, slots=True)
class Discovery:
    """`hosts` are names with their addresses, exchangers first. `domain` is empty for a plain host.

    `notes` are sentences about the domain that no observation carries.
    """

    hosts: tuple[tuple[str, tuple[str, ...]], ...]
    advertised: tuple[Advertised, ...] = ()
    unobserved: tuple[Unobserved, ...] = ()
    domain: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """What one source told, or why it could not be asked."""

    advertised: tuple[Advertised, ...] = ()
    unobserved: tuple[Unobserved, ...] = ()
    notes: tuple[str, ...] = ()


async def discover(
    target: str, resolver: Resolver, *, roots: Roots | None = None, https: int | None = None
) -> Discovery:
    """Which hosts a target means. Raises UsageError for a name that does not exist.

    Client settings are fetched only with `roots`; `https` is another port for them than the usual one.
    """
    plain = target.strip().removeprefix("[").removesuffix("]")
    if address := literal(plain):
        return Discovery(((address, (address,)),))
    name = a_labels(plain)
    if name is None or not name.isprintable() or " " in name:
        raise UsageError(f"{target!r} is neither a host name, a domain nor an address")
    told, own = await asyncio.gather(_records(name, resolver), resolver.find(name))
    names = list(dict.fromkeys(one.target for one in told.advertised))[:MAX_HOSTS]
    if not names:
        return await _itself(name, own, told, resolver)
    if roots is not None:
        told = _together((told, await _settings(name, resolver, roots, https)))
    return await _behind(name, names, told, resolver)


async def _itself(name: str, own: Found, told: Published, resolver: Resolver) -> Discovery:
    """No record leads elsewhere: the name is a host, or a domain without mail, or nothing.

    Where DNS could not be asked it may be any of them: what becomes of each question is told as a domain's.
    """
    lost = tuple(_lost(Endpoint(name), "addresses", error) for error in own.trouble)
    if not own.addresses and (await resolver.asker(name, "MX")).presence is Presence.ABSENT:
        raise UsageError(str(own.trouble[0]))
    mailless = name if told.notes or not own.addresses or await _of_its_own(name, resolver) else ""
    hosts = ((name, own.addresses),) if own.addresses else ()
    return Discovery(hosts, told.advertised, (*told.unobserved, *lost), mailless, told.notes)


async def _of_its_own(name: str, resolver: Resolver) -> bool:
    """A name that somebody registered, or that has a DMARC policy, is a domain whether or not it takes mail."""
    from gatepost.records.suffixes import suffixes

    if suffixes().organizational(name) == name:
        return True
    policy = await resolver.asker(f"_dmarc.{name}", "TXT")
    return any(text.startswith("v=DMARC1") for text in policy.values)


async def _behind(name: str, names: list[str], told: Published, resolver: Resolver) -> Discovery:
    found = await asyncio.gather(*(_host(one, resolver) for one in names))
    hosts = tuple((one, addresses.addresses) for one, addresses in zip(names, found, strict=True))
    lost = tuple(
        _lost(Endpoint(one), "addresses", error)
        for one, addresses in zip(names, found, strict=True)
        for error in addresses.trouble
    )
    reachable = tuple(host for host in hosts if host[1])
    return Discovery(reachable, told.advertised, (*told.unobserved, *lost), name, told.notes)


async def _host(name: str, resolver: Resolver) -> Found:
    """An exchanger must be a name (RFC 5321 section 5.1); some records hold an address all the same."""
    if literal(name):
        return Found((), (PeerUnresolved(f"{name} is an address where a name is due"),))
    return await resolver.find(name)


async def _records(name: str, resolver: Resolver) -> Published:
    services = (_services(name, label, service, resolver) for label, service in srv.labels().items())
    return _together(await asyncio.gather(_exchangers(name, resolver), *services))


async def _settings(name: str, resolver: Resolver, roots: Roots, https: int | None) -> Published:
    sources = (_autoconfig, _autodiscover)
    return _together(await asyncio.gather(*(source(name, resolver, roots, https) for source in sources)))


def _together(parts: Iterable[Published]) -> Published:
    kept = tuple(parts)
    return Published(
        tuple(one for part in kept for one in part.advertised),
        tuple(one for part in kept for one in part.unobserved),
        tuple(one for part in kept for one in part.notes),
    )


async def _exchangers(name: str, resolver: Resolver) -> Published:
    try:
        rows = await resolver.mx(name)
    except PeerUnresolved:
        return Published()
    except PeerError as error:
        return Published(unobserved=(_lost(Endpoint(name), "mx", error),))
    if mx.refuses_mail(rows):
        return Published(notes=(f"{name} accepts no mail (null MX, RFC 7505)",))
    return Published(mx.exchangers(name, rows))


async def _services(name: str, label: str, service: str, resolver: Resolver) -> Published:
    try:
        rows = await resolver.srv(f"{label}.{name}")
    except PeerError as error:
        return Published(unobserved=(_lost(Endpoint(name), f"srv:{service}", error),))
    return Published(srv.services(name, service, rows))


async def _autoconfig(name: str, resolver: Resolver, roots: Roots, https: int | None) -> Published:
    places = (
        (f"autoconfig.{name}", f"/mail/config-v1.1.xml?emailaddress=postmaster%40{name}"),
        (name, "/.well-known/autoconfig/mail/config-v1.1.xml"),
    )
    return await _first("autoconfig", name, places, b"", settings.autoconfig, resolver, roots, https)


async def _autodiscover(name: str, resolver: Resolver, roots: Roots, https: int | None) -> Published:
    asked = (
        f'<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="{REQUEST}"><Request>'
        f"<EMailAddress>postmaster@{name}</EMailAddress>"
        f"<AcceptableResponseSchema>{OUTLOOK}</AcceptableResponseSchema></Request></Autodiscover>"
    ).encode()
    places = ((f"autodiscover.{name}", AUTODISCOVER), (name, AUTODISCOVER))
    return await _first("autodiscover", name, places, asked, settings.autodiscover, resolver, roots, https)


async def _first(
    via: str,
    name: str,
    places: Iterable[tuple[str, str]],
    body: bytes,
    read: Callable[[str, str], tuple[Advertised, ...]],
    resolver: Resolver,
    roots: Roots,
    https: int | None,
) -> Published:
    """The first place that has the document. A dedicated host that exists and fails is worth telling."""
    lost: list[Unobserved] = []
    for host, path in places:
        found = await resolver.find(host)
        if not found.addresses:
            continue
        try:
            text = await fetch(Ask(host, found.addresses[0], https or catalogue.number("https"), path, body), roots)
            return Published(read(text, name))
        except PeerError as error:
            if host != name:
                lost.append(_lost(Endpoint(name), via, error))
    return Published(unobserved=tuple(lost))


def _lost(at: Endpoint, wanted: str, error: PeerError) -> Unobserved:
    return Unobserved(at, wanted, reason(error), str(error))
