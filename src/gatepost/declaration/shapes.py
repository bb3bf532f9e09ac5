"""What `gatepost.toml` may contain, as pydantic models: the JSON Schema for editors comes from here too."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gatepost.model.words import Mode, Role, Severity

Text = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
Lax = Field(strict=False)  # an enum member comes as its string

Exposure = Literal["internet", "clients", "internal", "loopback", "never"]


class Shape(BaseModel):
    """TOML has types of its own: nothing is guessed from a string."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=False)


class ServiceShape(Shape):
    """One port of a host. Everything the port catalogue knows about `name` can be left out."""

    name: Text = Field(description="From the port catalogue, or your own with port, protocol and mode.")
    port: int | None = Field(None, ge=1, le=65535, description="Only where it differs from the catalogue.")
    protocol: Text | None = Field(None, description="What it speaks: smtp, lmtp, imap, pop3, managesieve, …")
    mode: Annotated[Mode, Lax] | None = Field(None, description="How encryption starts.")
    role: Annotated[Role, Lax] | None = Field(None, description="Whose rules apply.")
    exposure: Exposure | None = Field(None, description="Who may reach it, in general.")
    sources: list[Text] = Field(
        [], alias="from", max_length=100, description="Zones that may reach it; empty: as its exposure says."
    )
    owner: Text | None = Field(None, description="Who answers for it. Needed for clear-text and legacy ports.")
    reason: Text | None = Field(None, description="Why it is open. Needed for clear-text and legacy ports.")
    until: date | None = Field(None, description="When it will be closed. Needed for clear-text and legacy ports.")


class EgressShape(Shape):
    """Where a host may connect to."""

    to: list[Text] = Field(min_length=1, max_length=100, description="Zones, networks or declared hosts.")
    ports: list[Text | Annotated[int, Field(ge=1, le=65535)]] = Field(
        [], max_length=100, description="Numbers or names of the port catalogue; empty: every port."
    )
    transport: Literal["tcp", "udp"] = "tcp"


class HostShape(Shape):
    """One machine, or one name of it, with the ports that should exist."""

    addresses: list[Text] = Field([], max_length=100, description="Every IPv4 and IPv6 address, each looked at.")
    services: list[ServiceShape] = Field([], max_length=500, description="The ports that should be open. No others.")
    via: Text | None = Field(
        None,
        description="How to look at it from inside: local, ssh DEST, netns NAME or docker NAME. "
        "Without it: locally, where one of its addresses is this machine's.",
    )
    postfix: list[Text] = Field([], max_length=20, description="Configuration directories; empty: what runs.")
    dovecot: list[Text] = Field([], max_length=20, description="Configuration files; empty: what runs.")
    management: list[Text] = Field(
        [], max_length=100, description="Zones and networks that may log in to operate it; empty: from anywhere."
    )
    management_ports: list[Annotated[int, Field(ge=1, le=65535)]] = Field(
        [], max_length=20, description="Where operators log in; empty: SSH's port."
    )
    relay_clients: list[Text] = Field(
        [], max_length=100, description="Zones, networks and hosts that may relay without a login."
    )
    proxies: list[Text] = Field(
        [], max_length=100, description="Zones, networks and hosts that speak for other clients (PROXY, XCLIENT)."
    )
    peers: list[Text] = Field(
        [], max_length=100, description="Zones, networks and hosts that reach its filter and backend listeners."
    )
    egress: list[EgressShape] | None = Field(
        None, max_length=100, description="Where it may connect to; without it: anywhere but into internal zones."
    )
    routes: bool = Field(False, description="It forwards between networks on purpose.")
    logs: list[Text] = Field(
        [], max_length=50, description="Paths, journal or journal:UNIT; empty: where its mail software writes."
    )


class ExchangerShape(Shape):
    """A mail exchanger of a domain. One that others run is marked as external."""

    host: Text
    external: bool = Field(False, description="Run by someone else: not declared under [hosts].")


class SelectorShape(Shape):
    """A DKIM selector: a key that mail of the domain is signed with."""

    selector: Text = Field(description="The name under _domainkey.")
    key: Text | None = Field(None, description="PEM file with the key pair or its public half.")
    until: date | None = Field(None, description="When the key is withdrawn.")


