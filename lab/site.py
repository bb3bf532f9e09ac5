"""One mail host of the lab: a name, an address, and how it differs from the good one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from gatepost.demo.authority import Flaw, KeyKind

DOMAIN = "lab.test"
POSTFIX_PORTS = (25, 465, 587)
DOVECOT_PORTS = {110: "pop3", 143: "imap", 993: "imap", 995: "pop3", 4190: "sieve", 24: "lmtp"}
Settings = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Extra:
    """A listener besides the usual ones: another Postfix service. `command` is its master.cf command."""

    port: int
    settings: Settings
    command: str = "smtpd"


@dataclass(frozen=True, slots=True)
class Site:
    """`postfix` overrides settings per port (0: all three). `dovecot` is text appended to the Dovecot file.
    `papers` names a certificate per port (0: all).
    `declare` replaces what the declaration says about a service, by its name; empty leaves it out.
    """

    name: str
    address: str
    postfix: Mapping[int, Settings] = field(default_factory=dict)
    dovecot: str = ""
    papers: Mapping[int, Flaw] = field(default_factory=dict)
    key: KeyKind = KeyKind.RSA
    extra: tuple[Extra, ...] = ()
    without: tuple[int, ...] = ()
    declare: Mapping[str, str] = field(default_factory=dict)
    command: Mapping[int, str] = field(default_factory=dict)  # port -> what serves it instead of smtpd
    services: str = ""  # more lines of master.cf

    def flaw(self, port: int) -> Flaw:
        return self.papers.get(port, self.papers.get(0, Flaw.NONE))

    def settings(self, port: int) -> dict[str, str]:
        return {**self.postfix.get(0, {}), **self.postfix.get(port, {})}


def declaration(sites: tuple[Site, ...], today: date) -> str:
    """`gatepost.toml` for these hosts: each as the good one should be."""
    head = 'version = 1\norganization = "Lab"\n\n[zones]\nlab = ["127.0.0.0/8"]\n'
    return head + "".join(_host(site, today) for site in sites)


def domain_declaration(host: Site, resolver: str, keys: Mapping[str, Path]) -> str:
    """What the lab's domain should say, to be added: `keys` are the files of its DKIM selectors."""
    selectors = "".join(f'  {{ selector = "{name}", key = "{file}" }},\n' for name, file in keys.items())
    return f"""
[dns]
resolver = "{resolver}"

[domains."{DOMAIN}"]
mx = ["{host.name}"]
senders = ["{host.name}"]
dkim = [
{selectors}]
dmarc = "reject"
dmarc_reports = ["dmarc@{DOMAIN}"]
mta_sts = "enforce"
tls_reports = ["tls-reports@{DOMAIN}"]
dane = true
caa = ["ca.{DOMAIN}"]
"""


def _host(site: Site, today: date) -> str:
    end = today + timedelta(days=180)
    dated = f'from = ["lab"], owner = "helpdesk", until = {end}, reason = "old clients of the lab"'
    usual = {
        "smtp": '"smtp"',
        "submissions": '"submissions"',
        "submission": '"submission"',
        "imaps": '"imaps"',
        "pop3s": '"pop3s"',
        "imap": f'{{ name = "imap", {dated} }}',
        "pop3": f'{{ name = "pop3", {dated} }}',
        "managesieve": '"managesieve"',
        "lmtp": '{ name = "lmtp", from = ["lab"] }',
    }
    lines = [line for line in {**usual, **site.declare}.values() if line]
    listed = "".join(f"  {line},\n" for line in lines)
    return f'\n[hosts."{site.name}"]\naddresses = ["{site.address}"]\nservices = [\n{listed}]\n'
