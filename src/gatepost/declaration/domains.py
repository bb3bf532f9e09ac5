"""Domains as declared: who takes their mail, who sends it, and what DNS should say about both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from gatepost.declaration.identity import caa_issuer, included, report_mailbox, report_uri, selectors, sender
from gatepost.declaration.names import domain_name, plain_name
from gatepost.declaration.paper import Paper
from gatepost.declaration.positions import Path
from gatepost.declaration.shapes import DomainShape, ExchangerShape
from gatepost.declaration.wording import clipped, did_you_mean, shown
from gatepost.errors import UsageError
from gatepost.model.architecture import Domain


def read_domains(page: Paper, hosts: frozenset[str], today: date) -> tuple[Domain, ...]:
    """`hosts` are the names written under [hosts], whether or not those tables could be read."""
    found: list[Domain] = []
    for key, raw in page.table(page.tables, "domains").items():
        path: Path = ("domains", key)
        domain = _domain(page, key, raw, path, hosts, today)
        if domain and any(domain.name == other.name for other in found):
            page.problem(path, f"{domain.name} is declared twice")
        elif domain:
            found.append(domain)
    return tuple(found)


def _domain(page: Paper, key: str, raw: object, path: Path, hosts: frozenset[str], today: date) -> Domain | None:
    name = domain_name(key)
    if name is None:
        page.problem(path, f"{shown(key)} is no domain name")
    shape = page.rest(DomainShape, raw, path)
    if shape is None:
        return None
    _check_parked(page, shape, path)
    domain = Domain(
        name or "",
        _exchangers(page, shape, path, hosts),
        shape.dmarc,
        shape.mta_sts,
        shape.dane,
        page.line(path),
        sends=shape.sends,
        senders=_listed(page, shape.senders, (*path, "senders"), lambda text: sender(text, hosts)),
        includes=_listed(page, shape.includes, (*path, "includes"), lambda text: included(text, name)),
        dkim=selectors(page, shape, path, name or "", today),
        dmarc_reports=_listed(page, shape.dmarc_reports, (*path, "dmarc_reports"), report_mailbox),
        tls_reports=_listed(page, shape.tls_reports, (*path, "tls_reports"), report_uri),
        caa=_listed(page, shape.caa, (*path, "caa"), caa_issuer),
    )
    return domain if name else None


def _check_parked(page: Paper, shape: DomainShape, path: Path) -> None:
    """A domain that sends nothing has neither senders nor keys, but may still withdraw keys it had."""
    if shape.sends:
        return
    for key in ("senders", "includes"):
        if getattr(shape, key):
            page.problem((*path, key), "a domain with sends = false has none; drop this, or sends")
    for n, one in enumerate(shape.dkim):
        if one.until is None:
            page.problem((*path, "dkim", n), "a domain with sends = false signs nothing; say until when, or drop it")


def _listed(page: Paper, texts: list[str], path: Path, plain: Callable[[str], str]) -> tuple[str, ...]:
    """Each in its usual spelling. `plain` raises UsageError with the sentence for one that is wrong."""
    found: list[str] = []
    for n, text in enumerate(texts):
        try:
            one = plain(text)
        except UsageError as error:
            page.problem((*path, n), str(error))
            continue
        if one in found:
            page.problem((*path, n), f"{clipped(one)} is listed twice")
        else:
            found.append(one)
    return tuple(found)


def _exchangers(page: Paper, shape: DomainShape, path: Path, hosts: frozenset[str]) -> tuple[str, ...]:
    found: list[str] = []
    for n, one in enumerate(shape.mx):
        host = _exchanger(page, one, (*path, "mx", n), hosts)
        if host in found:
            page.problem((*path, "mx", n), f"{host} is listed twice")
        found.append(host)
    return tuple(found)


def _exchanger(page: Paper, one: ExchangerShape, path: Path, hosts: frozenset[str]) -> str:
    name = plain_name(one.host)
    if name is None:
        page.problem(path, f"{shown(one.host)} is no host name")
    elif not one.external and name not in hosts:
        near = did_you_mean(name, sorted(hosts))
        external = f'; write {{ host = "{clipped(name)}", external = true }} when others run it'
        page.problem(path, f"{name} is not declared under [hosts]{near or external}")
    return name or one.host
