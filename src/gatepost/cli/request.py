"""One look, as the command line asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gatepost.wire.survey import Depth


@dataclass(frozen=True, slots=True)
class Request:
    targets: tuple[str, ...] = ()
    declaration: Path | None = None
    undeclared: bool = False  # look as a stranger, even where a gatepost.toml lies about
    profile: str | None = None
    addresses: tuple[str, ...] = ()
    ports: str | None = None
    as_domain: bool = False  # targets are mail domains, also where nothing in DNS says so
    sweep: bool = True  # look for what hides beside the known services too
    resolver: str | None = None
    trust_resolver: bool = False
    dns: bool = True  # ask what the world is told, not only where the hosts are
    https: int | None = None  # another port than the usual one for policies
    ca: Path | None = None
    mine: bool = False
    recipient: str | None = None
    depth: Depth = Depth.CONFORMANCE
    vantage: str = ""
    source: str | None = None
    rate: float | None = None
    via: str | None = None  # onto the host, instead of what the declaration says
    bundles: tuple[Path, ...] = ()
    reach: tuple[Path, ...] = ()
    inside: bool = True  # look at the hosts themselves too, where there is a way
