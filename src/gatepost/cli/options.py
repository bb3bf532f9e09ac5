"""Options that several commands share, and what they mean once parsed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

LOOKING = "How to look"
SHOWING = "What to show"


class Format(StrEnum):
    CSV = "csv"
    HTML = "html"
    JSON = "json"
    JSONL = "jsonl"
    JUNIT = "junit"
    PROMETHEUS = "prometheus"
    SARIF = "sarif"
    TABLE = "table"


class FailOn(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    NEVER = "never"


Targets = Annotated[
    list[str] | None,
    typer.Argument(metavar="TARGET", help="Host names, domains or addresses. Without one: every declared host."),
]
Declaration = Annotated[
    Path | None,
    typer.Option("-c", "--config", metavar="FILE", help="The declaration (default: gatepost.toml, if present)."),
]
ProfileName = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="TLS profile (default: the declaration's, else rfc9325)."),
]
Address = Annotated[
    list[str] | None,
    typer.Option("--address", metavar="A", help="Look at this address, with TARGET as the name. Repeatable.",
                 rich_help_panel=LOOKING),
]  # fmt: skip
Ports = Annotated[
    str | None,
    typer.Option("--ports", metavar="LIST", help="Only these ports: numbers or catalogue names, comma separated.",
                 rich_help_panel=LOOKING),
]  # fmt: skip
ResolverAt = Annotated[
    str | None,
    typer.Option("--resolver", metavar="ADDR[#PORT]", rich_help_panel=LOOKING,
                 help="DNS resolver to ask (default: the declaration's, else the system's)."),
]  # fmt: skip
TrustResolver = Annotated[
    bool,
    typer.Option("--trust-resolver", help="Believe that resolver about DNSSEC, although it is not on this machine.",
                 rich_help_panel=LOOKING),
]  # fmt: skip
CaFile = Annotated[
    Path | None,
    typer.Option("--ca", metavar="FILE", help="Trust these CA certificates too (PEM).", rich_help_panel=LOOKING),
]
Mine = Annotated[
    bool,
    typer.Option("--mine", help="The target is yours: relay and vulnerability probes are allowed.",
                 rich_help_panel=LOOKING),
]  # fmt: skip
Recipient = Annotated[
    str | None,
    typer.Option("--recipient", metavar="ADDRESS", help="A mailbox of yours that end-of-data probes may write to.",
                 rich_help_panel=LOOKING),
]  # fmt: skip
Inventory = Annotated[
    bool,
    typer.Option("--inventory", help="List every accepted suite, group and signature algorithm.",
                 rich_help_panel=LOOKING),
]  # fmt: skip
VantageLabel = Annotated[
    str, typer.Option("--vantage", metavar="NAME", help="A label for where you look from.", rich_help_panel=LOOKING)
]
Via = Annotated[
    str | None,
    typer.Option("--via", metavar="WAY", rich_help_panel=LOOKING,
                 help="How to look at the host from inside: local, ssh DEST, netns NAME, docker NAME."),
]  # fmt: skip
BundleFiles = Annotated[
    list[Path] | None,
    typer.Option("--bundle", metavar="FILE", rich_help_panel=LOOKING,
                 help="What gatepost collect took from a host, instead of looking inside. Repeatable."),
]  # fmt: skip
ReachFiles = Annotated[
    list[Path] | None,
    typer.Option("--reach", metavar="FILE", rich_help_panel=LOOKING,
                 help="What gatepost probe could reach from another place. Repeatable."),
]  # fmt: skip
Outside = Annotated[
    bool,
    typer.Option("--outside", help="Look from outside only: no sockets, settings or firewall rules.",
                 rich_help_panel=LOOKING),
]  # fmt: skip
Source = Annotated[
    str | None,
    typer.Option("--source", metavar="ADDR", help="Connect from this local address.", rich_help_panel=LOOKING),
]
Rate = Annotated[
    float | None,
    typer.Option("--rate", metavar="N", min=0.1, help="At most N connections a minute to each endpoint.",
                 rich_help_panel=LOOKING),
]  # fmt: skip
Compare = Annotated[
    Path | None,
    typer.Option("--compare", metavar="FILE", help="Hold this run against a JSON run from another vantage.",
                 rich_help_panel=SHOWING),
]  # fmt: skip
Since = Annotated[
    Path | None,
    typer.Option("--since", metavar="FILE", help="Show only what changed since this JSON run.",
                 rich_help_panel=SHOWING),
]  # fmt: skip
Only = Annotated[
    str | None,
    typer.Option("--only", metavar="AREA,…", help="Only these areas: ports, tls, starttls, certificates, …",
                 rich_help_panel=SHOWING),
]  # fmt: skip
FormatName = Annotated[
    Format | None,
    typer.Option("--format", help="Default: table, or by the ending of --output.", rich_help_panel=SHOWING,
                 show_default=False),
]  # fmt: skip
Output = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write here.", rich_help_panel=SHOWING)
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Show what passed as well.", rich_help_panel=SHOWING)]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress on stderr.", rich_help_panel=SHOWING)]
FailOnSeverity = Annotated[
    FailOn,
    typer.Option("--fail-on", help="Exit 1 when a finding is at least this severe.", rich_help_panel=SHOWING),
]
State = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", rich_help_panel=SHOWING,
                 help="What is remembered: findings, ages of keys, reports (default: .gatepost, where it exists)."),
]  # fmt: skip
