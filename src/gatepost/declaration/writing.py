"""`Architecture` to text: the file that `gatepost init` leaves behind, meant to be read and edited.

What `reading.read` makes of the text is the same architecture again, line numbers and file name aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from types import MappingProxyType

from gatepost import catalogue
from gatepost.declaration import durations
from gatepost.declaration.services import a_year_after, catalogued, needs_end, role_of, tcp
from gatepost.declaration.wording import BARE
from gatepost.model.architecture import Architecture, Domain, Egress, Host, Selector, Service, Waiver, Zone
from gatepost.model.watching import Delivery, Watching
from gatepost.model.words import Severity

OWNER = "postmaster"
REASON = "found open by gatepost init; confirm or close"


def adopted(found: Architecture, *, today: date) -> Architecture:
    """Make intent of what was found: each clear-text or legacy port gets an owner, a reason and a year."""
    return replace(
        found,
        hosts=tuple(replace(h, services=tuple(_adopted(s, today) for s in h.services)) for h in found.hosts),
    )


def _adopted(service: Service, today: date) -> Service:
    if not needs_end(service):
        return replace(service, declared=True)
    return replace(
        service,
        declared=True,
        owner=service.owner or OWNER,
        reason=service.reason or REASON,
        until=service.until or a_year_after(today),
    )


def write(
    found: Architecture, zones: Sequence[str] = (), hosts: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> str:
    """`zones` and `hosts` (by name) are comments: what is left to the reader."""
    parts = (
        _head(found),
        *([_dns(found)] if found.resolver else []),
        *([(*_zones(found.zones), *_comments(zones))] if found.zones else []),
        *((*_host(host), *_comments(hosts.get(host.name, ()))) for host in found.hosts),
        *(_domain(domain, found) for domain in found.domains),
        *_watching(found.watching),
        *(_waiver(waiver) for waiver in found.waivers),
    )
    return "\n".join("".join(f"{line}\n" for line in part) for part in parts)


def _comments(lines: Iterable[str]) -> Iterator[str]:
    return (f"# {comment(line)}" for line in lines)


def _head(found: Architecture) -> Iterator[str]:
    yield "# Which mail ports should exist, how each is encrypted, who may reach it and who answers for it."
    yield "# `gatepost audit` holds what it sees against this file. Ports that are not listed should be closed."
    yield "version = 1"
    yield f"organization = {quoted(found.organization)}"
    yield f"profile = {quoted(found.profile)}  # {comment(catalogue.profile(found.profile).title)}"


def _dns(found: Architecture) -> Iterator[str]:
    yield "# Who is asked about DNS, instead of the system's resolver."
    yield "[dns]"
    yield f"resolver = {quoted(found.resolver)}"
    if found.resolver_trusted:
        yield "trusted = true"


def _zones(zones: Iterable[Zone]) -> Iterator[str]:
    yield "# Named networks: `from = [...]` of a service says which of them may reach it."
    yield "[zones]"
    for zone in zones:
        yield f"{key(zone.name)} = {array(map(str, zone.networks))}"


def _host(host: Host) -> Iterator[str]:
    yield f"[hosts.{key(host.name)}]"
    yield f"addresses = {array(host.addresses)}"
    yield "services = ["
    for service in host.services:
        if why := needs_end(service):
            yield f"  # {comment(service.name)} has an end date: {why}."
        yield f"  {_service(service)},{_remark(service)}"
    yield "]"
    yield from _inside(host)


def _inside(host: Host) -> Iterator[str]:
    if host.via:
        yield f"via = {quoted(host.via)}"
    for name in ("postfix", "dovecot", "management", "relay_clients", "proxies", "peers"):
        if texts := getattr(host, name):
            yield f"{name} = {array(texts)}"
    if host.management_ports:
        yield f"management_ports = {numbers(host.management_ports)}"
    if host.egress is not None:
        yield f"egress = [{', '.join(map(_egress, host.egress))}]"
    if host.routes:
        yield "routes = true"
    if host.logs:
        yield f"logs = {array(host.logs)}"


def _egress(one: Egress) -> str:
    pairs = [("to", array(one.to))]
    if one.ports:
        pairs.append(("ports", numbers(one.ports)))
    if one.transport != "tcp":
        pairs.append(("transport", quoted(one.transport)))
    return table(pairs)


def _service(service: Service) -> str:
    """As short as the port catalogue allows."""
    row = catalogue.port(service.name)
    usual = (
        catalogued(row) if row and tcp(row) else Service(service.name, 0, "", role_of(service.protocol), service.mode)
    )
    pairs: list[tuple[str, str]] = []
    if service.port != usual.port:
        pairs.append(("port", str(service.port)))
    for name in ("protocol", "mode", "role", "exposure"):
        value = str(getattr(service, name))
        if value != str(getattr(usual, name)) or (name == "mode" and row is None):
            pairs.append((name, quoted(value)))
    if service.sources:
        pairs.append(("from", array(service.sources)))
    pairs += [(name, quoted(text)) for name in ("owner", "reason") if (text := getattr(service, name))]
    if service.until:
        pairs.append(("until", service.until.isoformat()))
    if not pairs:
        return quoted(service.name)
    return table([("name", quoted(service.name)), *pairs])


def _remark(service: Service) -> str:
    row = catalogue.port(service.name)
    return f"  # {service.port}: {comment(row.role)}" if row else ""


def _domain(domain: Domain, found: Architecture) -> Iterator[str]:
    yield f"[domains.{key(domain.name)}]"
    if domain.mx:
        yield f"mx = [{', '.join(_exchanger(name, found) for name in domain.mx)}]"
    if domain.dmarc:
        yield f"dmarc = {quoted(domain.dmarc)}"
    if domain.mta_sts:
        yield f"mta_sts = {quoted(domain.mta_sts)}"
    if domain.dane:
        yield "dane = true"
    if not domain.sends:
        yield "sends = false"
    for name in ("senders", "includes"):
        if texts := getattr(domain, name):
            yield f"{name} = {array(texts)}"
    if domain.dkim:
        yield f"dkim = [{', '.join(map(_selector, domain.dkim))}]"
    for name in ("dmarc_reports", "tls_reports", "caa"):
        if texts := getattr(domain, name):
            yield f"{name} = {array(texts)}"


def _selector(selector: Selector) -> str:
    if selector.key is None and selector.until is None:
        return quoted(selector.name)
    pairs = [("selector", quoted(selector.name))]
    if selector.key is not None:
        pairs.append(("key", quoted(selector.key)))
    if selector.until is not None:
        pairs.append(("until", selector.until.isoformat()))
    return table(pairs)


def _exchanger(name: str, found: Architecture) -> str:
    return quoted(name) if found.host(name) else table([("host", quoted(name)), ("external", "true")])


def _watching(found: Watching) -> Iterator[tuple[str, ...]]:
    """Only what is not as it would be anyway."""
    logs, watch = tuple(_logs(found)), tuple(_watch(found))
    if logs:
        yield ("# How the logs of all mail ports are read, and how long they are kept.", "[logs]", *logs)
    if watch:
        yield ("# What is done when the logs show an attack.", "[watch]", *watch)


def _logs(found: Watching) -> Iterator[str]:
    usual = Watching()
    if found.zone:
        yield f"zone = {quoted(found.zone)}"
    if found.keep_days != usual.keep_days:
        yield f"keep = {quoted(f'{found.keep_days}d')}"
    if found.pseudonymise_days is not None:
        yield f"pseudonymise = {quoted(f'{found.pseudonymise_days}d')}"
    if found.syslog:
        yield f"syslog = {array(found.syslog)}"


def _watch(found: Watching) -> Iterator[str]:
    usual = Watching()
    for name in ("rules", "off", "allow"):
        if texts := getattr(found, name):
            yield f"{name} = {array(texts)}"
    if found.block:
        yield "block = true"
    if found.block_seconds != usual.block_seconds:
        yield f"block_for = {quoted(durations.written(found.block_seconds))}"
    if found.block_longest != usual.block_longest:
        yield f"block_longest = {quoted(durations.written(found.block_longest))}"
    if found.deliver:
        yield f"deliver = [{', '.join(map(_delivery, found.deliver))}]"
    for name in ("metrics", "policy"):
        if text := getattr(found, name):
            yield f"{name} = {quoted(text)}"


def _delivery(one: Delivery) -> str:
    pairs = [("to", quoted(one.to))]
    if one.at != Severity.HIGH:
        pairs.append(("at", quoted(one.at)))
    pairs += [(name, quoted(text)) for name in ("via", "secret") if (text := getattr(one, name))]
    return quoted(one.to) if len(pairs) == 1 else table(pairs)


def _waiver(waiver: Waiver) -> Iterator[str]:
    yield "[[waivers]]"
    for name in ("control", "subject", "owner", "reason"):
        yield f"{name} = {quoted(getattr(waiver, name))}"
    yield f"expires = {waiver.expires.isoformat()}"


def table(pairs: Iterable[tuple[str, str]]) -> str:
    return "{ " + ", ".join(f"{name} = {value}" for name, value in pairs) + " }"


def array(texts: Iterable[str]) -> str:
    return "[" + ", ".join(map(quoted, texts)) + "]"


def numbers(values: Iterable[int]) -> str:
    return "[" + ", ".join(map(str, values)) + "]"


def key(text: str) -> str:
    return text if text and set(text) <= BARE else quoted(text)


def quoted(text: str) -> str:
    """A TOML basic string; everything that does not print is escaped."""
    return '"' + "".join(_escaped(c) for c in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return f"\\U{ord(character):08x}"


def comment(text: str) -> str:
    return "".join(c for c in text if c.isprintable())
