"""What the operator intends: zones, hosts, services, domains, waivers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from ipaddress import IPv4Network, IPv6Network

from gatepost.model.watching import Watching
from gatepost.model.words import Mode, Role


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """One address and port of a named host: the subject of most facts.

    `host` is the name the operator asked for (also sent as SNI), `address` where we looked. A fact about
    a host or domain as a whole has port 0.
    """

    host: str
    address: str = ""
    port: int = 0

    @property
    def place(self) -> str:
        """`mx1.example.org:25`, the form waivers and findings use; the bare host for port 0."""
        return f"{self.host}:{self.port}" if self.port else self.host

    @property
    def family(self) -> int:
        """4 or 6; 0 for a name."""
        return 6 if ":" in self.address else 4 if self.address else 0

    def __str__(self) -> str:
        if not self.port:
            return self.host
        where = f"[{self.address}]" if ":" in self.address else self.address
        return self.place if self.address in {"", self.host} else f"{self.place} ({where})"


@dataclass(frozen=True, slots=True)
class Zone:
    name: str
    networks: tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """One port of a host as it should be.

    `name` is the id of the port catalogue (`submissions`), or the operator's own name for a port that is
    not in it. `sources` are zone names. `declared` is false when the catalogue only presumes the service
    (a bare audit without a declaration).
    """

    name: str
    port: int
    protocol: str
    role: Role
    mode: Mode
    exposure: str = "clients"
    sources: tuple[str, ...] = ()
    owner: str | None = None
    reason: str | None = None
    until: date | None = None
    line: int | None = None
    declared: bool = True


@dataclass(frozen=True, slots=True)
class Egress:
    """Where a host may connect to. `to` are zones, networks or hosts; no `ports` means all of them."""

    to: tuple[str, ...]
    ports: tuple[int, ...] = ()
    transport: str = "tcp"
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """One machine. Lists of who is trusted hold zones, networks and names of declared hosts.

    `via` is how gatepost gets onto it: `local`, `ssh DEST`, `netns NAME`, `docker NAME`; empty: locally where one of
    its addresses is this machine's. `egress` None: anywhere but into the internal zones.
    """

    name: str
    addresses: tuple[str, ...]
    services: tuple[Service, ...]
    line: int | None = None
    via: str = ""
    postfix: tuple[str, ...] = ()  # configuration directories; empty: those that run
    dovecot: tuple[str, ...] = ()  # configuration files
    management: tuple[str, ...] = ()  # who may log in to operate it; empty: from anywhere
    management_ports: tuple[int, ...] = ()  # empty: the catalogue's ssh
    relay_clients: tuple[str, ...] = ()  # may relay without a login
    proxies: tuple[str, ...] = ()  # speak for others: PROXY protocol, XCLIENT
    peers: tuple[str, ...] = ()  # reach its filter and backend listeners
    egress: tuple[Egress, ...] | None = None
    routes: bool = False  # forwards between networks on purpose
    logs: tuple[str, ...] = ()  # paths, `journal`, or `journal:UNIT`; empty: where the host's software writes

    def service(self, port: int) -> Service | None:
        return next((s for s in self.services if s.port == port), None)


@dataclass(frozen=True, slots=True)
class Selector:
    """A DKIM selector of a domain. `key` is a PEM file with the key pair or its public half, as written."""

    name: str
    key: str | None = None
    until: date | None = None  # when it is withdrawn
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Domain:
    """What DNS and policy should say about a mail domain.

    `senders` are addresses, networks and names of hosts that mail of this domain leaves from; empty: its own
    exchangers. `includes` are SPF records of others who send for it. `caa` are issuers that may certify.
    """

    name: str
    mx: tuple[str, ...] = ()
    dmarc: str | None = None
    mta_sts: str | None = None
    dane: bool = False
    line: int | None = None
    sends: bool = True  # false: a parked domain, which should say so
    senders: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    dkim: tuple[Selector, ...] = ()
    dmarc_reports: tuple[str, ...] = ()  # mail addresses
    tls_reports: tuple[str, ...] = ()  # mail addresses or https URIs
    caa: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiver:
    """A dated exception. `subject` is a place (`mx1.example.org:25`), a host or a domain; `*` for all."""

    control: str
    subject: str
    owner: str
    reason: str
    expires: date
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Architecture:
    """The whole declaration. `source` names the file, None when nothing was declared."""

    organization: str = ""
    profile: str = "rfc9325"
    zones: tuple[Zone, ...] = ()
    hosts: tuple[Host, ...] = ()
    domains: tuple[Domain, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    retirements: tuple[str, ...] = field(default=())
    source: str | None = None
    resolver: str = ""  # ADDR[#PORT]; empty: the system's
    resolver_trusted: bool = False  # its word about DNSSEC is believed, although it is not on this machine
    watching: Watching = field(default_factory=Watching)

    def host(self, name: str) -> Host | None:
        return next((h for h in self.hosts if h.name == name), None)

    def domain(self, name: str) -> Domain | None:
        return next((d for d in self.domains if d.name == name), None)