class DomainShape(Shape):
    """What DNS and policy should say about a mail domain."""

    mx: list[ExchangerShape] = Field([], max_length=100, description="Mail exchangers, most preferred first.")
    dmarc: Literal["none", "quarantine", "reject"] | None = None
    mta_sts: Literal["enforce", "none", "testing"] | None = None
    dane: bool = Field(False, description="TLSA records are published for every exchanger.")
    sends: bool = Field(True, description="False for a parked domain: no mail ever comes from it.")
    senders: list[Text] = Field(
        [], max_length=200, description="Addresses, networks and declared hosts that may send; empty: the exchangers."
    )
    includes: list[Text] = Field([], max_length=50, description="SPF records of others who send for the domain.")
    dkim: list[SelectorShape] = Field([], max_length=100, description="Selectors whose keys are published.")
    dmarc_reports: list[Text] = Field([], max_length=20, description="Mail addresses for DMARC aggregate reports.")
    tls_reports: list[Text] = Field([], max_length=20, description="Mail addresses or https URIs for TLS reports.")
    caa: list[Text] = Field([], max_length=20, description="Issuers that may certify names of the domain.")


class ResolverShape(Shape):
    """Who answers questions about DNS."""

    resolver: Text | None = Field(None, description="ADDR or ADDR#PORT; without it the system's.")
    trusted: bool = Field(False, description="What it says about DNSSEC is believed, although it is elsewhere.")


class LogsShape(Shape):
    """How the logs of all mail ports are read and how long they are kept."""

    zone: Text | None = Field(
        None, description="Time zone of lines that name none: Europe/Berlin or +02:00; without it: the machine's."
    )
    keep: Text = Field("400d", description="How long events are kept, in days: 400d.")
    pseudonymise: Text | None = Field(
        None, description="Accounts and addresses that are older become keyed digests: 90d."
    )
    syslog: list[Text] = Field(
        [], max_length=20, description="Where to listen for syslog: udp:ADDR:PORT, tcp:ADDR:PORT or tls:ADDR:PORT."
    )


class DeliveryShape(Shape):
    """Who is told of alerts."""

    to: Text = Field(description="mailto:…, https://… (webhook), syslog://HOST[:PORT], or a URL that Apprise knows.")
    at: Annotated[Severity, Lax] = Field(Severity.HIGH, description="From this severity on.")
    via: Text | None = Field(
        None, description="For mailto: smtp://[USER@]HOST[:PORT] or smtps://…; without it: this machine's server."
    )
    secret: Text | None = Field(
        None, description="File with the password of via, or with the key that signs what a webhook gets."
    )


class WatchShape(Shape):
    """What is done when the logs show an attack."""

    rules: list[Text] = Field([], max_length=100, description="Files or directories with Sigma rules of your own.")
    off: list[Text] = Field([], max_length=200, description="Ids of rules that are switched off.")
    allow: list[Text] = Field(
        [], max_length=200, description="Zones, networks and hosts never blocked, beside management and proxies."
    )
    block: bool = Field(False, description="Blocks are carried out; without it they are only told.")
    block_for: Text = Field("1h", description="The first time; doubled each time after.")
    block_longest: Text = Field("7d", description="Where the doubling ends.")
    deliver: list[DeliveryShape] = Field([], max_length=20, description="Who is told of alerts.")
    metrics: Text | None = Field(None, description="ADDR:PORT where Prometheus may ask.")
    policy: Text | None = Field(None, description="ADDR:PORT or socket path where policyd answers the servers.")


class WaiverShape(Shape):
    """A dated exception from one control."""

    control: Text = Field(description="For example GP-TLS-004.")
    subject: Text = Field(description="A place (mx1.example.org:25), a host, a domain, or * for all.")
    owner: Text
    reason: Text
    expires: date


class Head(Shape):
    """The keys before the first table."""

    version: int = Field(description="Of this format.", json_schema_extra={"const": 1})
    organization: str = Field("", max_length=500)
    profile: Text = Field("rfc9325", description="TLS profile that verdicts are held against.")


class DeclarationShape(Head):
    """gatepost.toml: which mail ports should exist, how each is encrypted, who may reach it, who owns it."""

    dns: ResolverShape | None = None
    zones: dict[str, list[Text]] = Field({}, description="Named networks, each in CIDR form.")
    hosts: dict[str, HostShape] = {}
    domains: dict[str, DomainShape] = {}
    logs: LogsShape | None = None
    watch: WatchShape | None = None
    waivers: list[WaiverShape] = []


# what a bare string in the place of a table means
SHORT = {ServiceShape: "name", ExchangerShape: "host", SelectorShape: "selector", DeliveryShape: "to"}
